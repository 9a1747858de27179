"""Heads on the frozen g_a: labels, presence, street, codebook, saliency.

  python3 heads.py --config configs/base.json --data DIR --minutes 18                     starts, or resumes
  python3 heads.py --config configs/live.json --data DIR --minutes 12 --teacher base      soft outputs of the base set's heads
  python3 heads.py ... --restart                                                          new cosine from the last state

g_a comes from checkpoints/<set>/last.pt (--weights FILE: another). Result: checkpoints/<set>/heads.pt (`average` = weights).
CamVid train and ECSSD train give the truth; the teacher's soft outputs (teacher.py: checkpoints/teacher/teacher.pt, else the small
copy weights/teacher.pt.xz; `--teacher none` = without) are a second loss on those pictures, on photographs for saliency, and its ImageNet
features of photographs a third one of the label trunk (the codebook is built on them). y and soft outputs of an augmented
picture are computed once and used about REUSE times, from a pool in memory.
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
import codebook
import data
import store
from head_networks import N_GENERIC, Heads
from networks import ModelSet
from stage_a import Average
from teacher import Teacher, class_weights, colour, region_loss

REUSE, POOL = 6, {"street": 900, "salient": 1200, "photo": 1200}
HERE = os.path.dirname(os.path.abspath(__file__))


class Sources:
    """augmented pictures with y, truth and soft outputs, float16, on the CPU"""

    def __init__(self, m, root, teacher, generic, device, limit=None):
        self.m, self.teacher, self.generic, self.device = m, teacher, generic, device
        self.street, self.salient = data.pairs(root, "camvid/train"), data.pairs(root, "saliency/train")
        self.images = [(x, torch.zeros(x.shape[1:], dtype=torch.uint8)) for x in data.photos(root)]
        self.street, self.salient, self.images = self.street[:limit], self.salient[:limit], self.images[:limit]
        self.pools = {k: [] for k in POOL}
        self.basis = self.generic_basis() if generic is not None else None

    @torch.no_grad()
    def generic_basis(self, count=160):
        """mean and whitened principal directions of the ImageNet features of `count` photographs: [512], [24, 512]"""
        rows = []
        for x, _ in random.Random(5).sample(self.images, min(count, len(self.images))):
            x = data.to_batch([x[:, :x.shape[1] // 16 * 16, :x.shape[2] // 16 * 16]]).to(self.device)
            rows.append(self.generic.features(x)[2][0].flatten(1).t()[::3].cpu())
        f = torch.cat(rows).double()
        mean = f.mean(0)
        value, vector = torch.linalg.eigh((f - mean).t() @ (f - mean) / len(f))
        value, vector = value.flip(0)[:N_GENERIC], vector.flip(1)[:, :N_GENERIC]
        return mean.float().to(self.device), (vector / value.sqrt()).t().float().to(self.device)

    @torch.no_grad()
    def fresh(self, kind):
        if kind == "street":
            x, t = data.mask_batch(self.street, 1, 288, 384, 0.55, 1.8, data.VOID)
        elif kind == "salient":
            x, t = data.mask_batch(self.salient, 1, 272, 272, 0.55, 1.15, 0)
        else:
            x, t = data.mask_batch(self.images, 1, 272, 272, 0.6, 1.2, 0)
        x = colour(x).to(self.device)
        y = self.m.g_a(x)
        item = {"y": y[0].half().cpu(), "t": t[0, 2::4, 2::4].byte()}
        if kind == "street":
            item["there"] = (F.one_hot(t.flatten(), 12).sum(0)[:11] > 60).float()
        if self.teacher is not None:
            soft = self.teacher(x, y, "label" if kind == "street" else "saliency")
            item["soft"] = soft[0].half().cpu()
        if kind == "photo" and self.basis is not None:
            c = self.generic.features(x)[2] - self.basis[0].view(1, -1, 1, 1)
            item["generic"] = F.conv2d(c, self.basis[1][:, :, None, None])[0].half().cpu()
        return item

    def batch(self, kind, n):
        """n items of the pool, stacked, on the device; one in REUSE of them new"""
        pool = self.pools[kind]
        for _ in range(n if len(pool) < 4 * n else 1 if n < REUSE and random.random() < n / REUSE else n // REUSE):
            item = self.fresh(kind)
            if len(pool) < POOL[kind]:
                pool.append(item)
            else:
                pool[random.randrange(len(pool))] = item
        chosen = random.sample(pool[-n:] if len(pool) < 2 * n else pool, n)
        return {k: torch.stack([c[k] for c in chosen]).to(self.device).float() for k in chosen[0]}


def rgb_teacher(device, root, path):
    """-> (function of x, y, kind giving logits; the untouched ImageNet features), or (None, None)"""
    small = os.path.join(HERE, "weights", "teacher.pt.xz")
    if not os.path.exists(path) and not os.path.exists(small):
        return None, None
    t, g = Teacher(), Teacher()
    t.load_state_dict(torch.load(path, map_location="cpu")["model"] if os.path.exists(path) else store.load_state(small))
    g.load_features(os.path.join(root, "weights/squeezenet1.1-features-caffe-tf-order.h5"))
    t, g = (v.to(device, memory_format=torch.channels_last).eval() for v in (t, g))
    return (lambda x, y, kind: t(x, (kind,))[0]), g


def set_teacher(name, root, out, device):
    """the heads of another model set as teacher"""
    from head_networks import load_heads
    cfg = json.load(open(os.path.join(HERE, "configs", name + ".json")))
    klt = torch.load(os.path.join(root, "weights/klt.pt"), map_location="cpu")
    m = ModelSet(cfg, klt)
    m.load_state_dict(store.load_state(os.path.join(out, name, "last.pt")))
    heads = load_heads(cfg, klt, os.path.join(out, name, "heads.pt"))
    m, heads = (v.to(device, memory_format=torch.channels_last).eval() for v in (m, heads))
    return lambda x, y, kind: heads.saliency(m.g_a(x)) if kind == "saliency" else heads.label(m.g_a(x))[0]


def label_loss(net, b, weights):
    """b: batch of street scenes -> loss, cross entropy"""
    h, d, s = net.trunk.grid(b["y"])
    maps, t = net.o(net.trunk.up(h, d, s)), b["t"].long()
    ce = F.cross_entropy(maps, t, weight=weights, ignore_index=data.VOID)
    p, known = maps.softmax(1), (t != data.VOID).float()[:, None]
    truth = F.one_hot(t, 12).permute(0, 3, 1, 2)[:, :11].float()
    p = p * known
    both, area = (p * truth).sum((0, 2, 3)), truth.sum((0, 2, 3))
    iou = both / (p.sum((0, 2, 3)) + area - both).clamp(min=1)
    loss = ce + 0.5 * (1 - iou[area > 0].mean())
    if "soft" in b:
        loss = loss + F.kl_div(maps.log_softmax(1), b["soft"].softmax(1), reduction="none").sum(1).mean()
    presence = net.presence(torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1))
    return loss + 0.2 * F.binary_cross_entropy_with_logits(presence, b["there"]), float(ce)


def saliency_loss(net, a, b):
    """a: pictures with masks; b: photographs with soft outputs only, or None -> loss, loss against the masks"""
    if b is None:
        p = net(a["y"])[:, 0]
        loss = hard = region_loss(p, (a["t"] > 127).float())
    else:
        p = net(torch.cat([a["y"], b["y"]]))[:, 0]
        n = len(a["y"])
        hard = region_loss(p[:n], (a["t"] > 127).float())
        loss = hard + F.binary_cross_entropy_with_logits(p, torch.sigmoid(torch.cat([a["soft"], b["soft"]])[:, 0]))
    return loss, float(hard)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--minutes", type=float, required=True, help="length of the learning-rate cosine (wall time)")
    p.add_argument("--weights", help="weights with g_a (default: checkpoints/<set>/last.pt)")
    p.add_argument("--teacher", default="rgb", help="rgb, none, or the name of another set whose heads are trained")
    p.add_argument("--out", default=os.path.join(HERE, "checkpoints"))
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--learning-rate", type=float, default=2e-3)
    p.add_argument("--restart", action="store_true", help="new cosine from the average of the last state")
    p.add_argument("--limit", type=int, default=None, help="pictures of each kind (rehearsal only)")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    cfg = json.load(open(a.config))
    out = os.path.join(a.out, cfg["name"])
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "heads.pt")
    channel.seeded(cfg["seed"] + 2000)
    klt = torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")
    m = ModelSet(cfg, klt)
    m.load_state_dict(store.load_state(a.weights or os.path.join(out, "last.pt")))
    m = m.to(a.device, memory_format=torch.channels_last).eval()
    heads = Heads(cfg, klt).to(a.device, memory_format=torch.channels_last).train()
    soft, generic = rgb_teacher(a.device, a.data, os.path.join(a.out, "teacher", "teacher.pt"))
    if a.teacher == "none":
        soft = None
    elif a.teacher != "rgb":
        soft = set_teacher(a.teacher, a.data, a.out, a.device)
    src = Sources(m, a.data, soft, generic, a.device, a.limit)
    weights = class_weights(src.street).to(a.device)
    heads.saliency.load_state_dict(m.saliency.state_dict())
    # without batch norms and from a trained state, the saliency head takes smaller steps
    opt = torch.optim.AdamW([{"params": heads.label.parameters(), "m": 1.0}, {"params": heads.saliency.parameters(), "m": 0.25}],
                            a.learning_rate, weight_decay=5e-3)
    avg, step, run_s, total_s = Average(heads), 0, 0.0, 0.0
    if os.path.exists(path):
        s = torch.load(path, map_location="cpu")
        heads.load_state_dict(s["average"] if a.restart else s["model"])
        avg.load(s["average"])
        step, total_s = s["step"], s["total_s"]
        if not a.restart:
            opt.load_state_dict(s["opt"])
            run_s = s["run_s"]
        channel.seeded(cfg["seed"] + 2000 + step)
    first_step, since = step, time.time()
    log = open(os.path.join(out, "heads.jsonl"), "a")

    def note(**kv):
        log.write(json.dumps({k: (round(v, 4) if isinstance(v, float) else v) for k, v in kv.items()}) + "\n")
        log.flush()
        print(kv, flush=True)

    def save(**more):
        torch.save(dict(model=heads.state_dict(), average=avg.state, opt=opt.state_dict(), step=step, run_s=run_s,
                        total_s=total_s + time.time() - since, config=cfg, teacher=a.teacher if soft else "none",
                        seed=cfg["seed"] + 2000, **more), path + ".new")
        os.replace(path + ".new", path)

    note(event="run", minutes=a.minutes, step=step, teacher=a.teacher if soft else "none", generic=generic is not None,
         parameters={n: sum(q.numel() for q in c.parameters()) for n, c in heads.named_children()})
    t0, sums, stop, budget_s = time.time() - run_s, {}, [], a.minutes * 60
    last_note = last_save = time.time()
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    while True:
        run_s, now = time.time() - t0, time.time()
        done = run_s >= budget_s
        if sums and (done or now - last_note > 60):
            note(step=step, minute=run_s / 60, **{k: v[1] / v[0] for k, v in sums.items()},
                 **{"s_" + k: v[2] / v[0] for k, v in sums.items()})
            sums, last_note = {}, now
        if stop or now - last_save > 240:
            save()
            last_save = now
        if stop:
            return note(event="stopped", step=step)
        if done:
            break
        for g in opt.param_groups:
            fall = 0.99 * 0.5 * (1 + math.cos(math.pi * run_s / budget_s)) + 0.01
            g["lr"] = g["m"] * a.learning_rate * min(1, (step - first_step + 1) / 100) * fall
        t = time.time()
        if step % 2 == 0:
            kind = "label"
            loss, shown = label_loss(heads.label, src.batch("street", 6), weights)
            if generic is not None:
                b = src.batch("photo", 2)
                h = heads.label.trunk.grid(b["y"])[0]
                aux = F.smooth_l1_loss(heads.label.generic(h), b["generic"])
                loss = loss + 0.3 * aux
                q = sums.setdefault("generic", [0, 0.0, 0.0])
                q[0], q[1] = q[0] + 1, q[1] + float(aux)
        else:
            kind = "saliency"
            loss, shown = saliency_loss(heads.saliency, src.batch("salient", 4), src.batch("photo", 4) if soft else None)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        if math.isfinite(float(torch.nn.utils.clip_grad_norm_(heads.parameters(), 5.0))):
            opt.step()
        step += 1
        if step % 10 == 0:
            avg.update(heads, min(0.985, (step - first_step) / (step - first_step + 60)))
        c = sums.setdefault(kind, [0, 0.0, 0.0])
        c[0], c[1], c[2] = c[0] + 1, c[1] + shown, c[2] + time.time() - t
    src.pools.clear()
    save()
    heads.load_state_dict(avg.state)
    found = codebook.fit(m, heads.eval(), src, a.device, seed=cfg["seed"] + 3000)
    avg.state.update({k: v for k, v in heads.state_dict().items() if k in found["keys"]})
    for k, v in m.saliency.state_dict().items():         # half way between stage A and the fine-tuned head [Wortsman22]
        avg.state["saliency." + k].lerp_(v.to(avg.state["saliency." + k]), 0.5)
    save(clusterColours=found["colours"], codebook=found["report"])
    note(event="end", step=step, **found["report"])


if __name__ == "__main__":
    main()
