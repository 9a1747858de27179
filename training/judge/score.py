"""Scores received street pictures.  python3 judge/score.py DIR --data DATA [--weights FILE]

DIR holds pictures named like those of camvid/test (any of .png .jpg), 480x360; sub-folders are scored one by one.
Prints one JSON line a folder: mean IoU at 480x360, void excluded, one confusion matrix over the set, each class, the number
of pictures, and the same judge on the clean originals of the same names. --each adds the confusion matrix of every picture
(121 counts, truth by judged), for intervals over the pictures."""
import argparse
import glob
import json
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import data  # noqa: E402
from judge.network import Judge  # noqa: E402
from store import load_state  # noqa: E402


def confusions(m, items):
    """[11, 11] of each picture, rows truth, columns judged"""
    for rgb, t in items:
        x = data.pad16(data.to_batch([rgb]))
        p = F.interpolate(m(x), x.shape[2:], mode="bilinear", align_corners=False).argmax(1)[0, :t.shape[0], :t.shape[1]]
        ok = t < 11
        yield torch.bincount(t[ok].long() * 11 + p[ok], minlength=121).view(11, 11).float()


def iou(c):
    return c.diag() / (c.sum(0) + c.sum(1) - c.diag()).clamp(min=1)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir")
    p.add_argument("--data", required=True)
    p.add_argument("--weights", default=os.path.join(here, "..", "weights", "judge.pt.xz"))
    p.add_argument("--each", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    m = Judge().to(memory_format=torch.channels_last)
    small = a.weights.endswith(".xz")
    m.load_state_dict(load_state(a.weights) if small else torch.load(a.weights, map_location="cpu")["model"])
    m.eval()
    for folder, _, _ in sorted(os.walk(a.dir)):
        received, clean, names = [], [], []
        for path in sorted(glob.glob(os.path.join(folder, "*.png")) + glob.glob(os.path.join(folder, "*.jpg"))):
            name = os.path.splitext(os.path.basename(path))[0]
            truth = os.path.join(a.data, "camvid/test", name + ".png")
            if not os.path.exists(truth):
                raise SystemExit(f"{path}: camvid/test has no picture of this name")
            t, rgb = data.read_mask(truth), data.read_rgb(path)
            if rgb.shape[1:] != t.shape:
                raise SystemExit(f"{path}: {tuple(rgb.shape[1:])} pixels, expected {tuple(t.shape)}")
            names.append(name)
            received.append((rgb, t))
            clean.append((data.read_rgb(os.path.join(a.data, "camvid/test", name + ".jpg")), t))
        if received:
            with torch.no_grad():
                each = list(confusions(m, received))
                v, c = iou(sum(each)), iou(sum(confusions(m, clean)))
            counts = {n: [int(x) for x in e.flatten()] for n, e in zip(names, each)}
            print(json.dumps({"folder": os.path.relpath(folder, a.dir), "pictures": len(received),
                              "mIoU": round(float(v.mean()), 4), "mIoUClean": round(float(c.mean()), 4),
                              "iou": dict(zip(data.CAMVID_CLASSES, (round(float(x), 4) for x in v))),
                              **({"each": counts} if a.each else {})}), flush=True)


if __name__ == "__main__":
    main()
