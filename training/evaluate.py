"""Figures of a model set.

  python3 evaluate.py --weights FILE --config configs/base.json --data DIR [--kodak] [--labels] [--saliency] [--every N]

Kodak PSNR: mean over images of the PSNR of 8-bit pictures, AWGN at the true SNR, the budget 768 * CBR complex symbols an
embedding per image including side information: the class map at its ideal adaptive code length plus 40 bytes (scale,
tables, rates, CRC), both at SIDE_BITS bits a symbol.
"""
import argparse
import json

import torch
import torch.nn.functional as F

import channel
import data
import rate
import store
from networks import ModelSet

SIDE_BITS = 0.38       # QPSK with the lowest rate of LDPC base graph 2 (1/5), less 5 %
SIDE_FIXED_BYTES = 40
SNRS = (1, 4, 7, 10, 13)


def psnr(a, b):
    """mean-square PSNR of two [N,3,H,W] images 0..1 after rounding to 8 bit"""
    d = ((a.clamp(0, 1) * 255).round() - (b * 255).round()) / 255
    return float(-10 * torch.log10(d.pow(2).mean().clamp(min=1e-10)))


def encode_side(m, y, strength, coarse=True):
    """class map and the symbols that side information takes of each embedding's share"""
    low, high = (float(v) for v in m.class_range)
    cls = rate.smooth_classes(rate.activity(y)[0].log(), low, high, strength, coarse)[None]
    bits = rate.class_map_bits(cls[0] // 2 if coarse else cls[0]) + 8 * SIDE_FIXED_BYTES
    return cls, bits / SIDE_BITS / cls.numel()


def kodak_psnr(m, images, cbr, snrs=SNRS, theta_factor=1.0, strength=None, report=None, coarse=True):
    """mean PSNR for each SNR [dB]"""
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    strength = smoothing(cbr) if strength is None else strength
    rows = []
    for img in images:
        x = data.to_batch([img])
        y = m.g_a(data.pad16(x))
        budget = 768 * cbr
        cls, side = encode_side(m, y, strength, coarse)
        row = []
        for snr in snrs:
            out, k = send(m, y, cls, snr, budget - side, theta_factor)
            row.append(psnr(out[:, :, :x.shape[2], :x.shape[3]], x))
        rows.append(row)
        if report is not None:
            report.append({"side": side, "k": float(k.mean()), "cbr": (side + float(k.mean())) / 768})
    torch.set_rng_state(torch_state)
    return [round(sum(c) / len(c), 3) for c in zip(*rows)]


def smoothing(cbr):
    """how strongly the class map is smoothed: a cheap map matters most at low rate"""
    return min(8.0, 2.0 / (cbr * 16))


def send(m, y, cls, snr, symbols, theta_factor=1.0):
    """one image over AWGN; symbols = mean payload symbols an embedding. -> picture, k"""
    s, b = torch.tensor([float(snr)]), torch.tensor([float(symbols)])
    var = m.var
    theta = rate.theta_for(var, cls, b, s) * theta_factor
    k = rate.allocate(cls, var, theta, b, exact=True)
    mask = rate.prefix_mask(k)
    z = m.f_e(y, cls, k, s.view(1, 1, 1, 1).expand_as(k)) * mask.repeat_interleave(2, 1)
    scale = torch.sqrt(z.pow(2).sum((1, 2, 3), keepdim=True) / mask.sum((1, 2, 3), keepdim=True).clamp(min=1))
    scale = torch.exp2((scale.log2() * 16).round() / 16)           # the 8-bit scale of the side information
    r, known = channel.awgn(z / scale, mask, snr)
    y_hat, quality = m.f_d(r, scale, cls, k, known, var)
    return m.g_s(y_hat, quality), k


def quantised(m, images, factors=(0.1, 0.2, 0.4)):
    """[(bits a pixel by the rate proxy, PSNR)] of the quantised path"""
    out = []
    for f in factors:
        rows = []
        for img in images:
            x = data.to_batch([img])
            y = m.g_a(data.pad16(x))
            cls = m.classify(y)
            step = m.entropy.step(torch.full((1, 1, 1, 1), f))
            q = (y / step).round() * step
            var = F.embedding(cls, m.var).permute(0, 3, 1, 2)
            quality = torch.log10(torch.minimum(var, step ** 2 / 12).sum(1, keepdim=True) + 1e-4)
            rows.append((float(m.entropy.bits(q, cls, step).mean()) / 256, psnr(m.g_s(q, quality)[..., :x.shape[2], :x.shape[3]], x)))
        out.append([round(sum(c) / len(c), 3) for c in zip(*rows)])
    return out


def camvid_iou(m, items):
    """per-class IoU from one confusion matrix over the set at full resolution, void excluded; and presence AP"""
    conf = torch.zeros(11, 11)
    scores, there = [], []
    for rgb, t in items:
        x = data.pad16(data.to_batch([rgb]))
        maps, presence = m.label(m.g_a(x))
        p = F.interpolate(maps, x.shape[2:], mode="bilinear", align_corners=False).argmax(1)[0, :t.shape[0], :t.shape[1]]
        ok = t < 11
        conf += torch.bincount(t[ok].long() * 11 + p[ok], minlength=121).view(11, 11)
        scores.append(presence[0])
        there.append((F.one_hot(t.flatten().long(), 12).sum(0)[:11] > 100))
    iou = conf.diag() / (conf.sum(0) + conf.sum(1) - conf.diag()).clamp(min=1)
    return iou, [average_precision(torch.stack(scores)[:, c], torch.stack(there)[:, c]) for c in range(11)]


def average_precision(score, truth):
    if not truth.any() or truth.all():
        return None
    t = truth[score.argsort(descending=True)].float()
    return float((t.cumsum(0) / torch.arange(1, len(t) + 1) * t).sum() / t.sum())


def max_f(m, items, centre=False):
    """maximum over one threshold of F (beta^2 = 0.3) from precision and recall averaged over the images"""
    th = torch.linspace(0, 1, 101)
    pr, rc = torch.zeros(101), torch.zeros(101)
    for rgb, t in items:
        x = data.pad16(data.to_batch([rgb]))
        if centre:
            i, j = torch.linspace(-1, 1, t.shape[0]).view(-1, 1), torch.linspace(-1, 1, t.shape[1])
            s = torch.exp(-2 * (i * i + j * j))
        else:
            s = torch.sigmoid(F.interpolate(m.saliency(m.g_a(x)), x.shape[2:], mode="bilinear", align_corners=False))
            s = s[0, 0, :t.shape[0], :t.shape[1]]
            s = (s - s.min()) / (s.max() - s.min()).clamp(min=1e-6)
        truth = t > 127
        bins = (s * 100).floor().clamp(0, 100).long().flatten()
        pos = torch.bincount(bins[truth.flatten()], minlength=101).flip(0).cumsum(0).flip(0).float()
        every = torch.bincount(bins, minlength=101).flip(0).cumsum(0).flip(0).float()
        pr += pos / every.clamp(min=1)
        rc += pos / truth.sum().clamp(min=1)
    pr, rc = pr / len(items), rc / len(items)
    return float((1.3 * pr * rc / (0.3 * pr + rc).clamp(min=1e-9)).max()), float(th[0])


def load(config, weights, root):
    cfg = json.load(open(config))
    m = ModelSet(cfg, torch.load(f"{root}/weights/klt.pt", map_location="cpu"))
    m.load_state_dict(store.load_state(weights))
    return m.to(memory_format=torch.channels_last).eval()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "config", "data"):
        p.add_argument("--" + name, required=True)
    for name in ("kodak", "labels", "saliency"):
        p.add_argument("--" + name, action="store_true")
    p.add_argument("--every", type=int, default=1, help="every N-th Kodak image")
    p.add_argument("--theta", type=float, default=1.0)
    a = p.parse_args()
    torch.set_num_threads(1)
    m = load(a.config, a.weights, a.data)
    with torch.no_grad():
        if a.kodak:
            images = data.kodak(a.data)[::a.every]
            for inv in (48, 24, 16, 12):
                rep = []
                row = kodak_psnr(m, images, 1 / inv, theta_factor=a.theta, report=rep)
                print(json.dumps({"cbr": f"1/{inv}", "snrDb": SNRS, "psnrDb": row,
                                  "maxCbr": round(max(r["cbr"] for r in rep), 5),
                                  "meanSideSymbols": round(sum(r["side"] for r in rep) / len(rep), 2)}), flush=True)
            print(json.dumps({"quantised": quantised(m, images)}), flush=True)
        if a.labels:
            iou, ap = camvid_iou(m, data.pairs(a.data, "camvid/test"))
            print(json.dumps({"mIoU": round(float(iou.mean()), 4), "iou": dict(zip(data.CAMVID_CLASSES, [round(float(v), 3) for v in iou])),
                              "presenceAP": dict(zip(data.CAMVID_CLASSES, ap))}), flush=True)
        if a.saliency:
            items = data.pairs(a.data, "saliency/test")
            print(json.dumps({"maxF": round(max_f(m, items)[0], 4), "centrePriorMaxF": round(max_f(m, items, True)[0], 4)}), flush=True)


if __name__ == "__main__":
    main()
