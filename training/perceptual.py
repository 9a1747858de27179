"""Fine-tunes g_s alone (the receiver's choice `base-perceptual`: same air format) towards pictures that look sharper.

  python3 perceptual.py --config configs/base.json --data DIR [--minutes 10]     start, or resume checkpoints/<set>/perceptual.pt

Loss on pictures of the channel path and of the quantised path: log squared error, SqueezeNet feature distance (a training loss
only), and the gradient energy of 16x16 blocks against the source's. State: `average` = the weights of g_s.
Figures: evaluate_perceptual.py.
"""
import argparse
import copy
import json
import os
import random

import torch
import torch.nn.functional as F

import channel
import damage
import data
import loop
import squeeze

BATCH, CROP = 4, 128
LEARNING_RATE = 2e-4
WEIGHT = dict(distance=3.0, energy=0.1)


def block_energy(x):
    """mean squared luma gradient of each 16x16 block [N,1,h,w]"""
    g = (x * torch.tensor([0.299, 0.587, 0.114], device=x.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    d = F.pad((g[:, :, 1:] - g[:, :, :-1]).pow(2), (0, 0, 0, 1)) + F.pad((g[:, :, :, 1:] - g[:, :, :, :-1]).pow(2), (0, 1))
    return F.avg_pool2d(d, 16)


@torch.no_grad()
def received(m, y, rng):
    """what g_s gets: channel path (2 of 3) or quantised path"""
    if random.random() < 0.67:
        (y_hat, q), _, _, _ = damage.link(m, y, rng)
        return y_hat, q
    y_hat, q, _ = damage.rounded(m, y, torch.tensor([0.03 * 2 ** random.uniform(0, 4.3) for _ in y]).view(-1, 1, 1, 1))
    return y_hat, q


def loss_of(g_s, sq, y_hat, q, x):
    out = g_s(y_hat, q)
    mse = (out - x).pow(2).mean((1, 2, 3))
    with torch.no_grad():
        real = sq(x)
    distance = squeeze.distance(sq(out), real).mean()
    energy = ((block_energy(out) + 1e-4).log() - (block_energy(x) + 1e-4).log()).pow(2).mean()
    loss = (mse + 2e-5).log().mean() + WEIGHT["distance"] * distance + WEIGHT["energy"] * energy
    return loss, {"psnr": float(-4.343 * mse.detach().log().mean()), "distance": float(distance), "energy": float(energy)}


def main():
    a = loop.arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter), 10).parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    out = os.path.join(a.out, cfg["name"])
    os.makedirs(out, exist_ok=True)
    seed = cfg["seed"] + 4000
    rng = channel.seeded(seed)
    m, source = loop.frozen(cfg, a.data, out, a.weights)
    images = data.photos(a.data)[:a.limit_photos]
    g_s = copy.deepcopy(m.g_s).to(a.device).requires_grad_(True)
    sq = squeeze.SqueezeNet(a.data).to(a.device)
    lr = a.learning_rate or LEARNING_RATE
    opt = torch.optim.Adam(g_s.parameters(), lr, betas=(0.9, 0.99))
    run = loop.Run(os.path.join(out, "perceptual.pt"), g_s, opt, cfg, a.minutes, lr, seed,
                   facts={"frozen": os.path.basename(source)}, restart=a.restart)
    run.last = {}
    rng = channel.seeded(seed + run.step)
    while run.clock() is not None:
        x = data.photo_batch(images, BATCH, CROP)
        with torch.no_grad():
            y = m.g_a(x)
        y_hat, q = received(m, y, rng)
        loss, shown = loss_of(g_s, sq, y_hat.to(a.device), q.to(a.device), x.to(a.device))
        loop.descend(loss, opt, g_s.parameters())
        run.stepped(**shown)


if __name__ == "__main__":
    main()
