"""Figures and picture sheets of the corrector and the generator.

  python3 evaluate_restoration.py --config configs/base.json --data DIR [--every N] [--camvid-every N] [--sheets DIR]
        [--corrector FILE] [--generator FILE] [--weights FILE]

Corrector: PSNR of 8-bit pictures over the pixels of lost cells (Kodak, CamVid test; the map quantised at step level 6). Two
damages a picture: whole SFVs (connected regions of the label map that both ends hold, until 10 % of the cells are gone, at
most 40 %), and 20 % of the cells at random. Baselines: training-mean embedding of the entropy class, and of the label;
Laplace's equation in every channel; Laplace's equation in the decoded picture. Baselines in features get the better of two
quality planes (the class's total variance; 1), the one in pixels is not told of the loss. Mean +- half the 95 % interval.

Generator: one region of the label map without its embeddings. Energy: mean squared difference of neighbouring luma pixels
inside regenerated cells over the source's (limit 0.5 to 2). Border: root mean square difference across the borders of
regenerated cells over that inside them (limit 1.2). Edge: the same across the region's edge, where the objects themselves
have an edge: shown beside the source's own. Medians over pictures, and the share of pictures within the limits.
"""
import argparse
import json
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from scipy.sparse.linalg import splu

import damage
import data
import loop
import restoration
import sheets
from generator import GOOD, gradients, grey

LEVEL = 6


def laplace(v, free):
    """v [c,H,W] float, free bool [H,W] -> copy whose free points solve Laplace's equation (picture edge: no flux)"""
    h, w = free.shape
    index = -np.ones((h, w), int)
    index[free] = np.arange(free.sum())
    rows, cols, vals, diag = [], [], [], np.zeros(free.sum())
    rhs = np.zeros((free.sum(), v.shape[0]))
    for di, dj in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        i, j = np.nonzero(free)
        a, b = i + di, j + dj
        ok = (a >= 0) & (a < h) & (b >= 0) & (b < w)
        i, j, a, b = i[ok], j[ok], a[ok], b[ok]
        own, other = index[i, j], index[a, b]
        diag += np.bincount(own, minlength=len(diag))
        inside = other >= 0
        rows.append(own[inside])
        cols.append(other[inside])
        vals.append(-np.ones(inside.sum()))
        edge = ~inside
        np.add.at(rhs, own[edge], v[:, a[edge], b[edge]].T)
    rows.append(np.arange(len(diag)))
    cols.append(np.arange(len(diag)))
    vals.append(diag + 1e-9)
    out = v.copy()
    solver = splu(sparse.csc_matrix((np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols)))))
    out[:, free] = solver.solve(rhs).T
    return out


def up16(mask):
    return mask.repeat_interleave(16, -2).repeat_interleave(16, -1)


def region_psnr(out, x, mask):
    """PSNR over the pixels of the damaged cells, 8-bit; out, x [1,3,H,W] 0..1, mask bool [h,w] of cells"""
    h, w = x.shape[2:]
    d = ((out[..., :h, :w].clamp(0, 1) * 255).round() - (x * 255).round()) / 255
    return float(-10 * torch.log10(d[..., up16(mask)[:h, :w]].pow(2).mean().clamp(min=1e-10)))


def whole_regions(labels, draw, low=0.1, high=0.4, count=99):
    """bool [h,w]: connected regions of the label map, drawn until `low` of the cells are gone"""
    hit, sizes = np.zeros(labels.shape, bool), labels.size
    cells = [(i, j) for i in range(labels.shape[0]) for j in range(labels.shape[1])]
    draw.shuffle(cells)
    for i, j in cells:
        one = damage.region(labels, i, j)
        if not hit[i, j] and one.sum() >= 4 and hit.sum() + one.sum() <= high * sizes:
            hit |= one
            count -= 1
        if hit.mean() >= low or count == 0:
            break
    return hit if hit.any() else None


def training_means(pool, c):
    """mean embedding of each class [16,c] and of each label [43,c] over the pool"""
    out = []
    for key, n in (("cls", 16), ("labels", 43)):
        total, count = torch.zeros(n, c), torch.zeros(n, 1)
        for r in pool.records:
            f = r[key].flatten().long()
            total.index_add_(0, f, r["y"].float().flatten(1).t())
            count.index_add_(0, f, torch.ones(len(f), 1))
        out.append((total + total.sum(0) / count.sum()) / (count + 1))
    return out


class Judge:
    def __init__(self, m, labeller, pool):
        self.m, self.labeller = m, labeller
        self.class_mean, self.label_mean = training_means(pool, m.cfg["channels"])
        self.total = torch.log10(m.var.sum(1, keepdim=True) + 1e-4)

    def received(self, img, street):
        x = data.to_batch([img])
        y = self.m.g_a(data.pad16(x))
        labels = damage.mode_filter(self.labeller.street(y) if street else self.labeller.clusters(y), 2)
        y_hat, q, cls = damage.rounded(self.m, y, torch.full((1, 1, 1, 1), 0.03 * 2 ** (LEVEL / 3)))
        return x, y_hat, q, cls, labels

    def pictures(self, net, got, hit):
        """{method: picture} for lost cells hit bool [h,w]"""
        x, y_hat, q, cls, labels = got
        mask = torch.from_numpy(hit)[None, None]
        lost_q = torch.where(mask, F.embedding(cls, self.total).permute(0, 3, 1, 2), q)
        smooth = torch.from_numpy(laplace(y_hat[0].numpy(), hit)).float()[None]
        fill = {"classMean": F.embedding(cls, self.class_mean).permute(0, 3, 1, 2),
                "labelMean": F.embedding(labels.long(), self.label_mean).permute(0, 3, 1, 2), "laplaceFeatures": smooth}
        one = torch.where(mask, torch.ones_like(q), q)
        tried = {k: [self.m.g_s(torch.where(mask, v, y_hat), t) for t in (lost_q, one)] for k, v in fill.items()}
        out = {k: max(v, key=lambda p: region_psnr(p, x, mask[0, 0])) for k, v in tried.items()}
        whole = self.m.g_s(torch.where(mask, smooth, y_hat), q).clamp(0, 1)[0].numpy()
        out["laplacePixels"] = torch.from_numpy(laplace(whole, up16(mask[0, 0]).numpy())).float()[None]
        zero = torch.zeros_like(y_hat)
        y, q2 = net(torch.where(mask, zero, y_hat), q, mask.float(), torch.ones_like(q), cls.int(), labels, zero, torch.zeros_like(q))
        out["corrector"] = self.m.g_s(y, q2)
        return out


def interval(v):
    v = np.asarray(v)
    return [round(float(v.mean()), 3), round(float(1.96 * v.std(ddof=1) / len(v) ** 0.5), 3) if len(v) > 1 else None]


def corrector_rows(judge, net, images, street, folder, name):
    rows = {"wholeSfv": [], "cells20": []}
    for n, img in enumerate(images):
        draw = random.Random(n)
        got = judge.received(img, street)
        labels = got[4][0].numpy()
        rng = np.random.default_rng(n)
        for kind, hit in (("wholeSfv", whole_regions(labels, draw)), ("cells20", rng.random(labels.shape) < 0.2)):
            if hit is None:
                continue
            out = judge.pictures(net, got, hit)
            psnr = {k: region_psnr(v, got[0], torch.from_numpy(hit)) for k, v in out.items()}
            rows[kind].append(psnr)
            if folder and n % max(1, len(images) // 6) == 0:
                best = max((k for k in psnr if k != "corrector"), key=psnr.get)
                damaged = torch.where(up16(torch.from_numpy(hit)), torch.tensor(0.5), out["corrector"])
                sheets.row(folder, f"corrector-{name}-{kind}", n, got[0], hit, [
                    ("source", got[0]), ("damaged", damaged), (f"{best} {psnr[best]:.1f} dB", out[best]),
                    (f"corrector {psnr['corrector']:.1f} dB", out["corrector"])])
    for kind, r in rows.items():
        base = [k for k in r[0] if k != "corrector"]
        best = max(base, key=lambda k: np.mean([v[k] for v in r]))
        print(json.dumps({"set": name, "damage": kind, "pictures": len(r), **{k: interval([v[k] for v in r]) for k in r[0]},
                          "bestBaseline": best, "gainOverIt": interval([v["corrector"] - v[best] for v in r]),
                          "gainOverBestOfEachPicture": interval([v["corrector"] - max(v[k] for k in base) for v in r])}), flush=True)


def edge_of_region(x, cells):
    """root mean square luma difference across the region's edge over that between the pixels inside; None without an edge"""
    v, mask = 255 * grey(x)[0, 0], up16(cells)
    inside, edge = [], []
    for a, b, p, q in ((v[1:], v[:-1], mask[1:], mask[:-1]), (v[:, 1:], v[:, :-1], mask[:, 1:], mask[:, :-1])):
        inside.append((a - b)[p & q] ** 2)
        edge.append((a - b)[p ^ q] ** 2)
    edge = torch.cat(edge)
    return float((edge.mean() / torch.cat(inside).mean().clamp(min=1e-3)) ** 0.5) if len(edge) else float("nan")


def texture(x, cells):
    """x [1,3,H,W], cells bool [h,w] -> gradient energy inside regenerated cells, border ratio, edge ratio"""
    inside, border = gradients(grey(x), cells[None, None].float())
    return float(inside), float((border / inside) ** 0.5), edge_of_region(x, cells)


def generated(judge, net, got, hit, seed):
    """(flat class colour, generated) pictures"""
    x, y_hat, q, cls, labels = got
    mask = torch.from_numpy(hit)[None, None]
    good = torch.where(mask, torch.full_like(q, GOOD), q)
    noise = torch.randn(1, restoration.N_NOISE, *hit.shape, generator=torch.Generator().manual_seed(seed))
    y = net(torch.where(mask, torch.zeros_like(y_hat), y_hat), mask.float(), labels, noise)
    flat = torch.where(mask, F.embedding(labels.long(), judge.label_mean).permute(0, 3, 1, 2), y_hat)
    flat[:, 3:] = torch.where(mask, torch.zeros(()), flat[:, 3:])
    return judge.m.g_s(flat, good), judge.m.g_s(y, good)


def generator_rows(judge, net, images, street, folder, name):
    rows = []
    for n, img in enumerate(images):
        got = judge.received(img, street)
        hit = whole_regions(got[4][0].numpy(), random.Random(n + 100), 0.04, 0.4, 1)
        if hit is None:
            continue
        flat, out = generated(judge, net, got, hit, n)
        x, cells = data.pad16(got[0]), torch.from_numpy(hit)
        source, new, colour = (texture(v.clamp(0, 1), cells) for v in (x, out, flat))
        rows.append((new[0] / source[0], new[1], new[2], source[1], source[2], colour[0] / source[0]))
        if folder and n % max(1, len(images) // 8) == 0:
            sheets.row(folder, f"generator-{name}", n, got[0], hit, [("source", got[0]), ("flat class colour", flat),
                       (f"generated: energy {rows[-1][0]:.2f}, border {rows[-1][1]:.2f}", out)])
    energy, border, edge, border0, edge0, flat0 = np.array(rows).T

    def median(v):
        return round(float(np.nanmedian(v)), 3)

    print(json.dumps({"set": name, "pictures": len(rows), "energyRatio": {
        "median": median(energy), "geometricMean": round(float(np.exp(np.log(energy).mean())), 3),
        "tenthAndNinetieth": [round(float(v), 3) for v in np.quantile(energy, (0.1, 0.9))],
        "shareWithin0.5to2": round(float(((energy >= 0.5) & (energy <= 2)).mean()), 3)},
        "borderRatio": {"median": median(border), "shareAtMost1.2": round(float((border <= 1.2).mean()), 3), "source": median(border0)},
        "edgeRatio": {"median": median(edge), "source": median(edge0)}, "flatColourEnergyRatio": round(float(np.median(flat0)), 4)}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "data"):
        p.add_argument("--" + name, required=True)
    for name in ("weights", "corrector", "generator", "heads", "sheets"):
        p.add_argument("--" + name)
    p.add_argument("--out", default=os.path.join(loop.HERE, "checkpoints"))
    p.add_argument("--every", type=int, default=1, help="every N-th Kodak image")
    p.add_argument("--camvid-every", type=int, default=4)
    a = p.parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    out = os.path.join(a.out, cfg["name"])
    m, _ = loop.frozen(cfg, a.data, out, a.weights)
    random.seed(3)
    torch.manual_seed(3)
    images = data.photos(a.data, damage.SIDE)
    random.shuffle(images)
    labeller, made_of = damage.labeller(m, a.data, out, images, a.heads)
    codebook = "heads" if made_of["heads"] else "stand-in"
    pool = damage.Pool(m, labeller, images, data.pairs(a.data, "camvid/train"), 3)
    while len(pool.records) < 160:
        pool.add(4)
    judge = Judge(m, labeller, pool)
    sets = [("kodak", data.kodak(a.data)[::a.every], False),
            ("camvid", [x for x, _ in data.pairs(a.data, "camvid/test")[::a.camvid_every]], True)]
    for role, rows in (("corrector", corrector_rows), ("generator", generator_rows)):
        path = getattr(a, role) or os.path.join(out, role + ".pt")
        if not os.path.exists(path):
            continue
        net, facts = restoration.load(path, role)
        print(json.dumps({"network": role, "steps": facts["steps"], "seconds": round(facts["seconds"]), "codebook": codebook}), flush=True)
        with torch.no_grad():
            for name, photos, street in sets:
                rows(judge, net, photos, street, a.sheets, name)


if __name__ == "__main__":
    main()
