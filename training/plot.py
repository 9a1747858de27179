"""Loss curves as PNG from a run's log:  python3 plot.py checkpoints/base/log.jsonl -o checkpoints/base/curves.png"""
import argparse
import json

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PANELS = (("channel", "channel path: mean PSNR of random SNR and rate [dB]"), ("quantised", "quantised path: PSNR [dB]"),
          ("bpp", "quantised path: bits a pixel"), ("camvid", "CamVid: weighted cross entropy"),
          ("saliency", "saliency: binary cross entropy"), ("lr", "learning rate"))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("log")
    p.add_argument("-o", "--out", required=True)
    a = p.parse_args()
    rows = [json.loads(line) for line in open(a.log)]
    figure, axes = plt.subplots(3, 3, figsize=(15, 10))
    for axis, (key, title) in zip(axes.flat, PANELS):
        points = [(r["minute"], r[key]) for r in rows if key in r and "event" not in r]
        axis.plot(*zip(*points) if points else ([], []), linewidth=1)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("minutes")
    tests = [r for r in rows if r.get("event") == "kodak6"]
    for i, snr in enumerate((1, 4, 7, 10, 13)):
        axes[2, 0].plot([r["minute"] for r in tests], [r["psnr"][i] for r in tests], "o-", label=f"{snr} dB")
    axes[2, 0].set_title("every fourth Kodak image, CBR 1/16 [dB]", fontsize=9)
    axes[2, 0].legend(fontsize=7)
    for axis in (axes[2, 1], axes[2, 2]):
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(a.out, dpi=80)


if __name__ == "__main__":
    main()
