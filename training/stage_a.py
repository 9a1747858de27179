"""Stage A: joint training of analysis, synthesis, channel code and heads.

  python3 stage_a.py --config configs/base.json --data DIR --minutes 140          start, or resume the last state
  python3 stage_a.py ... --restart                                               new cosine from the last state

Each step draws one kind: channel path (log-MSE over random SNR, rate, profile, erasures), quantised path (rounded with
straight-through gradient, Laplace rate proxy), CamVid (labels and presence), saliency. The learning rate is a cosine
over the minutes given (wall time, kept across resumption).
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
import warm
from networks import ModelSet

SLOW = ("klt.", "lin.", "logg", "logstep")          # parameters with a closed-form start move ten times slower
KINDS = ("channel", "quantised", "camvid", "saliency")


def channel_loss(m, x, cfg, rng):
    """-> loss, mean log MSE"""
    return channel_path(m, m.g_a(x), x, cfg, rng, observe=True)


def sent_classes(cls):
    """class maps [N,h,w] as the encoder might send them"""
    if random.random() < 0.3:                        # class maps are smoothed by the encoder to make them cheap
        noisy = F.avg_pool2d(cls[:, None].float(), 3, 1, 1, count_include_pad=False)[:, 0]
        cls = torch.where(torch.rand(cls.shape) < 0.5, noisy.round().long(), cls)
    if random.random() < 0.7:                        # ... and mostly sent with half the resolution
        cls = cls // 2 * 2
    return cls


def channel_path(m, y, x, cfg, rng, observe=False):
    """y = g_a(x) through f_e, a drawn channel, f_d and g_s -> loss, mean log MSE. What is drawn is drawn on the CPU."""
    n, dev = len(x), x.device
    cls = sent_classes(m.classify(y).cpu())
    if observe:
        m.observe(y, cls.to(dev))
    snr = [channel.uniform(*cfg["snr_db"]) for _ in range(n)]
    budget = torch.tensor([channel.log_uniform(*cfg["budget"]) for _ in range(n)])
    snr_t = torch.tensor(snr)
    var = m.var.detach().cpu()
    theta = rate.theta_for(var, cls, budget, snr_t) * torch.tensor([channel.log_uniform(0.25, 1.6) for _ in range(n)])
    weight = None
    if random.random() < 0.25:                       # importance: other shares than the class alone would give
        coarse = torch.randn(n, 1, max(2, cls.shape[1] // 3), max(2, cls.shape[2] // 3))
        weight = (0.5 * F.interpolate(coarse, cls.shape[1:], mode="bilinear", align_corners=False)[:, 0]).exp()
    k = rate.allocate(cls, var, theta, budget, weight)
    mask = rate.prefix_mask(k)
    s = channel.draw_snr(n, rate.K_MAX, *cls.shape[1:], snr, rng)
    # the transmitter's CSI: one value, or one for each embedding; up to 5 dB off
    csi = snr_t.view(-1, 1, 1, 1).expand_as(k)
    if random.random() < 0.5:
        csi = channel.db(channel.capacity_equivalent(s.clamp(min=0.05), mask))
    csi = (csi + torch.tensor([channel.uniform(-5, 5) * random.random() for _ in range(n)]).view(-1, 1, 1, 1))
    cls, k, csi, mask, s = (t.to(dev) for t in (cls, k, csi, mask, s))
    z = m.f_e(y, cls, k, csi.clamp(-8, 25)) * mask.repeat_interleave(2, 1)
    scale = torch.sqrt(z.pow(2).sum((1, 2, 3), keepdim=True) / mask.sum((1, 2, 3), keepdim=True).clamp(min=1) + 1e-9)
    error = torch.randn(n, 1, 1, 1) * 0.7 + torch.randn(n, 1, *cls.shape[1:]) * 0.5
    r, known = channel.transmit(z / scale, mask, s, error.clamp(-2, 2).to(dev))
    y_hat, quality = m.f_d(r, scale, cls, k, known, m.var)
    mse = (m.g_s(y_hat, quality) - x).pow(2).mean((1, 2, 3))
    return (mse + 2e-5).log().mean(), mse.log().mean().item()


def quantised_loss(m, x, cfg):
    """-> loss, mean log MSE, mean bits a pixel. The rate's weight follows the step: dD/dR = -ln2 step^2 / 6."""
    n = len(x)
    y = m.g_a(x)
    cls = m.classify(y)
    factor = torch.tensor([channel.log_uniform(*cfg["step_range"]) for _ in range(n)]).view(-1, 1, 1, 1).to(x.device)
    step = m.entropy.step(factor)
    bits = m.entropy.bits(y + (torch.rand_like(y) - 0.5) * step, cls, step)
    y_hat = y + ((y / step).round() * step - y).detach()
    quality = torch.log10(torch.minimum(rate_var(m, cls), step.detach() ** 2 / 12).sum(1, keepdim=True) + 1e-4)
    mse = (m.g_s(y_hat, quality) - x).pow(2).mean((1, 2, 3))
    slope = (math.log(2) / 6 * factor.flatten() ** 2 * 1.3 / 768 / (mse.detach() + 2e-5))
    loss = (mse + 2e-5).log() + slope * bits.mean((1, 2))
    return loss.mean(), mse.log().mean().item(), bits.mean().item() / 256


def rate_var(m, cls):
    return F.embedding(cls, m.var).permute(0, 3, 1, 2)


def camvid_loss(m, items, weights):
    x, t = (v.to(weights.device) for v in data.mask_batch(items, 3, 240, 320, 0.7, 1.4, data.VOID))
    maps, presence = m.label(m.g_a(x))
    t4 = t[:, 2::4, 2::4]
    ce = F.cross_entropy(maps, t4, weight=weights, ignore_index=data.VOID)
    there = torch.stack([(F.one_hot(u.flatten(), 12).sum(0)[:11] > 60).float() for u in t])
    bce = F.binary_cross_entropy_with_logits(presence, there)
    return ce + 0.3 * bce, ce.item()


def saliency_loss(m, items):
    x, t = (v.to(m.class_range.device) for v in data.mask_batch(items, 4, 240, 240, 0.7, 1.1, 0))
    p = m.saliency(m.g_a(x))[:, 0]
    t4 = (t[:, 2::4, 2::4] > 127).float()
    bce = F.binary_cross_entropy_with_logits(p, t4)
    q = torch.sigmoid(p)
    iou = (q * t4).sum((1, 2)) / (q + t4 - q * t4).sum((1, 2)).clamp(min=1)
    return bce + 0.5 * (1 - iou.mean()), bce.item()


def class_weights(items):
    """CamVid: 1/sqrt(frequency), mean 1 over pixels, at most 4"""
    n = torch.zeros(12)
    for _, t in items:
        n += torch.bincount(t.flatten().long(), minlength=12)[:12].float()
    f = n[:11] / n[:11].sum()
    w = f.rsqrt() / (f * f.rsqrt()).sum()
    return w.clamp(max=4)


def optimiser(m, lr):
    slow = [p for n, p in m.named_parameters() if any(s in n for s in SLOW)]
    ids = {id(p) for p in slow}
    fast = [p for p in m.parameters() if id(p) not in ids]
    return torch.optim.Adam([{"params": fast, "m": 1.0}, {"params": slow, "m": 0.1}], lr, betas=(0.9, 0.99))


class Average:
    """exponential average of the weights, updated every 10 steps"""

    def __init__(self, m):
        self.state = {k: v.detach().clone() for k, v in m.state_dict().items()}

    def load(self, state):
        for k, v in state.items():
            self.state[k].copy_(v)

    def update(self, m, keep):
        for k, v in m.state_dict().items():
            self.state[k].lerp_(v, 1 - keep) if v.is_floating_point() else self.state[k].copy_(v)


def kodak_of_average(m, avg, images):
    """PSNR [dB] of the averaged weights on `images` at CBR 1/16, measured on the CPU; m is left as it was"""
    dev, keep = m.class_range.device, {k: v.clone() for k, v in m.state_dict().items()}
    m.load_state_dict(avg.state)
    with torch.no_grad():
        row = evaluate.kodak_psnr(m.cpu(), images, cbr=1 / 16)
    m.to(dev).load_state_dict(keep)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--minutes", type=float, required=True, help="length of the learning-rate cosine (wall time)")
    p.add_argument("--restart", action="store_true", help="start a new cosine from the last state")
    p.add_argument("--learning-rate", type=float)
    p.add_argument("--init", help="starting weights (stage-A state dict) instead of the config's warm start")
    p.add_argument("--share", help="JSON object replacing the config's shares of the four kinds of step")
    p.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints"))
    p.add_argument("--eval-minutes", type=float, default=20)
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--limit-photos", type=int, default=None, help="rehearsal only")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    cfg = json.load(open(a.config))
    if a.share:
        cfg["share"] = json.loads(a.share)
    lr0 = a.learning_rate or cfg["learning_rate"]
    out = os.path.join(a.out, cfg["name"])
    os.makedirs(out, exist_ok=True)
    last = os.path.join(out, "last.pt")
    rng = channel.seeded(cfg["seed"])
    klt = torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")
    m = ModelSet(cfg, klt).to(memory_format=torch.channels_last)
    images = data.photos(a.data)
    random.shuffle(images)
    images = images[:a.limit_photos]
    street, salient = data.pairs(a.data, "camvid/train"), data.pairs(a.data, "saliency/train")
    weights = class_weights(street).to(a.device)
    log = open(os.path.join(out, "log.jsonl"), "a")

    def note(**kv):
        log.write(json.dumps({k: (round(v, 4) if isinstance(v, float) else v) for k, v in kv.items()}) + "\n")
        log.flush()
        print(kv, flush=True)

    step, total_s, run_s, resumed = 0, 0.0, 0.0, False
    opt = None
    if os.path.exists(last):
        s = torch.load(last, map_location="cpu")
        m.load_state_dict(s["model"])
        m.to(a.device)
        avg = Average(m)
        avg.load(s["average"])
        step, total_s = s["step"], s["total_s"]
        run_s, resumed = (0.0, False) if a.restart else (s["run_s"], True)
        opt = optimiser(m, lr0)
        opt.load_state_dict(s["opt"])
        rng = channel.seeded(cfg["seed"] + step)
        note(event="resume", step=step, total_s=total_s, restart=a.restart)
    else:
        if a.init:
            m.load_state_dict(store.load_state(a.init))
        else:
            if cfg.get("warm"):
                warm.load_earlier(m, os.path.join(a.data, cfg["warm"]))
            with torch.no_grad():
                span, hist = warm.statistics(m, images)
            note(event="start", config=cfg["name"], activity=span, class_histogram=hist)
        m.to(a.device)
        avg, opt = Average(m), optimiser(m, lr0)
    budget_s = a.minutes * 60
    note(event="run", time=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), minutes=a.minutes, learning_rate=lr0,
         parameters={n: sum(q.numel() for q in c.parameters()) for n, c in m.named_children()})

    kodak = data.kodak(a.data)[::4]
    sums = {}
    t0 = time.time() - run_s
    start_step, since = step, time.time()
    last_note = last_save = last_eval = last_half = time.time()
    best = None
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))       # saves the state and leaves
    while True:
        run_s = time.time() - t0
        done = run_s >= budget_s
        now = time.time()
        if done or now - last_note > 60:
            note(step=step, minute=(total_s + now - since) / 60, lr=opt.param_groups[0]["lr"],
                 **{k: v[1] / v[0] for k, v in sums.items()},
                 **{"s_" + k: v[2] / v[0] for k, v in sums.items()})
            sums, last_note = {}, now
        if done or now - last_eval > a.eval_minutes * 60:
            row = kodak_of_average(m, avg, kodak)
            note(event="kodak6", step=step, minute=(total_s + time.time() - since) / 60, cbr=1 / 16, psnr=row)
            best, last_eval = row, time.time()
        if done or stop or now - last_save > 300:
            torch.save(dict(model=m.state_dict(), average=avg.state, opt=opt.state_dict(), step=step, run_s=run_s,
                            total_s=total_s + time.time() - since, config=cfg), last + ".new")
            os.replace(last + ".new", last)
            last_save = time.time()
        if stop:
            note(event="stopped", step=step)
            return
        if done or (best and now - last_half > 1800):
            path = os.path.join(os.path.dirname(a.out.rstrip("/")), "weights", cfg["name"] + "-stage-a.pt.xz")
            store.save_small(avg.state, path, {
                "stage": "A", "steps": step, "seconds": round(total_s + time.time() - since), "seed": cfg["seed"],
                "config": cfg, "kodakEveryFourthCbr16PsnrDb": best,
                "note": "AWGN 1/4/7/10/13 dB, side information counted, see evaluate.py"})
            last_half = time.time()
        if done:
            break
        f = run_s / budget_s
        ramp = 1 if resumed else min(1, (step - start_step + 1) / 200)
        lr = lr0 * ramp * (0.98 * 0.5 * (1 + math.cos(math.pi * f)) + 0.02)
        for g in opt.param_groups:
            g["lr"] = lr * g["m"]
        late = f >= cfg["late_from"]
        n, side = (cfg["late_batch"], cfg["late_crop"]) if late else (cfg["batch"], cfg["crop"])
        kind = random.choices(KINDS, [cfg["share"][k] for k in KINDS])[0]
        t = time.time()
        if kind == "channel":
            loss, shown = channel_loss(m, data.photo_batch(images, n, side).to(a.device), cfg, rng)
            shown *= -10 / math.log(10)
        elif kind == "quantised":
            loss, logmse, bpp = quantised_loss(m, data.photo_batch(images, n, side).to(a.device), cfg)
            shown = -10 / math.log(10) * logmse
            b = sums.setdefault("bpp", [0, 0.0, 0.0])
            b[0] += 1
            b[1] += bpp
        elif kind == "camvid":
            loss, shown = camvid_loss(m, street, weights)
            loss = 0.3 * loss
        else:
            loss, shown = saliency_loss(m, salient)
            loss = 0.3 * loss
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        if math.isfinite(float(norm)):
            opt.step()
        else:
            note(event="skipped", step=step, kind=kind)
        step += 1
        if step % 10 == 0:
            avg.update(m, min(0.99, (step - start_step) / (step - start_step + 100)))
        c = sums.setdefault(kind, [0, 0.0, 0.0])
        c[0], c[1], c[2] = c[0] + 1, c[1] + shown, c[2] + time.time() - t
    note(event="end", step=step)


if __name__ == "__main__":
    main()
