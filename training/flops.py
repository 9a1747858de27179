"""What every network of a set costs.  python3 flops.py --config configs/base.json --data DIR

Floating-point operations (2 per multiply-add of convolutions and linear layers; the rest is below 2 %) for each pixel of
the photo, measured by running the networks on 256x256, and parameters. Limits of a side: base 50 000, live 9 000.
"""
import argparse
import json
import os

import torch
import torch.nn.functional as F

from head_networks import Heads
from networks import ModelSet

LIMIT = {"base": 50000, "live": 9000}


def count(fn, *inputs, pixels=65536):
    """-> operations a pixel, result. Counts what goes through F.conv2d and F.linear while fn runs."""
    total, conv, linear = [0], F.conv2d, F.linear

    def conv2d(x, w, *rest, **named):
        out = conv(x, w, *rest, **named)
        total[0] += 2 * out.numel() * w[0].numel()
        return out

    def lin(x, w, *rest):
        out = linear(x, w, *rest)
        total[0] += 2 * out.numel() * w.shape[1]
        return out
    F.conv2d, F.linear = conv2d, lin
    try:
        with torch.no_grad():
            out = fn(*inputs)
    finally:
        F.conv2d, F.linear = conv, linear
    return round(total[0] / pixels), out


def costs(m, heads):
    """{role: operations a pixel}; m ModelSet, heads Heads in evaluation mode"""
    k = torch.full((1, 1, 16, 16), 48.0)
    cls, one = torch.zeros(1, 16, 16).long(), torch.ones(1, 1, 1, 1)
    out = {}
    out["analysis"], y = count(m.g_a, torch.rand(1, 3, 256, 256))
    out["symbol-encoder"], z = count(m.f_e, y, cls, k, 0 * k)
    out["symbol-decoder"], (y_hat, quality) = count(m.f_d, z, one, cls, k, 0 * k, m.var)
    out["synthesis"], _ = count(m.g_s, y_hat, quality)
    out["labels"], _ = count(heads.label, y)
    out["saliency"], _ = count(heads.saliency, y)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", required=True)
    p.add_argument("--data", required=True)
    a = p.parse_args()
    cfg = json.load(open(a.config))
    klt = torch.load(os.path.join(a.data, "weights/klt.pt"), map_location="cpu")
    m, heads = ModelSet(cfg, klt).eval(), Heads(cfg, klt).fused()
    c = costs(m, heads)
    modules = {"analysis": m.g_a, "symbol-encoder": m.f_e, "symbol-decoder": m.f_d, "synthesis": m.g_s, "labels": heads.label,
               "saliency": heads.saliency}
    print(json.dumps({"flopsPerPixel": c, "parameters": {k: sum(q.numel() for q in v.parameters()) for k, v in modules.items()},
                      "transmitter": c["analysis"] + c["symbol-encoder"] + c["labels"] + c["saliency"],
                      "receiver": c["symbol-decoder"] + c["synthesis"], "limitOfASide": LIMIT.get(cfg["name"])}, indent=1))


if __name__ == "__main__":
    main()
