"""Damaged feature maps to train and judge restoration on: label maps of the grid, patterns of damage, a pool of records.

A record is one crop of 256x256 pixels: the clean y, y_hat and quality as a link without loss leaves them, the same with a
share of the symbols of some cells erased, label map, class map and an earlier picture's features.
"""
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from scipy.cluster.vq import kmeans2, vq

import channel
import data
import rate
import store
from head_networks import Heads
from stage_a import rate_var, sent_classes

SIDE = 256
STREET = 11                       # labels 0..10 are street classes, 11..42 clusters
STAND_IN = 24                     # channels that the stand-in codebook looks at


class Labeller:
    """label map of the grid, int32 [N,h,w], as both ends hold it: street classes from the label head, or clusters. `heads` is
    the set's fused head_networks.Heads, or None: stage A's label head and a stand-in codebook (`fit`)."""

    def __init__(self, m, heads=None, codebook=None):
        self.m, self.heads, self.codebook = m, heads, codebook

    def fit(self, images, seed=5):
        """stand-in codebook: 32 means of the first whitened channels"""
        with torch.no_grad():
            y = torch.cat([self.features(self.m.g_a(data.photo_batch(images, 4, 128))) for _ in range(24)])
        self.codebook, _ = kmeans2(y.numpy(), 32, iter=20, minit="++", seed=seed)
        return self

    def features(self, y):
        lam = self.m.g_a.std.square()[:, :STAND_IN]
        return (y[:, :STAND_IN] * lam.pow(-0.25)).permute(0, 2, 3, 1).reshape(-1, STAND_IN)

    def stand_in(self, y):
        k = torch.from_numpy(vq(self.features(y).numpy(), self.codebook)[0]).view(y.shape[0], *y.shape[2:])
        return (k + STREET).int()

    @torch.no_grad()
    def clusters(self, y):
        return self.stand_in(y) if self.heads is None else (self.heads.label(y)[2].argmax(1) + STREET).int()

    @torch.no_grad()
    def street(self, y):
        maps = (self.m if self.heads is None else self.heads).label(y)[0]
        votes = F.one_hot(maps.argmax(1), STREET).permute(0, 3, 1, 2).float()
        return F.avg_pool2d(votes, 4).argmax(1).int()


def labeller(m, root, out, images, path=None):
    """from `path` or OUT/heads.pt once it holds a codebook, else a stand-in -> Labeller, what it was made of: {"heads": weights
    or None, "standIn": centroids or None}"""
    path = path or os.path.join(out, "heads.pt")
    if os.path.exists(path) and "clusterColours" in torch.load(path, map_location="cpu"):
        state = store.load_state(path)
        return Labeller(m, heads_of(m, root, state)), {"heads": state, "standIn": None}
    own = Labeller(m).fit(images)
    return own, {"heads": None, "standIn": own.codebook}


def heads_of(m, root, state):
    heads = Heads(m.cfg, torch.load(os.path.join(root, "weights/klt.pt"), map_location="cpu"))
    heads.load_state_dict(state)
    return heads.fused()


def majority(mask):
    """pixel labels int64 [N,H,W], void = 11 -> int32 [N,h,w]: the commonest label of each cell, void where nothing else"""
    share = F.avg_pool2d(F.one_hot(mask, 12).permute(0, 3, 1, 2).float(), 16)
    share[:, data.VOID] *= 1e-3
    return share.argmax(1).int()


def mode_filter(labels, rounds=1):
    """each cell takes the commonest label of its 3x3 neighbourhood (own label wins ties)"""
    for _ in range(rounds):
        one = F.one_hot(labels.long(), 43).permute(0, 3, 1, 2).float()
        votes = F.avg_pool2d(F.pad(one, (1, 1, 1, 1), mode="replicate"), 3, 1)
        labels = (votes + 0.01 * one).argmax(1).int()
    return labels


def region(labels, i, j):
    """bool [h,w]: the connected region of one label around cell (i, j)"""
    parts, _ = ndimage.label(labels == labels[i, j])
    return parts == parts[i, j]


def pattern(labels, draw):
    """bool [h,w], which cells are hit; labels numpy [h,w]"""
    h, w = labels.shape
    kind = draw.choices(("cells", "region", "blob", "stripes", "run"), (0.32, 0.34, 0.14, 0.1, 0.1))[0]
    rng = np.random.default_rng(draw.getrandbits(32))
    if kind == "cells":
        hit = rng.random((h, w)) < draw.uniform(0.03, 0.4)
    elif kind == "region":
        hit = np.zeros((h, w), bool)
        for _ in range(draw.choice((1, 1, 2, 3))):
            one = region(labels, draw.randrange(h), draw.randrange(w))
            if hit.mean() + one.mean() <= 0.55:
                hit |= one
        if not hit.any():                              # one region fills the picture: a rectangle of it
            i, j = draw.randrange(h), draw.randrange(w)
            hit[i:i + draw.randint(2, h // 2 + 2), j:j + draw.randint(2, w // 2 + 2)] = True
    elif kind == "blob":
        noise = ndimage.gaussian_filter(rng.normal(size=(h, w)), draw.uniform(0.7, 2.5), mode="wrap")
        hit = noise > np.quantile(noise, 1 - draw.uniform(0.05, 0.4))
    elif kind == "stripes":                            # a resource block serves every n-th cell in scan order
        n = draw.randint(3, 25)
        hit = ((np.arange(h * w) // draw.randint(1, 3) + draw.randrange(n)) % n == 0).reshape(h, w)
    else:                                              # a packet: neighbours in scan order
        hit = np.zeros(h * w, bool)
        n = draw.randint(3, max(4, h * w // 3))
        start = draw.randrange(h * w - n + 1)
        hit[start:start + n] = True
        hit = hit.reshape(h, w)
    if not hit.any():
        hit[draw.randrange(h), draw.randrange(w)] = True
    return hit


@torch.no_grad()
def link(m, y, rng, snr_db=(1, 20), budget=(10, 96)):
    """y through f_e, a drawn channel and f_d -> (y_hat, quality), (the same with erased symbols), share erased, classes"""
    n, _, h, w = y.shape
    cls = sent_classes(m.classify(y))
    snr = [channel.uniform(*snr_db) for _ in range(n)]
    t, b = torch.tensor(snr), torch.tensor([channel.log_uniform(*budget) for _ in range(n)])
    k = rate.allocate(cls, m.var, rate.theta_for(m.var, cls, b, t), b)
    mask = rate.prefix_mask(k)
    s = channel.draw_snr(n, rate.K_MAX, h, w, snr, rng, p_erase=0.0)
    z = m.f_e(y, cls, k, t.view(-1, 1, 1, 1).expand_as(k).clamp(-8, 25)) * mask.repeat_interleave(2, 1)
    scale = torch.sqrt(z.pow(2).sum((1, 2, 3), keepdim=True) / mask.sum((1, 2, 3), keepdim=True).clamp(min=1) + 1e-9)
    share = torch.rand(n, 1, h, w) * (torch.rand(n, 1, h, w) < 0.3) * (k > 0)
    kept = (torch.rand(n, rate.K_MAX, h, w) >= share).float()
    share = 1 - (kept * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    share = torch.where(k > 0, share, torch.zeros_like(share))
    out = []
    for alive in (torch.ones_like(kept), kept):
        r, known = channel.transmit(z / scale, mask, s * alive, torch.zeros(n, 1, h, w))
        out.append(m.f_d(r, scale, cls, k, known, m.var))
    return out[0], out[1], share, cls


@torch.no_grad()
def rounded(m, y, factor):
    """y through the quantiser with the given step factors [N,1,1,1] -> y_hat, quality, classes"""
    cls = m.classify(y)
    step = m.entropy.step(factor)
    q = torch.log10(torch.minimum(rate_var(m, cls), step ** 2 / 12).sum(1, keepdim=True) + 1e-4)
    return (y / step).round() * step, q, cls


class Pool:
    """records drawn at random, the oldest replaced while training goes on"""

    def __init__(self, m, labeller, images, street, seed, capacity=700, street_share=0.4):
        self.m, self.labeller = m, labeller
        self.images = [i for i in images if min(i.shape[1:]) >= SIDE]
        self.street, self.capacity, self.street_share = street, capacity, street_share
        self.draw, self.rng = random.Random(seed), np.random.default_rng(seed)
        self.records, self.next = [], 0

    @torch.no_grad()
    def add(self, n=2):
        """n crops of one kind become records"""
        m = self.m
        if self.draw.random() < self.street_share:
            x, mask = data.mask_batch(self.street, n, SIDE, SIDE, 0.75, 1.3, data.VOID)
            y, truth = m.g_a(x), majority(mask)
            labels = self.labeller.street(y)
            if self.draw.random() < 0.5:
                labels = torch.where(truth == data.VOID, labels, truth)
        else:
            x = data.photo_batch(self.images, n, SIDE)
            y = m.g_a(x)
            labels = self.labeller.clusters(y)
        labels = mode_filter(labels, self.draw.randrange(3))
        ref = None
        if self.draw.random() < 0.4:                       # an earlier picture: moved, a little brighter or darker
            dx, dy = self.draw.randint(-10, 10), self.draw.randint(-6, 6)
            old = torch.roll(x, (dy, dx), (2, 3)) * self.draw.uniform(0.96, 1.04) + 0.01 * torch.randn_like(x)
            ref = m.g_a(old.clamp(0, 1).contiguous(memory_format=torch.channels_last)).half()
        if self.draw.random() < 0.65:
            (y_hat, q), (part, part_q), share, cls = link(m, y, self.rng)
        else:
            y_hat, q, cls = rounded(m, y, torch.tensor([0.03 * 2 ** self.draw.uniform(0, 4.3) for _ in range(n)]).view(-1, 1, 1, 1))
            part, part_q, share = y_hat, q, torch.zeros_like(q)
        for i in range(n):
            r = dict(x=(x[i] * 255).round().byte(), y=y[i].half(), y_hat=y_hat[i].half(), q=q[i], part=part[i].half(),
                     part_q=part_q[i], share=share[i], cls=cls[i].int(), labels=labels[i], ref=None if ref is None else ref[i])
            if len(self.records) < self.capacity:
                self.records.append(r)
            else:
                self.records[self.next % self.capacity] = r
                self.next += 1

    def hit(self, r):
        """damage 0..1 [1,h,w] of a record: cells lost, or cells whose symbols went in part, or both"""
        mask = torch.from_numpy(pattern(r["labels"].numpy(), self.draw))[None].float()
        mode = self.draw.random()
        if mode < 0.25 and bool((r["share"] > 0).any()):
            some = r["share"] * (1 if mode < 0.12 else (torch.rand_like(mask) < 0.5).float())
            return some if mode < 0.12 else torch.maximum(mask, some)
        return mask

    def batch(self, n):
        """dict of float32 tensors and int32 maps, n records"""
        rows = self.draw.choices(self.records, k=n)
        out = {k: torch.stack([r[k] for r in rows]).float() for k in ("y", "y_hat", "q", "part", "part_q")}
        out |= {k: torch.stack([r[k] for r in rows]) for k in ("cls", "labels")}
        out["x"] = torch.stack([r["x"] for r in rows]).float() / 255
        out["damage"] = torch.stack([self.hit(r) for r in rows])
        zero = torch.zeros_like(out["y"][0])
        use = [r["ref"] is not None and self.draw.random() < 0.75 for r in rows]
        out["ref"] = torch.stack([r["ref"].float() if u else zero for r, u in zip(rows, use)])
        out["has_ref"] = torch.tensor(use).float().view(-1, 1, 1, 1).expand_as(out["q"]).contiguous()
        some = (out["damage"] > 0) & (out["damage"] < 0.999)
        out["received"] = torch.where(some, out.pop("part"), out["y_hat"])
        out["quality"] = torch.where(some, out.pop("part_q"), out["q"])
        return out
