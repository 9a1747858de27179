"""Curves of any run's log as PNG:  python3 plot_log.py checkpoints/base/corrector.jsonl -o corrector.png"""
import argparse
import json

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("log")
    p.add_argument("-o", "--out", required=True)
    a = p.parse_args()
    rows = [json.loads(line) for line in open(a.log)]
    curves = {}
    for r in rows:
        if "event" not in r:
            for k, v in r.items():
                if k not in ("step", "minute"):
                    curves.setdefault(k, []).append((r["step"], v))
    for r in rows:
        if r.get("event") == "held-out":
            gain = zip(("held out: lost cells, gain over the start [dB]", "held out: damaged in part, gain [dB]"), r.get("gainDb", ()))
            same = zip(("held out: pixels of the clean class, as received", "held out: the same, restored"), r.get("sameClass", ()))
            for k, v in (*gain, *same):
                curves.setdefault(k, []).append((r["step"], v))
    if not curves:
        raise SystemExit(f"{a.log}: no curve yet")
    columns = 3
    lines = -(-len(curves) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(5 * columns, 3.2 * lines), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (k, points) in zip(axes.flat, curves.items()):
        axis.axis("on")
        axis.plot(*zip(*points), linewidth=1, marker="." if len(points) < 40 else None)
        axis.set_title(k, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
    figure.tight_layout()
    figure.savefig(a.out, dpi=80)


if __name__ == "__main__":
    main()
