"""Independent figures of the task metrics: sets and thresholds written out, no sorting tricks, numpy float64.

Run: python3 make_task_metrics.py > task-metrics.json      (needs numpy; scikit-learn is used to check AP where installed)
"""
import json
import numpy as np


def stream(n, seed):
    """n integers 0..2^31-1, a linear congruential generator that both sides implement"""
    out, s = [], seed
    for _ in range(n):
        s = (s * 1103515245 + 12345) % 2**31
        out.append(s)
    return np.array(out)


def average_precision(score, truth):
    """sum over distinct thresholds, falling, of (recall gain) x precision at that threshold"""
    total, before = 0.0, 0
    for t in sorted(set(score), reverse=True):
        chosen = score >= t
        hits = int((chosen & truth).sum())
        total += (hits - before) / truth.sum() * hits / chosen.sum()
        before = hits
    return total


def iou(pred, truth, classes):
    ok = truth < classes
    values = []
    for c in range(classes):
        p, t = (pred == c) & ok, (truth == c) & ok
        values.append(float((p & t).sum() / (p | t).sum()) if (p | t).any() else None)
    return values


def saliency(maps, masks):
    best, mae = 0.0, []
    curves = []
    for s, m in zip(maps, masks):
        s = s.astype(np.float32).astype(float)
        s = (s - s.min()) / (s.max() - s.min())
        mae.append(np.abs(s - m).mean())
        level = np.minimum(255, np.floor(s * 256))
        curves.append([((level >= t) & m).sum() / np.array([max(1, (level >= t).sum()), m.sum()]) for t in range(256)])
    p, r = np.mean(curves, axis=0).T
    f = 1.3 * p * r / np.maximum(0.3 * p + r, 1e-12)
    return float(f.max()), float(np.mean(mae))


cases = []
for n, seed, levels in [(40, 1, 7), (200, 2, 1000), (75, 3, 3)]:
    score, truth = stream(n, seed) >> 8, stream(n, seed + 100) >> 12
    score, truth = score % levels, truth % 4 == 0
    value = average_precision(score, truth)
    try:
        from sklearn.metrics import average_precision_score
        assert abs(value - average_precision_score(truth, score)) < 1e-12
    except ImportError:
        pass
    cases.append(dict(n=n, seed=seed, levels=levels, positives=int(truth.sum()), averagePrecision=value))

w, h, classes = 37, 23, 5
pred, truth = (stream(w * h, 11) >> 9) % classes, (stream(w * h, 12) >> 9) % (classes + 1)
truth[truth == 3] = 2                                     # class 3 is never true, but predicted
maps = [(stream(w * h, s) >> 10) % 997 / 31 for s in (21, 22, 23)]
masks = [((stream(w * h, s) >> 7) % 3 == 0) for s in (31, 32, 33)]
max_f, mae = saliency(maps, masks)
print(json.dumps(dict(schema="sct-task-metric-vectors/1", averagePrecision=cases,
                      iou=dict(width=w, height=h, classes=classes, values=iou(pred, truth, classes)),
                      saliency=dict(maxF=max_f, mae=mae)), indent=1))
