"""Trains `features` of a model set: the received feature map as the heads expect it. Everything else is frozen.

  python3 features.py --config configs/base.json --data DIR [--minutes 20]      start, or resume checkpoints/<set>/features.pt
  python3 features.py ... --minutes 6 --restart                                 new cosine from the averaged weights

f_d and the quantiser give an estimate of y of least squared error: channels that were not sent are zero, weak ones are shrunk. g_s
is trained with that; the heads are trained on y itself, and divide each channel by its deviation: the texture that is missing
in most channels makes a street no street. No gain for each channel can put it back (it is not there); a small network makes what is likely
from the channels and cells that came. Its loss is what the heads say of its output against what they say of the sender's y.

Log: on held-out pictures (CamVid val), share of pixels with the clean features' class before and after, and the street's probability.
"""
import argparse
import json
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import channel
import damage
import data
import loop
from head_networks import load_heads
from layers import Film, Res, zero_conv

SIZES = {"base": dict(width=128, dilations=(1, 2, 1)), "live": dict(width=64, dilations=(1, 2, 1))}
LEARNING_RATE = {"base": 1.5e-3, "live": 2.5e-3}
POOL = 360
STREET_SIZE, PHOTO_SIDE = (288, 384), 256
SNR_DB, BUDGET, LEVELS = (-2, 20), (6, 110), (0, 18)


class Features(nn.Module):
    """yHat [N, C, h, w], quality [N, 1, h, w] (log10 of expected squared error) -> y [N, C, h, w]. Starts as identity."""

    def __init__(self, c, lam, size):
        super().__init__()
        w = size["width"]
        self.register_buffer("white", lam.clamp(min=1e-4).rsqrt().view(1, -1, 1, 1))     # as the heads see it
        self.register_buffer("std", lam.clamp(min=1e-4).sqrt().view(1, -1, 1, 1))
        self.i, self.p, self.f = nn.Conv2d(c, w, 1), nn.PReLU(w), Film(1, w)
        self.r = nn.Sequential(*[Res(w, d) for d in size["dilations"]])
        self.f2, self.o = Film(1, w), zero_conv(w, c, 1)

    def forward(self, y_hat, quality):
        x = y_hat * self.white
        x = x / torch.sqrt(1 + x.abs())
        h = self.f2(self.r(self.f(self.p(self.i(x)), quality)), quality)
        return y_hat + self.o(h) * self.std


def build(cfg, lam):
    return Features(cfg["channels"], lam, SIZES[cfg["name"]])


def load(path):
    """network with the averaged weights of a state -> network, the state's facts"""
    s = torch.load(path, map_location="cpu")
    net = build(s["config"], torch.ones(s["config"]["channels"]))
    net.load_state_dict(s["average"])
    return net.eval(), {k: s[k] for k in ("config", "steps", "seconds", "seed")}


def seen(heads, y):
    """what the heads say: trunk features, maps, presence, clusters, street, saliency"""
    net = heads.label
    h, d, s = net.trunk.grid(y)
    p = torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)
    return dict(h=h, maps=net.o(net.trunk.up(h, d, s)), presence=net.presence(p), street=net.street(p),
                clusters=net.clusters(net.codebook_features(y, h)), saliency=heads.saliency(y))


class Pool:
    """pictures with y and the heads' clean answers, the oldest replaced while training goes on"""

    def __init__(self, m, heads, root, limit=None):
        self.m, self.heads = m, heads
        self.street, self.photos = data.pairs(root, "camvid/train")[:limit], data.photos(root, PHOTO_SIDE)[:limit]
        self.salient = data.pairs(root, "saliency/train")[:limit]
        self.items, self.next = {"street": [], "photo": []}, {"street": 0, "photo": 0}

    @torch.no_grad()
    def fresh(self, kind):
        if kind == "street":
            x, _ = data.mask_batch(self.street, 1, *STREET_SIZE, 0.75, 1.4, data.VOID)
        elif random.random() < 0.4:
            x, _ = data.mask_batch(self.salient, 1, PHOTO_SIDE, PHOTO_SIDE, 0.7, 1.1, 0)
        else:
            x = data.photo_batch(self.photos, 1, PHOTO_SIDE)
        y = self.m.g_a(x)
        item = dict(seen(self.heads, y), y=y)
        pool = self.items[kind]
        if len(pool) < POOL:
            pool.append(item)
        else:
            pool[self.next[kind] % POOL] = item
            self.next[kind] += 1

    def batch(self, kind, n):
        rows = random.sample(self.items[kind], n)
        return {k: torch.cat([r[k] for r in rows]) for k in rows[0]}


@torch.no_grad()
def rounded(m, y):
    """y through the quantiser at a drawn level, with a drawn dead zone as the encoder's weighing of bits makes one -> yHat, quality"""
    n = len(y)
    factor = torch.tensor([0.03 * 2 ** (random.uniform(*LEVELS) / 3) for _ in range(n)]).view(-1, 1, 1, 1)
    _, quality, _ = damage.rounded(m, y, factor.clamp(max=0.03 * 2 ** 4))      # the level that g_s is told, at most 12
    step, zone = m.entropy.step(factor), random.uniform(0, 0.2)
    return y.sign() * (y.abs() / step + 0.5 - zone).floor().clamp(min=0) * step, quality


def received(m, y, rng):
    """y as either codec's receiver has it -> yHat, quality"""
    if random.random() < 0.3:
        return rounded(m, y)
    (y_hat, quality), _, _, _ = damage.link(m, y, rng, SNR_DB, BUDGET)
    return y_hat, quality


def apart(got, want):
    """Kullback-Leibler divergence over the channels, mean over the rest"""
    return F.kl_div(got.log_softmax(1), want.softmax(1), reduction="none").sum(1).mean()


def soft(got, want):
    return F.binary_cross_entropy_with_logits(got, torch.sigmoid(want))


def losses(heads, y, b, kind):
    """the heads' answers for y against those for the clean features, b -> loss, the parts shown"""
    got = seen(heads, y)
    trunk = (got["h"] - b["h"]).pow(2).mean() / b["h"].var()
    street, clusters, saliency = soft(got["street"], b["street"]), apart(got["clusters"], b["clusters"]), soft(got["saliency"], b["saliency"])
    maps, presence = apart(got["maps"], b["maps"]), soft(got["presence"], b["presence"])
    white = heads.label.trunk.white
    near = ((y - b["y"]) * white).abs().clamp(max=8).mean()
    loss = trunk + 0.3 * street + 0.3 * clusters + saliency + 0.1 * near
    loss = loss + (2 * maps + 0.5 * presence if kind == "street" else 0.2 * maps)
    return loss, dict(trunk=trunk, maps=maps) if kind == "street" else dict(clusters=clusters, saliency=saliency)


@torch.no_grad()
def held_out(net, heads, records):
    """[share of pixels with the clean class: as received, restored], [mean street probability: clean, received, restored]"""
    same, street = [0.0, 0.0], [0.0, 0.0, 0.0]
    for y, y_hat, quality in records:
        outs = [heads.label(v) for v in (y, y_hat, net(y_hat, quality))]
        for i in range(2):
            same[i] += float((outs[0][0].argmax(1) == outs[i + 1][0].argmax(1)).float().mean()) / len(records)
        for i in range(3):
            street[i] += float(torch.sigmoid(outs[i][3])) / len(records)
    return [round(v, 4) for v in same], [round(v, 4) for v in street]


@torch.no_grad()
def held_out_records(m, root, rng, n=16):
    """CamVid val over AWGN and fading as in training -> [(y, yHat, quality)]"""
    out = []
    for rgb, _ in data.pairs(root, "camvid/val")[::max(1, 101 // n)][:n]:
        y = m.g_a(data.pad16(data.to_batch([rgb])))
        (y_hat, quality), _, _, _ = damage.link(m, y, rng, (1, 13), (12, 64))
        out.append((y, y_hat, quality))
    return out


def main():
    a = loop.arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter), 20).parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    name = cfg["name"]
    out = os.path.join(a.out, name)
    os.makedirs(out, exist_ok=True)
    seed = cfg["seed"] + 5000
    rng = channel.seeded(seed)
    m, source = loop.frozen(cfg, a.data, out, a.weights)
    klt = torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")
    heads = load_heads(cfg, klt, a.heads or os.path.join(out, "heads.pt")).requires_grad_(False)
    net = build(cfg, klt["lam"][:cfg["channels"]].clone())
    held = held_out_records(m, a.data, rng)
    pool = Pool(m, heads, a.data, a.limit_photos)
    lr = a.learning_rate or LEARNING_RATE[name]
    run = loop.Run(os.path.join(out, "features.pt"), net, torch.optim.Adam(net.parameters(), lr, betas=(0.9, 0.99)), cfg, a.minutes, lr,
                   seed, facts={"frozen": os.path.basename(source)}, restart=a.restart)
    random.seed(seed + run.step)
    torch.manual_seed(seed + run.step)
    rng = np.random.default_rng(seed + run.step)
    next_check = 0.1
    while run.clock() is not None:
        kind = "street" if random.random() < 0.6 else "photo"
        f = run.share()
        if f >= next_check:
            next_check = f + 0.1
            average = build(cfg, klt["lam"][:cfg["channels"]].clone())
            average.load_state_dict(run.average.state)
            same, street = held_out(average.eval(), heads, held)
            run.note(event="held-out", step=run.step, sameClass=same, street=street)
        items = pool.items[kind]
        for _ in range(4 - len(items) if len(items) < 4 else 1 if len(items) < POOL or run.step % 4 == 0 else 0):
            pool.fresh(kind)
        b = pool.batch(kind, 2)
        y_hat, quality = received(m, b["y"], rng)
        loss, shown = losses(heads, net(y_hat, quality), b, kind)
        loop.descend(loss, run.opt, net.parameters())
        run.stepped(**{k: float(v) for k, v in shown.items()})


if __name__ == "__main__":
    main()
