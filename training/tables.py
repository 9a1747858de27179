"""Counts tables.json of a model set: everything integer that both ends share (docs/models.md).

  python3 tables.py --config configs/base.json --data DIR -o OUT/tables.json [--weights FILE]

Pictures: photographs, CamVid train and ECSSD train, a fixed sample of each (never a test picture). Class maps are those that
encoders send: mostly coarse, smoothed. One picture in ten is held out of the counts and tells what sharing shapes costs.
"""
import argparse
import json
import os

import numpy as np
import torch

import data
import evaluate
import rate
import table_shapes as shapes

SCHEMA = "sct-model-tables/2"
LEVELS, THETA_LEVELS, TABLES = 24, 36, 64
REACH = 16.5                       # largest |y| that is counted; the escape takes what lies beyond
MAPS = ((True, 4.0), (True, 6.0), (False, 2.0))     # coarse?, smoothing: taken in turn by the pictures
CONTEXT_SMOOTHING = (4.0, 4.0, 6.0, 8.0)
CONTEXT_TOTAL = 4096               # sum of the start counts of a context
ROUNDING = 0.44                    # the encoder weighs bits against error: symbols are a little nearer to 0 than y / step
NEAR = 2                           # a context holds west, north and the step north-east of north, kept to -NEAR..NEAR
PREDICTED = 3                      # channels whose symbols are coded as differences from near embeddings
CANDIDATES = 24                    # of the first so many
SEGMENTS = (1, 1, 2, 1, 3)         # segments of a packet that the near embeddings are taken from, in turn
REACH_CELLS = 20                   # largest squared distance of a near embedding
ROW_STEP, COLUMN_STEP = 49472, 37345
SAMPLE = (("train/photos/*.jpg", 3), ("camvid/train/*.jpg", 3), ("saliency/train/*.jpg", 4))   # every n-th


def step_factor(level):
    return 0.03 * 2 ** (level / 3)


def pictures(root, limit=None):
    """file names of the sample, the three kinds interleaved"""
    lists = [data.files(root, pattern)[::n] for pattern, n in SAMPLE]
    rows = sorted((i / len(names), k, p) for k, names in enumerate(lists) for i, p in enumerate(names))
    return [p for _, _, p in rows][:limit]


def contexts(c, n):
    """context of each cell of class map c [h, w] with n classes, -1 outside: ((W + 1)(n + 1) + N + 1)(2 NEAR + 1) + step"""
    h, w = c.shape
    p = np.full((h + 1, w + 2), -1)
    p[1:, 1:-1] = c
    west, north, east = p[1:, :-2], p[:-1, 1:-1], p[:-1, 2:]
    step = np.clip(np.where(east >= 0, east, north) - north, -NEAR, NEAR) + NEAR
    return ((west + 1) * (n + 1) + north + 1) * (2 * NEAR + 1) + step


def context_counts(maps, n):
    """start counts [contexts, n], integers >= 1 that sum to CONTEXT_TOTAL: counted, sparse contexts pulled towards those
    with the same weighted mean of west and north"""
    size = (n + 1) ** 2 * (2 * NEAR + 1)
    counts = np.zeros((size, n))
    for c in maps:
        np.add.at(counts, (contexts(c, n).ravel(), c.ravel()), 1)
    west, north = np.divmod(np.arange(size) // (2 * NEAR + 1), n + 1)
    step = np.arange(size) % (2 * NEAR + 1) - NEAR
    west, north = np.where(west == 0, north, west), np.where(north == 0, west, north)
    group = np.clip(4 * west + 4 * north + np.where(north > 0, step, 0), 0, 8 * n + 7)
    wide = np.zeros((8 * n + 8, n))
    np.add.at(wide, group, counts)
    classes = np.arange(n)
    centre = (np.arange(8 * n + 8)[:, None] / 8 - 1).clip(0, n - 1)
    prior = np.exp(-np.abs(classes[None] - centre) / 0.7) + 0.01
    wide = (wide + prior / prior.sum(1, keepdims=True)) / (wide.sum(1, keepdims=True) + 1)
    p = (counts + 4 * wide[group]) / (counts.sum(1, keepdims=True) + 4)
    room = CONTEXT_TOTAL - n
    out = 1 + np.floor(p * room).astype(np.int64)
    out[np.arange(size), p.argmax(1)] += CONTEXT_TOTAL - out.sum(1)
    return out


def near_cells(h, w, segments):
    """first and second [h w]: index of the nearest two earlier cells of the same segment, -1 for none, as both ends of a packet
    find them: by squared distance, then row, then column"""
    r, c = np.divmod(np.arange(h * w), w)
    part = (r * ROW_STEP + c * COLUMN_STEP) % 65536 * segments // 65536
    first, second = np.full((2, h * w), -1)
    reach = int(REACH_CELLS ** 0.5)
    around = sorted((a * a + b * b, a, b) for a in range(-reach, 1) for b in range(-reach, reach + 1)
                    if 0 < a * a + b * b <= REACH_CELLS and (a < 0 or b < 0))
    for _, a, b in around:
        inside = (r + a >= 0) & (c + b >= 0) & (c + b < w)
        at = np.where(inside, (r + a) * w + c + b, 0)
        found = inside & (part[at] == part)
        take = found & (first >= 0) & (second < 0)
        second[take] = at[take]
        take = found & (first < 0)
        first[take] = at[take]
    return first, second


def differences(q, first, second):
    """q [cells, channels] int -> q less what near embeddings say: their mean rounded down, the only one, or 0"""
    one = np.where(first[:, None] >= 0, q[first], 0)
    both = (one + q[second]) >> 1
    return q - np.where(second[:, None] >= 0, both, one)


class Counts:
    """histograms [16 C, 2 R + 1] of quantised y for each level; embeddings are gathered and counted in blocks. For channels that
    may be predicted also [16 CANDIDATES, 2 R + 1] of the differences."""

    def __init__(self, step_base):
        self.c = len(step_base)
        self.pictures = 0
        self.steps = [step_base * step_factor(level) for level in range(LEVELS)]
        self.radius = [int(np.ceil(REACH / s.min())) for s in self.steps]
        self.hists = [np.zeros((rate.N_CLASS * self.c, 2 * r + 1), np.float32) for r in self.radius]
        self.diffs = [np.zeros((rate.N_CLASS * CANDIDATES, 2 * r + 1), np.float32) for r in self.radius]
        self.block, self.held = [], 0

    def add(self, y, cls, shape):
        """y [cells, C], cls [cells], shape (h, w)"""
        near = near_cells(*shape, SEGMENTS[self.pictures % len(SEGMENTS)])
        self.pictures += 1
        context = cls[:, None] * CANDIDATES + np.arange(CANDIDATES)
        for s, r, h in zip(self.steps, self.radius, self.diffs):
            q = np.rint(y[:, :CANDIDATES] / s[:CANDIDATES]).astype(np.int64)
            d = np.clip(differences(q, *near), -r, r)
            h += np.bincount((context.astype(np.int64) * (2 * r + 1) + d + r).ravel(), minlength=h.size).reshape(h.shape)
        self.block.append((y, cls))
        self.held += len(y)
        if self.held > 12000:
            self.flush()

    def flush(self):
        if not self.block:
            return
        y, cls = (np.concatenate(v) for v in zip(*self.block))
        context = (cls[:, None] * self.c + np.arange(self.c)).astype(np.int64)
        for s, r, h in zip(self.steps, self.radius, self.hists):
            v = y / s
            q = np.clip(np.trunc(v + np.copysign(np.float32(ROUNDING), v)).astype(np.int64), -r, r)
            h += np.bincount((context * (2 * r + 1) + q + r).ravel(), minlength=h.size).reshape(h.shape)
        self.block, self.held = [], 0


@torch.no_grad()
def count(m, root, limit=None):
    """-> Counts of nine pictures in ten, Counts of the tenth, class maps (fine list, coarse list)"""
    step_base = m.entropy.step(torch.ones(1, 1, 1, 1)).flatten().numpy()
    train, test, fine, coarse = Counts(step_base), Counts(step_base), [], []
    low, high = (float(v) for v in m.class_range)
    for i, path in enumerate(pictures(root, limit)):
        y = m.g_a(data.pad16(data.to_batch([data.read_rgb(path)])))
        a = rate.activity(y)[0].log()
        half, strength = MAPS[i % len(MAPS)]
        cls = rate.smooth_classes(a, low, high, strength, half)
        (test if i % 10 == 9 else train).add(y[0].flatten(1).t().numpy(), cls.flatten().numpy(), y.shape[2:])
        strength = CONTEXT_SMOOTHING[i % len(CONTEXT_SMOOTHING)]
        fine.append(rate.smooth_classes(a, low, high, strength / 2, False).numpy())
        coarse.append(rate.smooth_classes(a, low, high, strength, True).numpy() // 2)
    train.flush()
    test.flush()
    return train, test, fine, coarse


def predicted_channels(counts):
    """the PREDICTED channels that save most bits by differences, summed over the levels relative to each level's bits; ascending"""
    saved = np.zeros(CANDIDATES)
    for h, d in zip(counts.hists, counts.diffs):
        bits = shapes.entropy_bits(h).reshape(rate.N_CLASS, -1)
        saved += (bits.sum(0)[:CANDIDATES] - shapes.entropy_bits(d).reshape(rate.N_CLASS, -1).sum(0)) / bits.sum()
    return np.sort(np.argsort(-saved)[:PREDICTED])


def with_differences(counts, channels):
    """histograms [16 C + 16 P, 2 R + 1] of each level: all channels, then the differences of the predicted ones"""
    return [np.concatenate([h, d.reshape(rate.N_CLASS, CANDIDATES, -1)[:, channels].reshape(-1, d.shape[1])])
            for h, d in zip(counts.hists, counts.diffs)]


def borrow_counts(hists, c):
    """each histogram with a tenth of its neighbour classes' and a hundredth of all classes' counts added"""
    out = []
    for h in hists:
        g = h.reshape(rate.N_CLASS, c, -1)
        b = g + 0.01 * g.sum(0, keepdims=True)
        b[1:] += 0.1 * g[:-1]
        b[:-1] += 0.1 * g[1:]
        out.append(b.reshape(h.shape))
    return out


def fill_classes(bits, n):
    """bits, n [16] of one level: mean bits of an embedding, growing with the class; classes never seen take a neighbour's"""
    seen = np.flatnonzero(n)
    mean = np.interp(np.arange(rate.N_CLASS), seen, bits[seen] / n[seen])
    return np.maximum.accumulate(mean)


def shape_penalty(test, train, radius, tables, of):
    """held-out bits by the shared shapes and by a table of each context's own (its counts over a base of the shape)"""
    middle = max(radius)
    full = shapes.lengths(tables, middle, 2 * middle + 1)
    own = 0.0
    for h, t, o in zip(train, test, of):
        part = shapes.window(full, middle, h)[:, o].T
        p = np.exp2(-part.astype(np.float64))
        p = (h + 20 * p) / (h.sum(1, keepdims=True) + 20)
        own -= float((t * np.log2(p)).sum())
    return float(sum(b.sum() for b in shapes.bits_of_rows(test, tables, of))), own


def hsv_palette(n):
    """n well separated colours [n][3], 0..255 (golden-angle hues)"""
    import colorsys
    return [[round(255 * v) for v in colorsys.hsv_to_rgb((i * 0.381966) % 1, 0.55 + 0.4 * (i % 2), 0.95 - 0.25 * (i % 3))] for i in range(n)]


CAMVID_PALETTE = [[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [0, 0, 192], [128, 128, 0],
                  [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0], [0, 128, 192]]


def labels_block(heads):
    """names, cluster colours and palette: from the heads' checkpoint where there is one, else plain"""
    found = (heads or {}).get("labels") or {}
    plain = hsv_palette(32)
    clusters = found.get("clusterColours", plain)
    return {"names": list(found.get("names", data.CAMVID_CLASSES)), "clusterColours": to_ints(clusters),
            "palette": to_ints(found.get("palette", CAMVID_PALETTE + to_ints(clusters)))}


def to_ints(rows):
    return np.clip(np.rint(np.asarray(rows, dtype=np.float64)), 0, 255).astype(int).tolist()


def build(m, cfg, root, heads=None, limit=None, report=None):
    """tables.json of model set m (evaluate.load) as a dict. heads: dict with a "labels" block, or None.
    limit: pictures (rehearsal). report: a dict that receives what sharing the shapes costs."""
    c = cfg["channels"]
    train, test, fine, coarse = count(m, root, limit)
    channels = predicted_channels(train)
    seen = train.hists[0].reshape(rate.N_CLASS, c, -1)[:, 0].sum(1)
    hists, all_of_them = with_differences(train, channels), rate.N_CLASS * c
    borrow = [np.concatenate([a, b]) for a, b in zip(borrow_counts([h[:all_of_them] for h in hists], c),
                                                     borrow_counts([h[all_of_them:] for h in hists], PREDICTED))]
    weights = [1e6 / max(1.0, float(shapes.entropy_bits(h).sum())) for h in hists]
    tables, of, history = shapes.share_shapes(hists, weights, TABLES, borrow=borrow)
    rows_bits = shapes.bits_of_rows(hists, tables, of)
    bits = []
    for b in rows_bits:
        own = b[:all_of_them].reshape(rate.N_CLASS, c)
        bits.append(fill_classes(own.sum(1) - own[:, channels].sum(1) + b[all_of_them:].reshape(rate.N_CLASS, -1).sum(1), seen))
    if report is not None:
        rows = [(float(b.sum()), float(shapes.entropy_bits(h).sum())) for b, h in zip(rows_bits, hists)]
        plain = [float(b[:all_of_them].sum()) for b in rows_bits]
        shared, own = shape_penalty(with_differences(test, channels), hists, train.radius, tables, of)
        report.update(tables=len(tables), embeddings=int(seen.sum()), symbols=sum(len(t[1]) for t in tables),
                      predicted=channels.tolist(),
                      bitsAPixelByLevel=[round(float((b * seen).sum()) / seen.sum() / 256, 4) for b in bits],
                      withoutPredictionByLevel=[round(a / seen.sum() / 256, 4) for a in plain],
                      excessOverEmpiricalEntropyByLevel=[round(a / b - 1, 4) for a, b in rows],
                      heldOutExcessOverOwnTables=round(shared / own - 1, 4), lloyd=[round(v) for v in history[::5]],
                      classHistogram=[int(v) for v in seen])
    edges = float(m.class_range[0]) * (float(m.class_range[1] / m.class_range[0])) ** (np.arange(1, rate.N_CLASS) / rate.N_CLASS)
    theta = torch.logspace(-3.5, 0, THETA_LEVELS)
    var = m.var.detach()
    return {
        "schema": SCHEMA, "channels": c, "classes": rate.N_CLASS, "kMax": rate.K_MAX, "kSet": list(rate.K_SET),
        "theta0": rate.THETA0, "activityEdges": [float(f"{e:.7g}") for e in edges],
        "variance": [[float(f"{max(v, 1e-12):.6g}") for v in row] for row in var.tolist()],
        "stepBase": [float(f"{v:.7g}") for v in m.entropy.step(torch.ones(1, 1, 1, 1)).flatten().tolist()],
        "cdfTables": [{"low": low, "frequencies": freq.tolist()} for low, freq in tables],
        "tableOf": [o[:all_of_them].reshape(rate.N_CLASS, c).tolist() for o in of],
        "predicted": channels.tolist(),
        "differenceOf": [o[all_of_them:].reshape(rate.N_CLASS, PREDICTED).tolist() for o in of],
        "bitsOf": [np.rint(16 * b).astype(int).tolist() for b in bits],
        "symbolRate": (16 * rate.class_rate(var, theta)).round().int().tolist(),
        "classContext": {"fine": context_counts(fine, rate.N_CLASS).tolist(),
                         "coarse": context_counts(coarse, rate.N_CLASS // 2).tolist()},
        "labels": labels_block(heads),
    }


def default_weights(name):
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints", name)
    stage_b = os.path.join(here, "stage-b.pt")
    return stage_b if os.path.exists(stage_b) else os.path.join(here, "last.pt")


def load_heads(name):
    """{"labels": ...} from checkpoints/NAME/heads.pt (cluster colours 0..1), None where there is none"""
    path = os.path.join(os.path.dirname(default_weights(name)), "heads.pt")
    colours = torch.load(path, map_location="cpu").get("clusterColours") if os.path.exists(path) else None
    return {"labels": {"clusterColours": 255 * np.asarray(colours, dtype=np.float64)}} if colours is not None else None


def save(tables, path):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write("{\n" + ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in tables.items()) + "\n}\n")
    os.replace(path + ".new", path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--weights", help="default: checkpoints/NAME/stage-b.pt, else last.pt")
    p.add_argument("--limit", type=int, help="pictures; rehearsal only")
    a = p.parse_args()
    torch.set_num_threads(1)
    cfg = json.load(open(a.config))
    m = evaluate.load(a.config, a.weights or default_weights(cfg["name"]), a.data)
    report = {}
    save(build(m, cfg, a.data, load_heads(cfg["name"]), a.limit, report), a.output)
    print(json.dumps(dict(report, bytes=os.path.getsize(a.output))))


if __name__ == "__main__":
    main()
