"""Teacher of the heads: SqueezeNet v1.1 (ImageNet features, weights/squeezenet1.1-*.h5) with a small decoder, on RGB.

  python3 teacher.py --data DIR --minutes 20          starts, or resumes checkpoints/teacher/teacher.pt

Trained on CamVid train (labels) and ECSSD train (saliency) only. Its soft outputs are a training loss of `heads.py` on
those pictures and on photographs without masks; it is never shipped and never measures a received picture.
"""
import argparse
import json
import math
import os
import random
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import channel
import data

CAFFE_MEAN = (104.0, 117.0, 123.0)       # blue, green, red
WIDTHS = {2: (64, 16, 64), 3: (128, 16, 64), 4: (128, 32, 128), 5: (256, 32, 128), 6: (256, 48, 192),
          7: (384, 48, 192), 8: (384, 64, 256), 9: (512, 64, 256)}


class Fire(nn.Module):
    def __init__(self, c, squeeze, expand):
        super().__init__()
        self.s, self.e1, self.e3 = nn.Conv2d(c, squeeze, 1), nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, 1, 1)

    def forward(self, x):
        x = torch.relu(self.s(x))
        return torch.relu(torch.cat([self.e1(x), self.e3(x)], 1))


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


class Teacher(nn.Module):
    """x [N,3,H,W] 0..1 (multiples of 16) -> label logits [N,11,H/4,W/4], saliency logit [N,1,H/4,W/4]"""

    def __init__(self, w=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 2, 1)
        for i, (c, s, e) in WIDTHS.items():
            setattr(self, f"fire{i}", Fire(c, s, e))
        self.l4, self.l8, self.l16 = nn.Conv2d(128, w, 1), nn.Conv2d(256, w, 1), nn.Conv2d(512, w, 1)
        self.g = nn.Linear(512, w)
        self.m16, self.m8 = block(w, w), block(w, w)
        self.label = nn.Sequential(block(w, w), nn.Conv2d(w, 11, 1))
        self.saliency = nn.Sequential(block(w, w), nn.Conv2d(w, 1, 1))
        self.register_buffer("mean", torch.tensor(CAFFE_MEAN).view(1, 3, 1, 1))

    def features(self, x):
        """[N,128,H/4,W/4], [N,256,H/8,W/8], [N,512,H/16,W/16]"""
        def pool(h):
            return F.max_pool2d(h, 3, 2, 1)
        a = self.fire3(self.fire2(pool(torch.relu(self.conv1(x.flip(1) * 255 - self.mean)))))
        b = self.fire5(self.fire4(pool(a)))
        return a, b, self.fire9(self.fire8(self.fire7(self.fire6(pool(b)))))

    def forward(self, x, want=("label", "saliency")):
        a, b, c = self.features(x)
        t = self.m16(0.03 * self.l16(c) + 0.03 * self.g(c.mean((2, 3)))[:, :, None, None])
        t = self.m8(F.interpolate(t, scale_factor=2.0, mode="bilinear", align_corners=False) + 0.03 * self.l8(b))
        t = F.interpolate(t, scale_factor=2.0, mode="bilinear", align_corners=False) + 0.03 * self.l4(a)
        return tuple(getattr(self, k)(t) for k in want)

    def load_features(self, path):
        import h5py
        with h5py.File(path) as f:
            def put(conv, group):
                found = []
                f[group].visititems(lambda n, o: found.append(o[()]) if isinstance(o, h5py.Dataset) else None)
                for v in found:
                    t = torch.from_numpy(v).float()
                    (conv.weight if t.ndim == 4 else conv.bias).data = t.permute(3, 2, 0, 1).contiguous() if t.ndim == 4 else t
            put(self.conv1, "conv1")
            for i in WIDTHS:
                fire = getattr(self, f"fire{i}")
                for conv, name in ((fire.s, "squeeze1x1"), (fire.e1, "expand1x1"), (fire.e3, "expand3x3")):
                    put(conv, f"fire{i}/{name}")


def colour(x):
    """random gains of the three colours, gamma and a little noise, one set for each picture"""
    n = len(x)
    x = x * (1 + 0.1 * torch.randn(n, 3, 1, 1, device=x.device))
    return x.clamp(0, 1) ** torch.exp(0.2 * torch.randn(n, 1, 1, 1, device=x.device))


def class_weights(items):
    """CamVid: 1/sqrt(frequency), mean 1 over pixels, at most 4"""
    n = sum(torch.bincount(t.flatten().long(), minlength=12)[:11].float() for _, t in items)
    f = (n / n.sum()).clamp(min=1e-6)
    return (f.rsqrt() / (f * f.rsqrt()).sum()).clamp(max=4)


def region_loss(p, t):
    """p logit, t 0/1 [N,h,w]: cross entropy + 1 - IoU"""
    q = torch.sigmoid(p)
    iou = (q * t).sum((1, 2)) / (q + t - q * t).sum((1, 2)).clamp(min=1)
    return F.binary_cross_entropy_with_logits(p, t) + 0.5 * (1 - iou).mean()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--minutes", type=float, required=True)
    p.add_argument("--out", default=os.path.join(here, "checkpoints", "teacher"))
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--seed", type=int, default=21)
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    channel.seeded(a.seed)
    os.makedirs(a.out, exist_ok=True)
    m = Teacher()
    m.load_features(os.path.join(a.data, "weights/squeezenet1.1-features-caffe-tf-order.h5"))
    m = m.to(a.device, memory_format=torch.channels_last)
    new = [q for n, q in m.named_parameters() if not n.startswith(("conv1", "fire"))]
    old = [q for n, q in m.named_parameters() if n.startswith(("conv1", "fire"))]
    opt = torch.optim.AdamW([{"params": new, "m": 1.0}, {"params": old, "m": 0.15}], 1e-3, weight_decay=1e-3)
    street, salient = data.pairs(a.data, "camvid/train"), data.pairs(a.data, "saliency/train")
    weight = class_weights(street).to(a.device)
    path = os.path.join(a.out, "teacher.pt")
    run_s, step = 0.0, 0
    if os.path.exists(path):
        s = torch.load(path, map_location=a.device)
        m.load_state_dict(s["model"])
        opt.load_state_dict(s["opt"])
        run_s, step = s["run_s"], s["step"]
        channel.seeded(a.seed + step)
    t0, last, sums = time.time() - run_s, time.time(), [0, 0.0, 0.0]
    log = open(os.path.join(a.out, "log.jsonl"), "a")
    while True:
        run_s = time.time() - t0
        done = run_s > a.minutes * 60
        if done or time.time() - last > 120:
            torch.save(dict(model=m.state_dict(), opt=opt.state_dict(), run_s=run_s, step=step, seed=a.seed), path + ".new")
            os.replace(path + ".new", path)
            row = {"step": step, "minute": run_s / 60, "label": sums[1] / max(1, sums[0]), "saliency": sums[2] / max(1, sums[0])}
            log.write(json.dumps(row) + "\n")
            log.flush()
            print(row, flush=True)
            last, sums = time.time(), [0, 0.0, 0.0]
        if done:
            return
        lr = 1e-3 * min(1, (step + 1) / 50) * (0.5 * (1 + math.cos(math.pi * min(1, run_s / (a.minutes * 60)))) + 0.01)
        for g in opt.param_groups:
            g["lr"] = lr * g["m"]
        x, t = data.mask_batch(street, 3, 240, 320, 0.6, 1.6, data.VOID)
        ce = F.cross_entropy(m(colour(x.to(a.device)), ("label",))[0], t[:, 2::4, 2::4].to(a.device), weight=weight,
                             ignore_index=data.VOID)
        side = random.choice((208, 256, 288))
        x, t = data.mask_batch(salient, 4, side, side, 0.55, 1.1, 0)
        sal = region_loss(m(colour(x.to(a.device)), ("saliency",))[0][:, 0], (t[:, 2::4, 2::4] > 127).float().to(a.device))
        opt.zero_grad(set_to_none=True)
        (ce + sal).backward()
        opt.step()
        step += 1
        sums = [sums[0] + 1, sums[1] + float(ce), sums[2] + float(sal)]


if __name__ == "__main__":
    main()
