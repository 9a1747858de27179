"""Trains the corrector of a model set; everything else is frozen.

  python3 corrector.py --config configs/base.json --data DIR [--minutes 16]     start, or resume checkpoints/<set>/corrector.pt
  python3 corrector.py ... --minutes 6 --restart                                new cosine from the averaged weights

Label maps come from checkpoints/<set>/heads.pt; before that exists from stage A's label head and a stand-in codebook. A later
start with another codebook carries the clusters' rows over.

Two kinds of step on records of `damage.py`: features (log squared error of the damaged embeddings; the analysis is close to
orthonormal, so this is nearly the picture's) and, more and more towards the end, pictures (through g_s: log squared error of
the damaged region and of a ring of cells around it). Log: gain over the untrained start on held-out records, dB.
"""
import argparse
import json
import math
import os
import random

import torch
import torch.nn.functional as F

import channel
import damage
import data
import loop
import restoration

BATCH = {"base": 8, "live": 12}
PICTURE_BATCH = {"base": 2, "live": 4}
LEARNING_RATE = {"base": 1e-3, "live": 2e-3}
EPS = 1e-4                                      # log(e + EPS): squared error of a pixel, images 0..1


@torch.no_grad()
def closed_form(net, m, pool, rounds=24):
    """starts the fill: block means from g_s's linear picture; features from the filled blocks by least squares over damaged
    records; mean of each label; each class's total variance"""
    cell, n = net.cell, net.cell.low
    lin = m.g_s.lin.weight.view(48, 16, -1)                                     # (colour dy dx), (Y X), channel
    cell.down.weight.copy_(lin.view(3, 16, 16, -1).mean(1).reshape(48, -1)[:, :n, None, None])
    cell.down.bias.copy_(m.g_s.lin.bias.view(3, 16, 16).mean(1).reshape(48) - 0.45)
    gram, cross = torch.zeros(109, 109, dtype=torch.float64), torch.zeros(109, n, dtype=torch.float64)
    total, count = torch.zeros(restoration.N_LABEL, n), torch.zeros(restoration.N_LABEL, 1)
    for _ in range(rounds):
        b = pool.batch(8)
        lost = (b["damage"] > 0).float()
        p = F.pad(cell.filled(b["received"] * (1 - lost), 1 - lost), (1, 1, 1, 1), mode="replicate")
        a = F.unfold(p, 6, stride=4).transpose(1, 2)[lost.flatten(1) > 0].double()
        a = torch.cat([a, torch.ones(len(a), 1, dtype=torch.float64)], 1)
        t = b["y"][:, :n].flatten(2).transpose(1, 2)[lost.flatten(1) > 0].double()
        gram += a.t() @ a
        cross += a.t() @ t
        f = b["labels"].flatten().long()
        total.index_add_(0, f, b["y"][:, :n].permute(0, 2, 3, 1).reshape(-1, n))
        count.index_add_(0, f, torch.ones(len(f), 1))
    w = torch.linalg.solve(gram + 1e-3 * gram.diagonal().mean() * torch.eye(109, dtype=torch.float64), cross).float()
    cell.up.weight.copy_(w[:108].t().reshape(n, 3, 6, 6))
    cell.up.bias.copy_(w[108])
    mean = (total + 20 * total.sum(0) / count.sum()) / (count + 20)
    net.mean.prior.copy_(mean[:, :net.mean.n])
    net.mean.logweight.fill_(math.log(4.0))
    if hasattr(net, "class_quality"):
        net.class_quality.copy_(torch.log10(m.var.sum(1, keepdim=True) + 1e-4))


def apply(net, b):
    return net(b["received"], b["quality"], b["damage"], torch.ones_like(b["damage"]), b["cls"], b["labels"], b["ref"], b["has_ref"])


def feature_error(y, b):
    """mean squared error a pixel of lost and of partly damaged embeddings of each record: two [N], and how many cells"""
    e = (y - b["y"]).pow(2).sum(1, keepdim=True) / 768
    out = []
    for mask in ((b["damage"] >= restoration.LOST).float(), ((b["damage"] > 0) & (b["damage"] < restoration.LOST)).float()):
        out += [(e * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1), mask.sum((1, 2, 3))]
    return out


def log_mean(e, n):
    """mean of log(e + EPS) over the records that have such cells"""
    return ((e + EPS).log() * (n > 0)).sum() / (n > 0).sum().clamp(min=1)


def feature_loss(y, q, b):
    lost, n_lost, part, n_part = feature_error(y, b)
    hit = (b["damage"] > 0).float()
    error = torch.log10((y.detach() - b["y"]).pow(2).sum(1, keepdim=True) + 1e-4)
    quality = ((q - error).pow(2) * hit).sum() / hit.sum()
    return log_mean(lost, n_lost) + 0.4 * log_mean(part, n_part) + 0.03 * quality


def picture_loss(g_s, y, q, b):
    """log squared error of the damaged region and of one cell around it"""
    e = (g_s(y, q) - b["x"]).pow(2).mean(1, keepdim=True)
    e = F.avg_pool2d(e, 16)
    hit = (b["damage"] > 0).float()
    ring = (F.max_pool2d(hit, 3, 1, 1) - hit)
    terms = [log_mean((e * k).sum((1, 2, 3)) / k.sum((1, 2, 3)).clamp(min=1), k.sum((1, 2, 3))) for k in (hit, ring)]
    return terms[0] + 0.25 * terms[1]


@torch.no_grad()
def held_out(net, start, batches):
    """mean gain over the untrained start, dB of embedding error: lost cells, cells damaged in part (over what came)"""
    gain = [[], []]
    for b in batches:
        lost, n_lost, part, n_part = feature_error(apply(net, b)[0], b)
        lost0, _, _, _ = feature_error(apply(start, b)[0], b)
        _, _, part0, _ = feature_error(b["received"], b)
        for i, (e, e0, n) in enumerate(((lost, lost0, n_lost), (part, part0, n_part))):
            gain[i] += (10 * torch.log10((e0 + EPS) / (e + EPS)))[n > 0].tolist()
    return [sum(g) / max(1, len(g)) for g in gain]


def optimiser(net, lr):
    slow = [p for n, p in net.named_parameters() if n.startswith(("cell.", "mean."))]
    ids = {id(p) for p in slow}
    return torch.optim.Adam([{"params": [p for p in net.parameters() if id(p) not in ids], "m": 1.0},
                             {"params": slow, "m": 0.1}], lr, betas=(0.9, 0.99))


def prepare(a, cfg, out, seed):
    """frozen set, pool of training records, held-out batches, where the weights and the codebook come from"""
    channel.seeded(seed)
    m, source = loop.frozen(cfg, a.data, out, a.weights)
    images = data.photos(a.data, damage.SIDE)
    random.shuffle(images)
    images = images[:a.limit_photos]
    labeller, made_of = damage.labeller(m, a.data, out, images, a.heads)
    held = damage.Pool(m, labeller, images[-40:], data.pairs(a.data, "camvid/val"), seed + 1)
    pool = damage.Pool(m, labeller, images[:-40], data.pairs(a.data, "camvid/train"), seed)
    while len(held.records) < 32:
        held.add(4)
    while len(pool.records) < 80:
        pool.add(4)
    return m, pool, [held.batch(8) for _ in range(4)], {"frozen": os.path.basename(source), "labels": made_of,
                                                        "codebook": "heads" if made_of["heads"] else "stand-in"}


def same_codebook(a, b):
    if a["heads"] is None or b["heads"] is None:
        return a["heads"] is b["heads"]
    return torch.equal(a["heads"]["label.centroids"], b["heads"]["label.centroids"])


@torch.no_grad()
def rename_clusters(rows, pool, root, old):
    """rows [43,k] of a network trained with another codebook: each new cluster's row becomes the mean of the old rows of its
    cells. old: what the former Labeller was made of"""
    m = pool.m
    former = damage.Labeller(m, damage.heads_of(m, root, old["heads"]) if old["heads"] else None, old["standIn"])
    seen = torch.full((32, 32), 1e-3)
    for r in pool.records:
        b = r["labels"].flatten().long() - damage.STREET
        if int(b.min()) >= 0:
            a = former.clusters(r["y"].float()[None]).flatten().long() - damage.STREET
            seen.view(-1).index_add_(0, b * 32 + a, torch.ones(len(b)))
    share = seen / seen.sum(1, keepdim=True)
    rows[damage.STREET:] = share @ rows[damage.STREET:].clone()


def to(b, device):
    return {k: v.to(device) for k, v in b.items()}


def main():
    a = loop.arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter), 16).parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    name = cfg["name"]
    out = os.path.join(a.out, name)
    os.makedirs(out, exist_ok=True)
    seed = cfg["seed"] + 2000
    m, pool, held, facts = prepare(a, cfg, out, seed)
    net = restoration.build("corrector", cfg, m.g_a.std.flatten().square())
    closed_form(net, m, pool)
    start = restoration.build("corrector", cfg, m.g_a.std.flatten().square())
    start.load_state_dict(net.state_dict())
    net, start, g_s = net.to(a.device), start.to(a.device).eval(), m.g_s.to(a.device)
    held = [to(b, a.device) for b in held]
    lr = a.learning_rate or LEARNING_RATE[name]
    run = loop.Run(os.path.join(out, "corrector.pt"), net, optimiser(net, lr), cfg, a.minutes, lr, seed, facts=facts, restart=a.restart)
    random.seed(seed + run.step)
    torch.manual_seed(seed + run.step)
    if run.resumed:
        pool.draw.seed(seed + run.step)
        if not same_codebook(facts["labels"], run.last["labels"]):
            rename_clusters(net.labels, pool, a.data, run.last["labels"])
            net.mean.prior.data.copy_(start.mean.prior)
            run.note(event="codebook", step=run.step)
    run.last = {}
    next_check = 0.0
    while run.clock() is not None:
        f = run.share()
        if f >= next_check:
            next_check = f + 0.1
            average = restoration.build("corrector", cfg, m.g_a.std.flatten().square()).to(a.device)
            average.load_state_dict(run.average.state)
            run.note(event="held-out", step=run.step, gainDb=[round(v, 3) for v in held_out(average.eval(), start, held)])
        if len(pool.records) < pool.capacity and (run.step < 40 or run.step % 2 == 0) or run.step % 6 == 0:
            pool.add(2)
        if random.random() < 0.15 + 0.45 * max(0.0, f - 0.3) / 0.7:
            b = to(pool.batch(PICTURE_BATCH[name]), a.device)
            y, q = apply(net, b)
            picture = picture_loss(g_s, y, q, b)
            loss, shown = picture + 0.3 * feature_loss(y, q, b), {"picture": picture}
        else:
            b = to(pool.batch(BATCH[name]), a.device)
            y, q = apply(net, b)
            loss = feature_loss(y, q, b)
            lost, n_lost, part, n_part = feature_error(y.detach(), b)
            shown = {"feature": loss, "lostDb": -4.343 * log_mean(lost, n_lost)}
            if bool((n_part > 0).any()):
                shown["partDb"] = -4.343 * log_mean(part, n_part)
        loop.descend(loss, run.opt, net.parameters())
        run.stepped(**{k: float(v) for k, v in shown.items()})


if __name__ == "__main__":
    main()
