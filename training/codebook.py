"""Codebook of 32 clusters for pictures that are not street scenes, and the logit "is this a street scene".

Features of a cell (head_networks.LabelNetwork.codebook_features): what the label trunk says about ImageNet features in
3x3 cells, mean colour, log activity; each group scaled so that GROUP_WEIGHT is its share of the squared distance.
k-means with k-means++ starts, seeded, on training photographs (CamVid is not among them).
"""
import random

import torch
import torch.nn.functional as F

import data
from head_networks import N_CLUSTER, N_GENERIC, pooled

GROUP_WEIGHT = (1.0, 0.35, 0.25)                 # ImageNet features, colour, activity


@torch.no_grad()
def kmeans(x, k, seed, rounds=40):
    """x [n, f] -> centroids [k, f], index [n], mean squared distance"""
    g = torch.Generator().manual_seed(seed)
    c = x[torch.randint(len(x), (1,), generator=g)]
    near = torch.full((len(x),), float("inf"))
    for _ in range(k - 1):
        near = torch.minimum(near, ((x - c[-1]) ** 2).sum(1))
        c = torch.cat([c, x[torch.multinomial(near.clamp(min=1e-12), 1, generator=g)]])
    for _ in range(rounds):
        d = (x * x).sum(1, keepdim=True) - 2 * x @ c.t() + (c * c).sum(1)
        best, index = d.min(1)
        count = torch.bincount(index, minlength=k)
        new = torch.zeros_like(c).index_add_(0, index, x) / count.clamp(min=1).view(-1, 1)
        for j in (count == 0).nonzero().flatten().tolist():      # an empty cluster restarts at the farthest point
            far = int(best.argmax())
            new[j], best[far] = x[far], 0
        c = new
    d = (x * x).sum(1, keepdim=True) - 2 * x @ c.t() + (c * c).sum(1)
    return c, d.argmin(1), float(d.min(1)[0].clamp(min=0).mean())


@torch.no_grad()
def features(m, net, images, device):
    """-> codebook features [n, 28] of all cells, mean colours [n, 3] of the same, pooled trunk features [pictures, 2f]"""
    fs, rgb, pool = [], [], []
    for x in images:
        y = m.g_a(data.pad16(data.to_batch([x])).to(device))
        h = net.trunk.grid(y)[0]
        fs.append(net.codebook_features(y, h)[0].flatten(1).t().cpu())
        mean = F.avg_pool2d(data.pad16(data.to_batch([x])), 16)[0]
        rgb.append(mean.flatten(1).t())
        pool.append(pooled(h)[0].cpu())
    return torch.cat(fs), torch.cat(rgb), torch.stack(pool)


def logistic(x, t, rounds=300, decay=1e-3):
    """weights of a ridge-regularised logistic regression on x [n, f], t 0/1 [n] -> w [f], b"""
    mean, std = x.mean(0), x.std(0).clamp(min=1e-3)
    z = (x - mean) / std
    w, b = torch.zeros(x.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    opt = torch.optim.LBFGS([w, b], max_iter=rounds, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(z @ w + b, t) + decay * (w * w).sum()
        loss.backward()
        return loss
    opt.step(closure)
    w = (w / std).detach()
    return w, float(b.detach() - (w * mean).sum())


def fit(m, heads, src, device, seed, count=400):
    """sets the codebook and the street logit of heads.label; -> keys of the changed entries, colours, report"""
    net, draw = heads.label, random.Random(seed)
    photos = [x for x, _ in src.images]
    photos = draw.sample(photos, min(count, len(photos)))
    net.centre.zero_()
    net.gain.fill_(1)
    f, rgb, calm = features(m, net, photos, device)
    centre, var = f.mean(0), f.var(0)
    gain, groups = torch.zeros_like(centre), ((0, N_GENERIC), (N_GENERIC, N_GENERIC + 3), (N_GENERIC + 3, N_GENERIC + 4))
    for (i, j), weight in zip(groups, GROUP_WEIGHT):
        gain[i:j] = (weight / var[i:j].sum().clamp(min=1e-6)).sqrt()
    g = torch.Generator().manual_seed(seed)
    x = (f - centre) * gain
    pick = torch.randperm(len(x), generator=g)[:60000]
    c, index, distance = kmeans(x[pick], N_CLUSTER, seed)
    colours = torch.stack([rgb[pick][index == j].mean(0) for j in range(N_CLUSTER)])
    order = colours.mean(1).argsort(descending=True)                 # brightest first: numbers mean something
    c, colours = c[order], colours[order]
    net.centre.copy_(centre.view(1, -1, 1, 1))
    net.gain.copy_(gain.view(1, -1, 1, 1))
    net.centroids.copy_(c)
    net.temperature.fill_(distance)
    salient = [x for x, _ in draw.sample(src.salient, min(200, len(src.salient)))]
    _, _, other = features(m, net, salient, device)
    _, _, street = features(m, net, [x for x, _ in src.street[::2]], device)
    p = torch.cat([street, calm, other])
    t = torch.cat([torch.ones(len(street)), torch.zeros(len(calm) + len(other))])
    w, b = logistic(p, t)
    net.street.weight.data.copy_(w.view(1, -1))
    net.street.bias.data.fill_(b)
    report = {"explained": round(1 - distance / float(x.var(0).sum()), 4), "temperature": round(distance, 4),
              "cells": len(pick), "share": [round(float((index == int(j)).float().mean()), 4) for j in order],
              "streetTrainAccuracy": round(float(((p @ w + b > 0) == (t > 0.5)).float().mean()), 4)}
    keys = ["label." + k for k in ("centre", "gain", "centroids", "temperature", "street.weight", "street.bias")]
    return {"keys": keys, "colours": [[round(float(v), 4) for v in r] for r in colours], "report": report}
