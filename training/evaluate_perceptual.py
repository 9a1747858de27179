"""Figures of the perceptual synthesis beside the plain one.

  python3 evaluate_perceptual.py --config configs/base.json --data DIR [--every N] [--sheets DIR]

Kodak through the quantised path (step levels 4, 7, 10) and the channel (AWGN, CBR 1/16): PSNR, MS-SSIM (of luma), gradient energy
against the source's, Butteraugli 3-norm where butteraugli_main (libjxl-devtools) is installed (lower is better), and the
SqueezeNet distance, which was trained on and so proves nothing.
"""
import argparse
import copy
import json
import os
import re
import shutil
import subprocess
import tempfile

import torch
import torch.nn.functional as F
from PIL import Image

import damage
import data
import evaluate
import loop
import rate
import sheets
import squeeze
from perceptual import block_energy

MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ms_ssim(a, b):
    """Wang, Simoncelli, Bovik 2003 on 8-bit luma: 11x11 Gaussian (1.5), five scales, valid windows; a, b [1,3,H,W] 0..1"""
    grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    a, b = (((v.clamp(0, 1) * 255).round() * grey).sum(1, keepdim=True) for v in (a, b))
    t = torch.exp(-(torch.arange(11.0) - 5) ** 2 / 4.5)
    k = (t[:, None] * t / t.sum() ** 2)[None, None]
    out = 1.0
    for i, weight in enumerate(MS_WEIGHTS):
        ma, mb = F.conv2d(a, k), F.conv2d(b, k)
        va, vb, c = F.conv2d(a * a, k) - ma * ma, F.conv2d(b * b, k) - mb * mb, F.conv2d(a * b, k) - ma * mb
        cs = (2 * c + 58.5225) / (va + vb + 58.5225)
        if i == 4:
            cs = cs * (2 * ma * mb + 6.5025) / (ma * ma + mb * mb + 6.5025)
        out *= float(cs.mean().clamp(min=0)) ** weight
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return out


def butteraugli(a, b, folder):
    """3-norm of two pictures [1,3,H,W], or None without the tool"""
    if shutil.which("butteraugli_main") is None:
        return None
    paths = []
    for n, v in enumerate((a, b)):
        paths.append(os.path.join(folder, f"{n}.png"))
        sheets.to_image(v, *v.shape[2:]).save(paths[-1], compress_level=1)
    text = subprocess.run(["butteraugli_main", *paths], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"3-norm: ([0-9.]+)", text).group(1))


def conditions(m, x):
    """(name, y_hat, quality) of each condition"""
    y = m.g_a(data.pad16(x))
    for level in (4, 7, 10):
        y_hat, q, _ = damage.rounded(m, y, torch.full((1, 1, 1, 1), 0.03 * 2 ** (level / 3)))
        yield f"level{level}", y_hat, q
    cls, side = evaluate.encode_side(m, y, evaluate.smoothing(1 / 16))
    for snr in (1, 10):
        got = []
        keep, m.g_s.forward = m.g_s.forward, lambda *v: got.extend(v)
        try:
            evaluate.send(m, y, cls, snr, 48 - side)
        finally:
            m.g_s.forward = keep
        yield f"awgn{snr}dB", got[0], got[1]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "data"):
        p.add_argument("--" + name, required=True)
    for name in ("weights", "perceptual", "sheets"):
        p.add_argument("--" + name)
    p.add_argument("--out", default=os.path.join(loop.HERE, "checkpoints"))
    p.add_argument("--every", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cfg = json.load(open(a.config))
    out = os.path.join(a.out, cfg["name"])
    m, _ = loop.frozen(cfg, a.data, out, a.weights)
    state = torch.load(a.perceptual or os.path.join(out, "perceptual.pt"), map_location="cpu")
    tuned = copy.deepcopy(m.g_s)
    tuned.load_state_dict(state["average"])
    print(json.dumps({"steps": state["steps"], "seconds": round(state["seconds"])}))
    sq = squeeze.SqueezeNet(a.data)
    rows = {}
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        for n, img in enumerate(data.kodak(a.data)[::a.every]):
            x = data.to_batch([img])
            h, w = x.shape[2:]
            for name, y_hat, q in conditions(m, x):
                shown = [("source", x)]
                for kind, g_s in (("plain", m.g_s), ("perceptual", tuned)):
                    v = g_s(y_hat, q)[..., :h, :w].clamp(0, 1)
                    rows.setdefault((name, kind), []).append((
                        evaluate.psnr(v, x), ms_ssim(v, x), float(block_energy(v).mean() / block_energy(x).mean()),
                        float(squeeze.distance(sq(v), sq(x))), butteraugli(v, x, folder)))
                    shown.append((f"{kind} {rows[name, kind][-1][0]:.2f} dB", v))
                if a.sheets and n % 4 == 0:
                    cells = torch.zeros(h // 16, w // 16)
                    cells[8:20, 14:32] = 1
                    sheets.row(a.sheets, f"perceptual-{name}", n, x, cells.numpy() > 0, shown)
    for (name, kind), r in rows.items():
        mean = [None if c[0] is None else round(sum(c) / len(c), 4) for c in zip(*r)]
        print(json.dumps({"condition": name, "synthesis": kind, "pictures": len(r), "psnrDb": mean[0], "msSsim": mean[1],
                          "gradientEnergy": mean[2], "squeezeDistance": mean[3], "butteraugli3": mean[4]}))


if __name__ == "__main__":
    main()
