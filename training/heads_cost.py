"""What the heads cost in PSNR.

  python3 heads_cost.py --config configs/base.json --data DIR --steps 800 -o FILE.json [--weights STAGE-A-STATE]

Two runs from one stage-A state: codec steps only (channel, quantised), and the same codec steps with CamVid and saliency
steps between them in the config's shares. Both see the same crops, channels and noise (each codec step is seeded by its
number) at the same learning rates, so both have had equally many codec steps. Then Kodak, CBR 1/16: paired difference
(without - with heads) for each picture, its mean and the 95 % interval over pictures (t). A fork shows what the heads' pull
costs from here on, not what a feature map trained without heads from the first step would reach (`--scratch` does that).
"""
import argparse
import copy
import json
import math
import os
import random
import time

import torch

import channel
import data
import evaluate
import store
from networks import ModelSet
from stage_a import Average, camvid_loss, channel_loss, class_weights, optimiser, quantised_loss, saliency_loss

T95 = {23: 2.069}


def run(m, cfg, sets, steps, lr0, with_heads, seed):
    """trains a copy of m; -> its averaged state, codec steps, head steps, seconds"""
    m = copy.deepcopy(m)
    images, street, salient, weights = sets
    opt, avg, share = optimiser(m, lr0), Average(m), cfg["share"]
    n_head, since = 0, time.time()
    owed = {"camvid": 0.0, "saliency": 0.0}
    codec = share["channel"] + share["quantised"]

    def update(loss):
        opt.zero_grad(set_to_none=True)
        loss.backward()
        if math.isfinite(float(torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0))):
            opt.step()
    for i in range(steps):
        lr = lr0 * min(1, (i + 1) / 50) * (0.98 * 0.5 * (1 + math.cos(math.pi * i / steps)) + 0.02)
        for g in opt.param_groups:
            g["lr"] = lr * g["m"]
        rng = channel.seeded(seed + i)
        x = data.photo_batch(images, cfg["batch"], cfg["crop"])
        if random.random() < share["channel"] / codec:
            update(channel_loss(m, x, cfg, rng)[0])
        else:
            update(quantised_loss(m, x, cfg)[0])
        for kind in owed if with_heads else ():
            owed[kind] += share[kind] / codec
            if owed[kind] >= 1:
                owed[kind] -= 1
                update(0.3 * (camvid_loss(m, street, weights) if kind == "camvid" else saliency_loss(m, salient))[0])
                n_head += 1
        if i % 5 == 4:
            avg.update(m, min(0.98, (i + 1) / (i + 51)))
    return avg.state, {"codecSteps": steps, "headSteps": n_head, "seconds": round(time.time() - since)}


def paired(without, with_heads):
    """[pictures][snr] PSNR of both -> mean difference, half width of the 95 % interval, by SNR"""
    d = torch.tensor(without, dtype=torch.float64) - torch.tensor(with_heads, dtype=torch.float64)
    each = d.mean(1)
    half = T95.get(len(each) - 1, 2.1) * float(each.std()) / math.sqrt(len(each))
    mean = float(each.mean())
    return {"costDb": round(mean, 4), "interval95Db": [round(mean - half, 4), round(mean + half, 4)],
            "costBySnrDb": [round(float(v), 4) for v in d.mean(0)], "pictures": len(each)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--steps", type=int, required=True, help="codec steps of each run")
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--weights", help="stage-A state (default: checkpoints/<set>/last.pt)")
    p.add_argument("--scratch", action="store_true", help="from the closed-form start instead of a stage-A state")
    p.add_argument("--learning-rate", type=float, default=3e-4)
    p.add_argument("--every", type=int, default=1, help="every N-th Kodak picture (rehearsal)")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    cfg = json.load(open(a.config))
    m = ModelSet(cfg, torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")).to(memory_format=torch.channels_last)
    here = os.path.dirname(os.path.abspath(__file__))
    if not a.scratch:
        m.load_state_dict(store.load_state(a.weights or os.path.join(here, "checkpoints", cfg["name"], "last.pt")))
    street = data.pairs(a.data, "camvid/train")
    sets = (data.photos(a.data), street, data.pairs(a.data, "saliency/train"), class_weights(street))
    kodak, rows, info = data.kodak(a.data)[::a.every], {}, {}
    for name, with_heads in (("withoutHeads", False), ("withHeads", True)):
        state, info[name] = run(m, cfg, sets, a.steps, a.learning_rate, with_heads, cfg["seed"] + 4000)
        fork = copy.deepcopy(m)
        fork.load_state_dict(state)
        report = []
        with torch.no_grad():
            info[name]["psnrDb"] = evaluate.kodak_psnr(fork, kodak, 1 / 16, report=report)
        rows[name] = [r["psnr"] for r in report]
        print(name, info[name], flush=True)
    result = {"set": cfg["name"], "start": "closed form" if a.scratch else "stage A", "cbr": "1/16", "snrDb": evaluate.SNRS,
              "learningRate": a.learning_rate, **paired(rows["withoutHeads"], rows["withHeads"]), **info}
    with open(a.out, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(json.dumps({k: result[k] for k in ("costDb", "interval95Db", "costBySnrDb")}))


if __name__ == "__main__":
    main()
