"""Trains the judge.  python3 judge/train.py --data DIR --minutes 40 [--out checkpoints/judge]

CamVid train; the validation set picks nothing (it is only printed). Resumes from the last state."""
import argparse
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import channel  # noqa: E402
import data  # noqa: E402
from judge.network import Judge  # noqa: E402
from judge.score import confusion, iou  # noqa: E402


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", required=True)
    p.add_argument("--minutes", type=float, required=True)
    p.add_argument("--out", default=os.path.join(here, "..", "checkpoints", "judge"))
    p.add_argument("--seed", type=int, default=11)
    a = p.parse_args()
    torch.set_num_threads(1)
    channel.seeded(a.seed)
    os.makedirs(a.out, exist_ok=True)
    m = Judge().to(memory_format=torch.channels_last)
    opt = torch.optim.AdamW(m.parameters(), 2e-3, weight_decay=1e-4)
    items, val = data.pairs(a.data, "camvid/train"), data.pairs(a.data, "camvid/val")
    n = sum(torch.bincount(t.flatten().long(), minlength=12)[:11].float() for _, t in items)
    f = n / n.sum()
    weight = (f.rsqrt() / (f * f.rsqrt()).sum()).clamp(max=4)
    path = os.path.join(a.out, "judge.pt")
    run_s, step = 0.0, 0
    if os.path.exists(path):
        s = torch.load(path)
        m.load_state_dict(s["model"])
        opt.load_state_dict(s["opt"])
        run_s, step = s["run_s"], s["step"]
    t0, last = time.time() - run_s, time.time()
    log = open(os.path.join(a.out, "log.jsonl"), "a")
    while True:
        run_s = time.time() - t0
        done = run_s > a.minutes * 60
        if done or time.time() - last > 600:
            m.eval()
            v = iou(confusion(m, val if done else val[::4]))
            m.train()
            log.write(json.dumps({"step": step, "minute": run_s / 60, "valMeanIoU": float(v.mean())}) + "\n")
            log.flush()
            torch.save(dict(model=m.state_dict(), opt=opt.state_dict(), run_s=run_s, step=step, seed=a.seed), path)
            last = time.time()
        if done:
            return
        for g in opt.param_groups:
            g["lr"] = 2e-3 * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(1, run_s / (a.minutes * 60))))
        x, t = data.mask_batch(items, 6, 240, 320, 0.7, 1.5, data.VOID)
        loss = F.cross_entropy(m(x), t[:, 1::2, 1::2], weight=weight, ignore_index=data.VOID)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        step += 1


if __name__ == "__main__":
    main()
