"""Stage B: g_a is frozen; f_e, f_d, g_s and the entropy scales and steps are fine-tuned on both paths.

  python3 stage_b.py --config configs/base.json --data DIR --minutes 40       starts from checkpoints/<set>/last.pt (stage A),
                                                                              or resumes checkpoints/<set>/stage-b.pt
  python3 stage_b.py ... --init weights/base-stage-b.pt.xz                    starts from a small file
  python3 stage_b.py ... --restart --learning-rate 1e-4                       new cosine from the last stage-B state

First the variance table of the classes is computed once, over every training photograph, from the class maps as they are
sent (fine as they come, coarse after smoothing); it stays fixed. The quantised path uses the product's step levels,
factor(level) = 0.03 * 2^(level/3), level 0..13. State: every 5 minutes and on SIGTERM, `stage-b.pt` (same keys as stage A).
"""
import argparse
import json
import math
import os
import random
import signal
import time

import torch
import torch.nn.functional as F

import channel
import data
import evaluate
import rate
import store
from networks import ModelSet
from stage_a import Average, channel_path, kodak_of_average, optimiser, rate_var, sent_classes

STEP_LEVELS = 14
SMOOTHING = (1.5, 2.0, 3.0, 6.0)                     # evaluate.smoothing at CBR 1/12, 1/16, 1/24, 1/48
FINE_WEIGHT = 0.3                                    # share of fine maps, as in training
TRAINED = ("f_e.", "f_d.", "g_s.", "entropy.")
CFG = dict(learning_rate=4e-4, batch=4, crop=192, quantised=0.15)


def level_factor(level):
    return 0.03 * 2 ** (level / 3)


@torch.no_grad()
def exact_variance(m, images, device, seed=0):
    """mean square of y for each class and channel [16, C] over all photographs, fine and coarse maps as sent. A class that
    few embeddings have is pulled towards its neighbours' mean (weight of 20 embeddings)."""
    draw = random.Random(seed)
    c = m.sum2.shape[1]
    total, count = torch.zeros(rate.N_CLASS, c, dtype=torch.float64), torch.zeros(rate.N_CLASS, 1, dtype=torch.float64)
    low, high = (float(v) for v in m.class_range)
    for img in images:
        y = m.g_a(data.pad16(data.to_batch([img])).to(device)).cpu()
        a = rate.activity(y)
        coarse = rate.smooth_classes(a[0].log(), low, high, draw.choice(SMOOTHING), True)
        energy = y[0].flatten(1).t().double() ** 2
        for cls, weight in ((rate.classes(a, low, high)[0], FINE_WEIGHT), (coarse, 1 - FINE_WEIGHT)):
            total.index_add_(0, cls.flatten(), energy * weight)
            count.index_add_(0, cls.flatten(), torch.full((cls.numel(), 1), weight, dtype=torch.float64))
    near = (F.pad(total, (0, 0, 1, 1))[:-2] + F.pad(total, (0, 0, 1, 1))[2:] + 1e-3 * total) / (
        F.pad(count, (0, 0, 1, 1))[:-2] + F.pad(count, (0, 0, 1, 1))[2:] + 1e-3 * count + 1e-9)
    return ((total + 20 * near) / (count + 20)).float().clamp(min=1e-8), count[:, 0].tolist()


def quantised_path(m, y, x):
    """-> loss, mean log MSE, mean bits a pixel, at the product's step levels. The rounding error is held in steps, so that
    the step learns from distortion and rate; the rate's weight follows the level: dD/dR = -ln2 step^2 / 6."""
    n, dev = len(x), x.device
    cls = sent_classes(m.classify(y).cpu()).to(dev)
    factor = torch.tensor([level_factor(random.randrange(STEP_LEVELS)) for _ in range(n)]).view(-1, 1, 1, 1).to(dev)
    step = m.entropy.step(factor)
    bits = m.entropy.bits(y + (torch.rand_like(y) - 0.5) * step, cls, step)
    y_hat = y + ((y / step).round() - y / step).detach() * step
    quality = torch.log10(torch.minimum(rate_var(m, cls), step.detach() ** 2 / 12).sum(1, keepdim=True) + 1e-4)
    mse = (m.g_s(y_hat, quality) - x).pow(2).mean((1, 2, 3))
    slope = math.log(2) / 6 * factor.flatten() ** 2 * 1.3 / 768 / (mse.detach() + 2e-5)
    loss = (mse + 2e-5).log() + slope * bits.mean((1, 2))
    return loss.mean(), mse.log().mean().item(), bits.mean().item() / 256


def freeze(m):
    """only f_e, f_d, g_s and the entropy proxy keep gradients"""
    for n, p in m.named_parameters():
        p.requires_grad_(n.startswith(TRAINED))


def start(m, out, init, restart, device):
    """-> stage-B state to resume from, or None after stage-A weights were loaded"""
    path = os.path.join(out, "stage-b.pt")
    if os.path.exists(path):
        s = torch.load(path, map_location="cpu")
        m.load_state_dict(s["average"] if restart else s["model"])
        m.to(device)
        return s
    m.load_state_dict(store.load_state(init or os.path.join(out, "last.pt")))
    m.to(device)
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--minutes", type=float, required=True, help="length of the learning-rate cosine (wall time)")
    p.add_argument("--restart", action="store_true", help="new cosine from the average of the last stage-B state")
    p.add_argument("--learning-rate", type=float)
    p.add_argument("--init", help="stage-A weights (default: checkpoints/<set>/last.pt)")
    p.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints"))
    p.add_argument("--eval-minutes", type=float, default=10)
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--running-table", action="store_true", help="keep stage A's running variances (ablation)")
    p.add_argument("--limit-photos", type=int, default=None, help="rehearsal only")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    cfg = json.load(open(a.config))
    b = dict(CFG, **cfg.get("stage_b", {}))
    lr0 = a.learning_rate or b["learning_rate"]
    out = os.path.join(a.out, cfg["name"])
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "stage-b.pt")
    rng = channel.seeded(cfg["seed"] + 1000)
    m = ModelSet(cfg, torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")).to(memory_format=torch.channels_last)
    images = data.photos(a.data)[:a.limit_photos]
    kodak = data.kodak(a.data)[::4]
    log = open(os.path.join(out, "stage-b.jsonl"), "a")

    def note(**kv):
        log.write(json.dumps({k: (round(v, 4) if isinstance(v, float) else v) for k, v in kv.items()}) + "\n")
        log.flush()
        print(kv, flush=True)

    s = start(m, out, a.init, a.restart, a.device)
    step, run_s, total_s = 0, 0.0, 0.0
    if s is None:
        t = time.time()
        row = {}
        with torch.no_grad():
            row["psnrRunningTable"] = evaluate.kodak_psnr(m.cpu(), kodak, cbr=1 / 16)
            m.to(a.device)
            if not a.running_table:
                var, count = exact_variance(m, images, a.device)
                m.sum2.copy_(var)
                m.count.fill_(1.0)
                row.update(psnrExactTable=evaluate.kodak_psnr(m.cpu(), kodak, cbr=1 / 16), embeddings=[round(v) for v in count])
                m.to(a.device)
        note(event="table", seconds=time.time() - t, **row)
    else:
        step, total_s = s["step"], s["total_s"]
        run_s = 0.0 if a.restart else s["run_s"]
        rng = channel.seeded(cfg["seed"] + 1000 + step)
        note(event="resume", step=step, total_s=total_s, restart=a.restart)
    freeze(m)
    avg, opt = Average(m), optimiser(m, lr0)
    if s is not None:
        avg.load(s["average"])
        if not a.restart:
            opt.load_state_dict(s["opt"])
    resumed, first = s is not None and not a.restart, step
    budget_s = a.minutes * 60
    note(event="run", time=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), minutes=a.minutes, **dict(b, learning_rate=lr0))
    t0, since = time.time() - run_s, time.time()
    last_note = last_save = last_eval = time.time()
    sums, stop = {}, []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    while True:
        run_s, now = time.time() - t0, time.time()
        done = run_s >= budget_s
        if sums and (done or now - last_note > 60):
            note(step=step, minute=run_s / 60, lr=opt.param_groups[0]["lr"], **{k: v[1] / v[0] for k, v in sums.items()},
                 **{"s_" + k: v[2] / v[0] for k, v in sums.items()})
            sums, last_note = {}, now
        if done or stop or now - last_save > 300:
            torch.save(dict(model=m.state_dict(), average=avg.state, opt=opt.state_dict(), step=step, run_s=run_s,
                            total_s=total_s + now - since, config=cfg, stage="B"), path + ".new")
            os.replace(path + ".new", path)
            last_save = now
        if stop:
            note(event="stopped", step=step)
            return
        if done or now - last_eval > a.eval_minutes * 60:
            note(event="kodak6", step=step, minute=run_s / 60, cbr=1 / 16, psnr=kodak_of_average(m, avg, kodak))
            last_eval = time.time()
        if done:
            break
        ramp = 1 if resumed else min(1, (step - first + 1) / 200)
        lr = lr0 * ramp * (0.98 * 0.5 * (1 + math.cos(math.pi * run_s / budget_s)) + 0.02)
        for g in opt.param_groups:
            g["lr"] = lr * g["m"]
        t = time.time()
        x = data.photo_batch(images, b["batch"], b["crop"]).to(a.device)
        with torch.no_grad():
            y = m.g_a(x)
        if random.random() >= b["quantised"]:
            kind = "channel"
            loss, shown = channel_path(m, y, x, cfg, rng)
        else:
            kind = "quantised"
            loss, shown, bpp = quantised_path(m, y, x)
            q = sums.setdefault("bpp", [0, 0.0, 0.0])
            q[0], q[1] = q[0] + 1, q[1] + bpp
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([q for q in m.parameters() if q.grad is not None], 1.0)
        if math.isfinite(float(norm)):
            opt.step()
        else:
            note(event="skipped", step=step, kind=kind)
        step += 1
        if step % 10 == 0:
            avg.update(m, min(0.99, (step - first) / (step - first + 100)))
        c = sums.setdefault(kind, [0, 0.0, 0.0])
        c[0], c[1], c[2] = c[0] + 1, c[1] - 10 / math.log(10) * shown, c[2] + time.time() - t
    note(event="end", step=step)


if __name__ == "__main__":
    main()
