"""Classes, symbols for each embedding, and what the class map costs.

Every embedding carries a class 0..15: its activity  a = sum_i 1/2 log2(1 + (y_i/theta0)^2)  on a logarithmic scale.
Tables of each class (variance of each channel) are part of the model set, so both ends derive the number of symbols
k from the class map: rate of class c at distortion level theta  R_c = sum_i 1/2 log2(1 + var_ci/theta^2)  (reverse
water-filling, softened), k = round(scale * R_c) to K_SET, scale found by bisection so that the budget is met.
"""
import math

import numpy as np
import torch

N_CLASS = 16
K_MAX = 192
K_SET = (0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192)
THETA0 = 0.02
_EDGES = torch.tensor([(a + b) / 2 for a, b in zip(K_SET, K_SET[1:])])
_KS = torch.tensor(K_SET, dtype=torch.float32)


def activity(y):
    """y [N, C, h, w] in the KLT's units (images 0..1) -> [N, h, w], bit-like, > 0"""
    return 0.5 * torch.log2(1 + (y / THETA0) ** 2).sum(1) + 1


def classes(a, low, high):
    """activity -> int64 class: 16 equal steps of log a between low and high"""
    t = (a.log() - math.log(low)) / (math.log(high) - math.log(low)) * N_CLASS
    return t.floor().clamp(0, N_CLASS - 1).long()


def class_rate(var, theta):
    """var [16, C], theta [n] -> R [n, 16], forced to grow with the class"""
    r = 0.5 * torch.log2(1 + var[None] / (theta * theta).view(-1, 1, 1)).sum(2)
    return torch.cummax(r, 1)[0]


def quantise_k(k):
    return _KS[torch.bucketize(k, _EDGES)]


def allocate(cls, var, theta, budget, weight=None, exact=False):
    """cls [N,h,w], theta [N], budget [N] = mean symbols an embedding -> k float [N,1,h,w] from K_SET.

    weight [N,h,w]: optional importance factor. exact: never above the budget, and what rounding leaves over goes to
    the first embeddings in scan order that a slightly larger scale would raise (both ends can repeat this).
    """
    n = cls.shape[0]
    rate = torch.gather(class_rate(var, theta), 1, cls.reshape(n, -1))
    if weight is not None:
        rate = rate * weight.reshape(n, -1)
    lo, hi = torch.zeros(n, 1), 400.0 * budget.view(-1, 1) / rate.mean(1, keepdim=True)
    for _ in range(24 if exact else 12):
        mid = (lo + hi) / 2 if exact else torch.sqrt((lo + 1e-3) * hi)
        over = quantise_k(rate * mid).mean(1, keepdim=True) > budget.view(-1, 1)
        lo, hi = torch.where(over, lo, mid), torch.where(over, mid, hi)
    k = quantise_k(rate * lo)
    if exact:
        up = quantise_k(rate * hi) - k
        left = budget.view(-1, 1) * k.shape[1] - k.sum(1, keepdim=True)
        k = torch.where(up.cumsum(1) <= left, k + up, k)
    return k.view(n, 1, *cls.shape[1:])


def theta_for(var, cls, budget, snr_db):
    """theta [N] at which the classes' rates spend the whole capacity budget * log2(1+snr) of the image"""
    bits = budget * torch.log2(1 + torch.pow(10.0, snr_db / 10))
    grid = torch.logspace(-3.5, 0, 36)
    r = class_rate(var, grid)                                                  # [36, 16]
    hist = torch.nn.functional.one_hot(cls.flatten(1), N_CLASS).float().mean(1)  # [N, 16]
    return grid[(hist @ r.t() - bits.view(-1, 1)).abs().argmin(1)]


def prefix_mask(k):
    """k [N,1,h,w] -> float mask [N, K_MAX, h, w] of the symbols that are sent"""
    return (torch.arange(K_MAX).view(1, -1, 1, 1) < k).float()


def class_map_bits(cls):
    """Ideal adaptive code length of one class map [h, w] in bits: context = mean of west, north, north-east, north-west
    in half steps; counts start from a Laplace shape around the context (an estimate of the integer coder's cost)."""
    c = np.asarray(cls)
    h, w = c.shape
    ctx0 = np.arange(N_CLASS)
    counts = [6.0 * (s := np.exp(-np.abs(ctx0 - t / 2) / 0.8)) / s.sum() for t in range(2 * N_CLASS)]
    bits = 0.0
    for i in range(h):
        for j in range(w):
            near = ([2 * c[i, j - 1]] if j else []) + ([2 * c[i - 1, j]] if i else [])
            near += ([c[i - 1, j + 1]] if i and j + 1 < w else []) + ([c[i - 1, j - 1]] if i and j else [])
            wt = (2 if j else 0) + (2 if i else 0) + (1 if i and j + 1 < w else 0) + (1 if i and j else 0)
            t = int(round(2 * sum(near) / wt)) if wt else 16
            p = counts[t]
            bits -= math.log2(p[c[i, j]] / p.sum())
            p[c[i, j]] += 1
    return bits


def smooth_classes(a_log, low, high, strength, coarse=False, rounds=3):
    """Cheaper class map: each embedding takes the class that minimises (distance from its own activity in class steps)^2
    + strength * mean |difference to its four neighbours|, in steps. a_log [h, w] = log activity. coarse: even classes
    only, half the bits. Returns int64 [h, w]."""
    n = N_CLASS // 2 if coarse else N_CLASS
    t = (a_log - math.log(low)) / (math.log(high) - math.log(low)) * n - 0.5
    c = t.round().clamp(0, n - 1)
    cand = torch.arange(n).float().view(-1, 1, 1)
    own = (cand - t.clamp(-0.5, n - 0.5)) ** 2
    h, w = c.shape
    parity = (torch.arange(h).view(-1, 1) + torch.arange(w)) % 2
    for r in range(2 * rounds):
        p = torch.nn.functional.pad(c[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
        near = torch.stack([p[:-2, 1:-1], p[2:, 1:-1], p[1:-1, :-2], p[1:-1, 2:]])
        cost = own + strength * (cand[None] - near[:, None]).abs().mean(0)
        c = torch.where(parity == r % 2, cost.argmin(0).float(), c)
    return c.long() * (2 if coarse else 1)
