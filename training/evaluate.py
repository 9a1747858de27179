"""Figures of a model set.

  python3 evaluate.py --weights FILE --config configs/base.json --data DIR [--kodak] [--monotone] [--every N]
                      [--heads FILE | --stage-a-heads]

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
import head_figures
import rate
import store
from head_networks import load_heads
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
        row, similar = [], []
        for snr in snrs:
            out, k = send(m, y, cls, snr, budget - side, theta_factor)
            out = out[:, :, :x.shape[2], :x.shape[3]]
            row.append(psnr(out, x))
            if report is not None:
                similar.append(ms_ssim(out, x))
        rows.append(row)
        if report is not None:
            report.append({"side": side, "k": float(k.mean()), "cbr": (side + float(k.mean())) / 768, "psnr": row, "msSsim": similar})
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


def gauss_blur(x):
    """[N,C,H,W] with an 11-tap Gaussian of sigma 1.5, valid part only"""
    g = torch.exp(-(torch.arange(11) - 5.0) ** 2 / 4.5)
    g = (g / g.sum()).repeat(x.shape[1], 1)
    x = F.conv2d(x, g.view(-1, 1, 11, 1), groups=x.shape[1])
    return F.conv2d(x, g.view(-1, 1, 1, 11), groups=x.shape[1])


def ms_ssim(a, b):
    """multi-scale SSIM (Wang 2003, 5 scales, mean of the three colours) of two [1,3,H,W] images 0..1 as 8 bit; both sides
    >= 176 pixels"""
    a, b = (a.clamp(0, 1) * 255).round() / 255, (b * 255).round() / 255
    out = torch.ones(a.shape[1])
    for i, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if i:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        ma, mb = gauss_blur(a), gauss_blur(b)
        va, vb, cov = gauss_blur(a * a) - ma * ma, gauss_blur(b * b) - mb * mb, gauss_blur(a * b) - ma * mb
        cs = (2 * cov + 9e-4) / (va + vb + 9e-4)
        if i == 4:
            cs = cs * (2 * ma * mb + 1e-4) / (ma * ma + mb * mb + 1e-4)
        out = out * cs.mean((0, 2, 3)).clamp(min=0) ** weight
    return float(out.mean())


@torch.no_grad()
def monotone(m, images, cbrs=(1 / 48, 1 / 24, 1 / 16, 1 / 12), snrs=tuple(range(20, -3, -1))):
    """each picture over SNR (at CBR 1/16) and over rate (at 10 dB), one noise for all: the largest fall of PSNR [dB] where it
    should rise, and the largest change of one step of 1 dB"""
    fall, jump, fall_rate = 0.0, 0.0, 0.0
    for img in images:
        x = data.to_batch([img])
        y = m.g_a(data.pad16(x))

        def at(cbr, snr):
            torch.manual_seed(0)
            cls, side = encode_side(m, y, smoothing(cbr))
            return psnr(send(m, y, cls, snr, 768 * cbr - side)[0][:, :, :x.shape[2], :x.shape[3]], x)
        rows = [at(1 / 16, s) for s in snrs]
        steps = [a - b for a, b in zip(rows, rows[1:])]
        fall, jump = max(fall, -min(steps)), max(jump, max(steps))
        rates = [at(c, 10) for c in cbrs]
        fall_rate = max(fall_rate, max(a - b for a, b in zip(rates, rates[1:])))
    return {"fallSnrDb": round(fall, 4), "largestStepDb": round(jump, 3), "fallRateDb": round(fall_rate, 4), "pictures": len(images)}


def load(config, weights, root):
    cfg = json.load(open(config))
    m = ModelSet(cfg, torch.load(f"{root}/weights/klt.pt", map_location="cpu"))
    m.load_state_dict(store.load_state(weights))
    return m.to(memory_format=torch.channels_last).eval()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "config", "data"):
        p.add_argument("--" + name, required=True)
    for name in ("kodak", "monotone", "stage-a-heads"):
        p.add_argument("--" + name, action="store_true")
    p.add_argument("--heads", help="heads.pt: labels, presence, street and saliency on the test sets")
    p.add_argument("--every", type=int, default=1, help="every N-th Kodak image")
    p.add_argument("--theta", type=float, default=1.0)
    a = p.parse_args()
    torch.set_num_threads(1)
    m = load(a.config, a.weights, a.data)
    images = data.kodak(a.data)[::a.every]
    with torch.no_grad():
        if a.kodak:
            for inv in (48, 24, 16, 12):
                rep = []
                row = kodak_psnr(m, images, 1 / inv, theta_factor=a.theta, report=rep)
                print(json.dumps({"cbr": f"1/{inv}", "snrDb": SNRS, "psnrDb": row,
                                  "msSsim": [round(sum(c) / len(c), 4) for c in zip(*[r["msSsim"] for r in rep])],
                                  "maxCbr": round(max(r["cbr"] for r in rep), 5),
                                  "meanSideSymbols": round(sum(r["side"] for r in rep) / len(rep), 2)}), flush=True)
            print(json.dumps({"quantised": quantised(m, images)}), flush=True)
        if a.monotone:
            print(json.dumps({"monotone": monotone(m, images)}), flush=True)
        if a.heads or a.stage_a_heads:
            klt = torch.load(f"{a.data}/weights/klt.pt", map_location="cpu")
            heads = load_heads(m.cfg, klt, a.heads) if a.heads else head_figures.StageAHeads(m)
            labels, street = head_figures.street_figures(m, heads, data.pairs(a.data, "camvid/test"))
            print(json.dumps({"labels": labels}), flush=True)
            saliency, other = head_figures.saliency_figures(m, heads, data.pairs(a.data, "saliency/test"))
            print(json.dumps({"saliency": saliency}), flush=True)
            if a.heads:
                print(json.dumps({"streetAccuracy": head_figures.street_accuracy(m, heads, street, other, data.kodak(a.data))}))


if __name__ == "__main__":
    main()
