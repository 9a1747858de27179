"""Figures of the heads on CamVid test and ECSSD test (never trained on). Each picture goes through g_a once.

`heads` has label(y) -> maps, presence, clusters, street and saliency(y) -> map (head_networks.Heads, or StageAHeads).
"""
import numpy as np
import torch
import torch.nn.functional as F

import data
from data import CAMVID_CLASSES


class StageAHeads:
    """stage A's own heads under the same interface (no codebook, no street logit)"""

    def __init__(self, m):
        self.m = m

    def label(self, y):
        return (*self.m.label(y), None, None)

    def saliency(self, y):
        return self.m.saliency(y)


def confusion(truth, guess):
    """[11, 11], rows = truth; void excluded"""
    ok = truth < 11
    return torch.bincount(truth[ok].long() * 11 + guess[ok].long(), minlength=121).view(11, 11)


def iou(conf):
    conf = conf.double()
    return conf.diag() / (conf.sum(0) + conf.sum(1) - conf.diag()).clamp(min=1)


def cell_majority(t, cell=16, classes=12):
    """label map [H, W] -> [H, W]: the most frequent of the first 11 labels in each cell of 16 px (ties: the smaller)"""
    h, w = t.shape
    p = F.pad(t[None, None].float(), (0, -w % cell, 0, -h % cell), mode="replicate")[0, 0].long()
    n = F.one_hot(p, classes).view(p.shape[0] // cell, cell, p.shape[1] // cell, cell, classes).sum((1, 3))[..., :11]
    return n.argmax(2).repeat_interleave(cell, 0).repeat_interleave(cell, 1)[:h, :w]


def average_precision(score, truth):
    """area under the precision-recall steps; None when one of the two kinds is missing"""
    if not truth.any() or truth.all():
        return None
    t = truth[score.argsort(descending=True, stable=True)].float()
    return float((t.cumsum(0) / torch.arange(1, len(t) + 1) * t).sum() / t.sum())


def interval(score, truth, rounds=1000, seed=0):
    """95 % bootstrap interval of the average precision over pictures"""
    draw, out = np.random.default_rng(seed), []
    for _ in range(rounds):
        i = torch.from_numpy(draw.integers(0, len(score), len(score)))
        ap = average_precision(score[i], truth[i])
        if ap is not None:
            out.append(ap)
    return [round(float(v), 3) for v in np.percentile(out, (2.5, 97.5))] if out else None


def named(values):
    return dict(zip(CAMVID_CLASSES, [round(float(v), 3) for v in values]))


@torch.no_grad()
def street_figures(m, heads, items):
    """labels and presence on street scenes -> dict, street logits"""
    conf = {k: torch.zeros(11, 11, dtype=torch.long) for k in ("maps", "grid", "oracle")}
    scores, there, street = [], [], []
    for rgb, t in items:
        x = data.pad16(data.to_batch([rgb]))
        maps, presence, _, logit = heads.label(m.g_a(x))
        h, w = t.shape
        full = F.interpolate(maps, x.shape[2:], mode="bilinear", align_corners=False).argmax(1)[0, :h, :w]
        quarter = maps.argmax(1)[0].repeat_interleave(4, 0).repeat_interleave(4, 1)[:h, :w]
        for name, guess in (("maps", full), ("grid", cell_majority(quarter)), ("oracle", cell_majority(t))):
            conf[name] += confusion(t, guess)
        scores.append(presence[0])
        there.append(F.one_hot(t.flatten().long(), 12).sum(0)[:11] > 100)
        street.append(None if logit is None else float(logit))
    scores, there = torch.stack(scores), torch.stack(there)
    out = {name: {"mIoU": round(float(iou(c).mean()), 4), "iou": named(iou(c))} for name, c in conf.items()}
    out["presence"] = {c: None if (ap := average_precision(scores[:, i], there[:, i])) is None else
                       {"ap": round(ap, 3), "interval95": interval(scores[:, i], there[:, i]),
                        "prevalence": round(float(there[:, i].float().mean()), 3)} for i, c in enumerate(CAMVID_CLASSES)}
    return out, street


def centre_prior(h, w):
    i, j = torch.linspace(-1, 1, h).view(-1, 1), torch.linspace(-1, 1, w)
    return torch.exp(-2 * (i * i + j * j))


class MaxF:
    """maximum over one threshold of F (beta^2 = 0.3) from precision and recall averaged over the pictures; mean |error|"""

    def __init__(self):
        self.precision, self.recall, self.error, self.n = torch.zeros(101), torch.zeros(101), 0.0, 0

    def add(self, s, truth):
        self.error += float((s - truth.float()).abs().mean())
        s = (s - s.min()) / (s.max() - s.min()).clamp(min=1e-6)
        bins = (s * 100).floor().clamp(0, 100).long().flatten()
        pos = torch.bincount(bins[truth.flatten()], minlength=101).flip(0).cumsum(0).flip(0).float()
        every = torch.bincount(bins, minlength=101).flip(0).cumsum(0).flip(0).float()
        self.precision += pos / every.clamp(min=1)
        self.recall += pos / truth.sum().clamp(min=1)
        self.n += 1

    def best(self):
        p, r = self.precision / self.n, self.recall / self.n
        return round(float((1.3 * p * r / (0.3 * p + r).clamp(min=1e-9)).max()), 4)


@torch.no_grad()
def saliency_figures(m, heads, items):
    """-> dict, street logits of these pictures"""
    head, prior, street = MaxF(), MaxF(), []
    for rgb, t in items:
        x = data.pad16(data.to_batch([rgb]))
        y = m.g_a(x)
        s = torch.sigmoid(F.interpolate(heads.saliency(y), x.shape[2:], mode="bilinear", align_corners=False))
        head.add(s[0, 0, :t.shape[0], :t.shape[1]], t > 127)
        prior.add(centre_prior(*t.shape), t > 127)
        logit = heads.label(y)[3]
        street.append(None if logit is None else float(logit))
    return {"maxF": head.best(), "mae": round(head.error / head.n, 4), "centrePriorMaxF": prior.best(),
            "centrePriorMae": round(prior.error / prior.n, 4)}, street


@torch.no_grad()
def street_accuracy(m, heads, street, other, images):
    """share of pictures on the right side: CamVid test = street; ECSSD test and Kodak = not"""
    other = other + [float(heads.label(m.g_a(data.pad16(data.to_batch([x]))))[3]) for x in images]
    return {"street": round(sum(v > 0 for v in street) / len(street), 4), "other": round(sum(v <= 0 for v in other) / len(other), 4),
            "pictures": [len(street), len(other)]}
