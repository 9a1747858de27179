"""Small copies of the best states, to be committed: a new machine has none of the checkpoints.

  python3 keep.py --out weights        reads checkpoints/{base,live}/{stage-b,heads}.pt and checkpoints/teacher/teacher.pt

weights/<set>-<part>.pt.xz holds the averaged weights (half precision, 7-bit mantissa), the JSON beside it steps, minutes, seed and
configuration. `stage_b.py --init weights/base-stage-b.pt.xz` goes on from one (its keys are stage A's too, so `stage_a.py --init`
takes it as well); heads.py and teacher.py resume only full checkpoints, `--weights` and `load_heads` read the small ones.
"""
import argparse
import json
import os

import torch

import store

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = (("base", "stage-b"), ("base", "heads"), ("live", "stage-b"), ("live", "heads"), ("teacher", "teacher"))


def last_measured(folder, event, name="stage-b.jsonl"):
    """the last log entry of this kind (None: of a minute's figures), or None"""
    path = os.path.join(folder, name)
    found = [e for e in map(json.loads, open(path)) if e.get("event") == event] if os.path.exists(path) else []
    return found[-1] if found else None


def keep(folder, part, out):
    """writes one small file; -> its path, or None when there is no such state"""
    path = os.path.join(folder, part + ".pt")
    if not os.path.exists(path):
        return None
    s = torch.load(path, map_location="cpu")
    name = os.path.basename(folder)
    info = {"part": part, "steps": s["step"], "minutesOfThisPart": round(s.get("total_s", s.get("run_s", 0)) / 60, 1),
            "seed": s.get("seed", s.get("config", {}).get("seed")), "config": s.get("config")}
    if part == "stage-b":
        info["minutesOfStageA"] = (last_measured(folder, None, "log.jsonl") or {}).get("minute")
        info["kodakEveryFourthCbr16PsnrDb"] = (last_measured(folder, "kodak6") or {}).get("psnr")
        info["note"] = "AWGN 1/4/7/10/13 dB, side information counted as evaluate.py does"
    target = os.path.join(out, (part if name == part else f"{name}-{part}") + ".pt.xz")
    store.save_small(s.get("average", s["model"]), target, info)
    return target


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoints", default=os.path.join(HERE, "checkpoints"))
    p.add_argument("--out", default=os.path.join(HERE, "weights"))
    a = p.parse_args()
    for name, part in PARTS:
        path = keep(os.path.join(a.checkpoints, name), part, a.out)
        print(f"{name}/{part}:", f"{path} {os.path.getsize(path)} bytes" if path else "no state")


if __name__ == "__main__":
    main()
