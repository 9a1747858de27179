"""Trains the generator of the base set: embeddings for regions of which nothing came. Everything else is frozen.

  python3 generator.py --config configs/base.json --data DIR [--minutes 20]      start, or resume checkpoints/<set>/generator.pt

Start: the corrector's weights (checkpoints/<set>/corrector.pt) as the mean, and a spot noise with the energy that each
label's embeddings have around it. Then, on pictures through g_s: hinge GAN with a patch
discriminator that sees the label map; matched moments of SqueezeNet features over the region; gradient energy at two
scales as the source's; gradients across cell borders at most BORDER times those inside; colours (block means) near the
source's. A first part of the time (WARM) runs without the discriminator's term.
"""
import argparse
import json
import math
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import nnls

import corrector
import loop
import restoration
import squeeze
from discriminator import Discriminator, hinge, weight_of

GOOD = 0.5                          # quality of invented cells for g_s, log10; with -1 g_s trusts every seam, with 1.3 it blurs
BATCH, WINDOW = 4, 8               # records a step; window in cells that is synthesised
WARM, BORDER = 0.2, 1.1
LEARNING_RATE, DISCRIMINATOR_RATE = 4e-4, 4e-4
WEIGHT = dict(adversary=0.35, moments=1.0, energy=0.5, border=1.5, colour=20.0, feature=0.15)


@torch.no_grad()
def start_from(net, path):
    """copies what the corrector has in common; its gates of the label means come first"""
    own, other = net.state_dict(), torch.load(path, map_location="cpu")["average"]
    for k, v in own.items():
        if k in other and other[k].shape == v.shape:
            v.copy_(other[k])
        elif k in ("gate.weight", "gate.bias"):
            v.copy_(other[k][:v.shape[0]])


def missing_batch(pool, n):
    """records whose hit cells miss entirely"""
    b = pool.batch(n)
    b["missing"] = (b["damage"] > 0).float()
    return b


def noise_like(b):
    n, _, h, w = b["y"].shape
    return torch.randn(n, restoration.N_NOISE, h, w, device=b["y"].device)


def patterns(seed=11):
    """16 grey patterns [16,48,48]: noise in one band of wavelength (3.5, 7, 14, 28 pixels) and direction (4) under a round
    window, unit energy"""
    rng = np.random.default_rng(seed)
    f = np.fft.fftfreq(48)
    fy, fx = np.meshgrid(f, f, indexing="ij")
    radius, angle = np.hypot(fx, fy) + 1e-9, np.arctan2(fy, fx)
    t = (np.arange(48) - 23.5) / 24
    window = np.cos(np.pi / 2 * np.clip(np.hypot(t[:, None], t[None]), 0, 1)) ** 2
    out = []
    for wavelength in (3.5, 7.0, 14.0, 28.0):
        for k in range(4):
            band = np.exp(-0.5 * (np.log2(radius * wavelength) / 0.35) ** 2) * np.exp(3 * (np.cos(2 * (angle - k * np.pi / 4)) - 1))
            p = np.fft.ifft2(np.fft.fft2(rng.normal(size=(48, 48))) * band).real * window
            p -= window * p.sum() / window.sum()
            out.append(p / np.sqrt((p ** 2).sum()))
    return torch.tensor(np.stack(out)).float()


def by_label(labels, values):
    """mean of values [n,k] for each label int64 [n], drawn a little towards the mean of all -> [43,k]"""
    total, count = torch.zeros(restoration.N_LABEL, values.shape[1]), torch.zeros(restoration.N_LABEL, 1)
    total.index_add_(0, labels, values)
    count.index_add_(0, labels, torch.ones(len(labels), 1))
    return (total + 20 * values.mean(0)) / (count + 20)


def cells(x):
    """[N,c,h,w] -> [cells, c]"""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


@torch.no_grad()
def fit_texture(net, m, pool, rounds=40):
    """Closed-form start of the texture. Weights: the patterns in y's units. Amplitudes of each label and plane: non-negative
    least squares from the energy of the missing embeddings around the network's mean, at the level that most cells have
    (mean of the logarithm). Mix of the loudness cues: least squares on the logarithm."""
    x = patterns()[:, None].repeat(1, 3, 1, 1)
    coefficient = F.conv2d(F.pixel_unshuffle(x, 4), m.g_a.klt.weight, None, 4)             # [16, C, 3, 3], of cell (dy, dx)
    net.texture.weight.copy_(coefficient.permute(1, 0, 2, 3).flip(2, 3))
    each = net.texture.weight.pow(2).sum((2, 3))                                           # [C, 16]
    band = torch.stack([each[:, net.band_of == k].sum(1) for k in range(3)])
    band[:, :3] = 0
    net.bands.weight.copy_((band / band.sum(1, keepdim=True))[:, :, None, None])
    net.bands.bias.zero_()
    net.amplitude.zero_()
    labels, residual, seen, cues = [], [], [[], []], []
    for step in range(rounds):
        b = missing_batch(pool, 8)
        y = net(b["received"], b["missing"], b["labels"], torch.zeros_like(noise_like(b)))
        hit = b["missing"].flatten() > 0
        labels.append(b["labels"].flatten().long()[hit])
        residual.append(cells(y - b["y"])[hit].pow(2))
        seen[0].append(b["labels"].flatten().long()[~hit])
        seen[1].append(cells(torch.log(net.bands(b["received"].pow(2)).clamp(min=1e-4)))[~hit])
        if step == rounds // 2:
            net.usual.copy_(by_label(*(torch.cat(v) for v in seen)))
            net.level.prior.zero_()
            net.level.logweight.fill_(1.0)
        if step >= rounds // 2:
            known = 1 - b["missing"]
            cues.append(torch.stack([cells(v)[hit] for v in net.loudness(b["received"] * known, known, b["labels"])], 1))
    label, e = torch.cat(labels), torch.cat(residual)
    logs = torch.log(F.linear(e, net.bands.weight.flatten(1)).clamp(min=1e-4))             # [n, 3]
    usual = by_label(label, logs)
    cue = torch.cat(cues)                                                                  # [n', 2, 3]
    t = (logs - usual[label])[-len(cue):]
    for k in range(3):
        a = cue[:, :, k] - cue[:, :, k].mean(0)
        net.mix[:, 0, k, 0, 0] = torch.linalg.solve(a.t() @ a + 1e-3 * len(a) * torch.eye(2), a.t() @ t[:, k])
    energy = by_label(label, e)
    factor = usual.exp() / F.linear(energy, net.bands.weight.flatten(1))                   # most cells against the mean, [43, 3]
    weight = e.mean(0).clamp(min=1e-6).pow(-0.5).numpy()                                   # small channels count too
    weight[:6] *= 0.1                                                                      # colour and shading come from the mean
    for n in range(restoration.N_LABEL):
        a = nnls(each.numpy() * weight[:, None], energy[n].numpy() * weight)[0] + 1e-6
        net.amplitude[n] = torch.from_numpy(np.sqrt(a)).float() * factor[n, net.band_of].sqrt()
    net.amplitude[:, 8:12] *= 0.8                                                          # long waves look like blotches
    net.amplitude[:, 12:] *= 0.6
    for _ in range(3):                                                                     # what is left: one factor
        b = missing_batch(pool, 6)
        y = net(b["received"], b["missing"], b["labels"], noise_like(b))
        fake = grey(m.g_s(y, torch.where(b["missing"] > 0, torch.full_like(b["quality"], GOOD), b["quality"])))
        ratio = gradients(fake, b["missing"])[0] / gradients(grey(b["x"]), b["missing"])[0]
        net.amplitude.mul_(ratio.log().mean().mul(-0.5).exp().clamp(0.5, 2))


def grey(x):
    """luma [N,1,H,W]"""
    return (x * torch.tensor([0.299, 0.587, 0.114], device=x.device).view(1, 3, 1, 1)).sum(1, keepdim=True)


def crop(b, y):
    """a window around a missing cell of each record: pictures, maps, features [N,.,WINDOW,WINDOW]"""
    out = {k: [] for k in ("x", "y", "out", "q", "missing", "labels")}
    side = b["y"].shape[2]
    for n in range(len(y)):
        i, j = random.choice(b["missing"][n, 0].nonzero().tolist())
        i, j = (min(max(0, v - random.randrange(WINDOW)), side - WINDOW) for v in (i, j))
        s = (slice(i, i + WINDOW), slice(j, j + WINDOW))
        out["x"].append(b["x"][n, :, 16 * i:16 * (i + WINDOW), 16 * j:16 * (j + WINDOW)])
        for k, v in (("y", b["y"]), ("out", y), ("q", b["quality"]), ("missing", b["missing"])):
            out[k].append(v[n][(slice(None),) + s])
        out["labels"].append(b["labels"][n][s])
    return {k: torch.stack(v) for k, v in out.items()}


def gradients(x, missing):
    """luma x [N,1,H,W], missing [N,1,h,w] -> for each record the mean squared difference of neighbouring pixels inside
    regenerated cells, and across the borders of cells of which one at least is regenerated"""
    r = x.shape[2] // missing.shape[2]
    m = missing.repeat_interleave(r, 2).repeat_interleave(r, 3)
    inside = n_in = border = n_border = 0.0
    for d, a, b, axis in ((x[:, :, 1:] - x[:, :, :-1], m[:, :, 1:], m[:, :, :-1], 2),
                          (x[:, :, :, 1:] - x[:, :, :, :-1], m[:, :, :, 1:], m[:, :, :, :-1], 3)):
        across = (torch.arange(1, x.shape[axis], device=x.device) % r == 0).float().view((-1, 1) if axis == 2 else (1, -1))
        within, one = a * b * (1 - across), torch.maximum(a, b) * across
        inside, n_in = inside + (d * d * within).sum((1, 2, 3)), n_in + within.sum((1, 2, 3))
        border, n_border = border + (d * d * one).sum((1, 2, 3)), n_border + one.sum((1, 2, 3))
    return inside / n_in.clamp(min=1) + 4e-6, border / n_border.clamp(min=1) + 4e-6


def texture_terms(fake, real, missing):
    """squared log ratio of gradient energy at two scales; log excess of the borders' gradients over BORDER times the inside's"""
    f, r = grey(fake), grey(real)
    a, e = gradients(f, missing)
    b, _ = gradients(r, missing)
    a4, b4 = (gradients(F.avg_pool2d(v, 4), missing)[0] for v in (f, r))
    energy = ((a.log() - b.log()).pow(2) + (a4.log() - b4.log()).pow(2)).mean() / 2
    border = F.relu(0.5 * (e.log() - a.log()) - math.log(BORDER)).mean()
    return energy, border, (a / b).detach().log().mean().exp(), (e / a).detach().sqrt().mean()


def losses(net, m_gs, sq, disc, b, use_adversary):
    y = net(b["received"], b["missing"], b["labels"], noise_like(b))
    c = crop(b, y)
    q = torch.where(c["missing"] > 0, torch.full_like(c["q"], GOOD), c["q"])
    fake = m_gs(c["out"], q)
    weight = c["missing"]
    terms = {}
    block = (F.avg_pool2d(fake, 16) - F.avg_pool2d(c["x"], 16)).pow(2).mean(1, keepdim=True)
    terms["colour"] = (block * weight).sum() / weight.sum()
    terms["feature"] = (((c["out"] - c["y"]).abs() * net.white * weight).sum() / weight.sum() / net.c) ** 0.5
    terms["energy"], terms["border"], ratio, border_ratio = texture_terms(fake, c["x"], weight)
    moments = 0.0
    with torch.no_grad():
        real = sq(c["x"])
    for a, r in zip(sq(fake), real):
        k = F.interpolate(weight, a.shape[2:], mode="nearest")
        (m0, s0), (m1, s1) = squeeze.moments(a, k), squeeze.moments(r, k)
        spread = s1.mean(1, keepdim=True) + 0.2 * r.mean((1, 2, 3))[:, None] + 1e-3
        moments = moments + (((m0 - m1) / spread).abs() + ((s0 - s1) / spread).abs()).clamp(max=5).mean() / len(real)
    terms["moments"] = moments
    k = weight_of(weight)
    if use_adversary:
        terms["adversary"] = -(disc(fake, c["labels"], weight)[0] * k).sum() / k.sum()
    total = sum(WEIGHT[n] * v for n, v in terms.items())
    return total, fake.detach(), c, k, dict({n: float(v) for n, v in terms.items()}, energyRatio=float(ratio), borderRatio=float(border_ratio))


def main():
    a = loop.arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter), 20).parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    out = os.path.join(a.out, cfg["name"])
    os.makedirs(out, exist_ok=True)
    seed = cfg["seed"] + 3000
    m, pool, _, facts = corrector.prepare(a, cfg, out, seed)
    facts["quality"] = GOOD
    net = restoration.build("generator", cfg, m.g_a.std.flatten().square())
    path = os.path.join(out, "generator.pt")
    if not os.path.exists(path):
        corrector.closed_form(net, m, pool)
        prior = net.mean.prior.detach().clone()
        if os.path.exists(os.path.join(out, "corrector.pt")):
            start_from(net, os.path.join(out, "corrector.pt"))
            net.mean.prior.data.copy_(prior)
        fit_texture(net, m, pool)
    net, g_s = net.to(a.device), m.g_s.to(a.device)
    sq = squeeze.SqueezeNet(a.data, ("conv1", "fire3", "fire5")).to(a.device)
    disc = Discriminator().to(a.device)
    lr = a.learning_rate or LEARNING_RATE
    opt_d = torch.optim.Adam(disc.parameters(), DISCRIMINATOR_RATE, betas=(0.5, 0.99))
    run = loop.Run(path, net, corrector.optimiser(net, lr), cfg, a.minutes, lr, seed, {"discriminator": (disc, opt_d)}, facts, a.restart)
    random.seed(seed + run.step)
    torch.manual_seed(seed + run.step)
    if run.resumed:
        pool.draw.seed(seed + run.step)
        if not corrector.same_codebook(facts["labels"], run.last["labels"]):
            for rows in (net.labels, net.amplitude, net.usual, net.mean.prior, disc.names):
                corrector.rename_clusters(rows, pool, a.data, run.last["labels"])
    run.last = {}
    while run.clock() is not None:
        if len(pool.records) < pool.capacity and run.step % 3 == 0 or run.step % 10 == 0:
            pool.add(2)
        adversary = run.share() > WARM or run.resumed
        b = corrector.to(missing_batch(pool, BATCH), a.device)
        loss, fake, c, k, shown = losses(net, g_s, sq, disc, b, adversary)
        loop.descend(loss, run.opt, net.parameters())
        if run.share() > 0.6 * WARM:
            real = disc(c["x"], c["labels"], c["missing"])[0]
            d_loss = hinge(real, disc(fake, c["labels"], c["missing"])[0], k)
            loop.descend(d_loss, opt_d, disc.parameters(), 5.0)
            shown["hinge"] = float(d_loss)
        run.stepped(**shown)


if __name__ == "__main__":
    main()
