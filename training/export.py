"""ONNX files of a model set (opset 13, batch 1, free height and width in multiples of 16) and reference tensors.

  python3 export.py --weights FILE --config configs/base.json --data DIR -o OUT [--size 512x768]

Files: g_a, g_s, f_e, f_d, label, saliency (.onnx) and tables.json (class edges, class variances, entropy scales, steps).
OUT/check/*.bin hold little-endian inputs and PyTorch's outputs for `node check_export.mjs OUT`.

  g_a       x [1,3,H,W] 0..1                                   -> y [1,C,h,w]          h = H/16, w = W/16
  f_e       y, cls int64 [1,h,w], k, snrDb [1,1,h,w]           -> z [1,384,h,w]
  f_d       r [1,384,h,w], scale [1,1,1,1], cls, k, snrDb      -> yHat [1,C,h,w], quality [1,1,h,w]
  g_s       yHat, quality                                      -> image [1,3,H,W]
  label     y                                                  -> maps [1,11,H/4,W/4], presence [1,11]
  saliency  y                                                  -> map [1,1,H/4,W/4] (logit)
"""
import argparse
import json
import os

import torch

import evaluate
from rate import K_SET, N_CLASS, THETA0


class Decoder(torch.nn.Module):
    """f_d with the class variances inside"""

    def __init__(self, m):
        super().__init__()
        self.f_d = m.f_d
        self.register_buffer("var", m.var.clone())

    def forward(self, r, scale, cls, k, snr_db):
        return self.f_d(r, scale, cls, k, snr_db, self.var)


def dump(path, t):
    t.detach().contiguous().numpy().tofile(path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "config", "data"):
        p.add_argument("--" + name, required=True)
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--size", default="512x768", help="HxW of the reference tensors")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    m = evaluate.load(a.config, a.weights, a.data)
    height, width = (int(v) for v in a.size.split("x"))
    h, w, c = height // 16, width // 16, m.cfg["channels"]
    os.makedirs(os.path.join(a.out, "check"), exist_ok=True)
    low = torch.rand(1, 3, h, w)
    x = (torch.nn.functional.interpolate(low, (height, width), mode="bicubic", align_corners=False)
         + 0.05 * torch.randn(1, 3, height, width)).clamp(0, 1)
    with torch.no_grad():
        y = m.g_a(x)
        cls = m.classify(y)
        k = torch.tensor(K_SET, dtype=torch.float32)[torch.randint(len(K_SET), (1, 1, h, w))]
        snr = torch.rand(1, 1, h, w) * 24 - 4
        z = m.f_e(y, cls, k, snr)
        scale = z.pow(2).mean().sqrt().view(1, 1, 1, 1)
        r = z / scale * (snr > -2)
        y_hat, quality = m.f_d(r, scale, cls, k, snr, m.var)
    parts = {
        "g_a": (m.g_a, dict(x=x), ["y"]),
        "f_e": (m.f_e, dict(y=y, cls=cls, k=k, snrDb=snr), ["z"]),
        "f_d": (Decoder(m), dict(r=r, scale=scale, cls=cls, k=k, snrDb=snr), ["yHat", "quality"]),
        "g_s": (m.g_s, dict(yHat=y_hat, quality=quality), ["image"]),
        "label": (m.label, dict(y=y), ["maps", "presence"]),
        "saliency": (m.saliency, dict(y=y), ["map"]),
    }
    spec = {}
    for name, (module, inputs, outputs) in parts.items():
        axes = {n: {t.ndim - 2: "h", t.ndim - 1: "w"} for n, t in inputs.items() if n != "scale"}
        axes |= {n: {2: "ho", 3: "wo"} for n in outputs if n != "presence"}
        path = os.path.join(a.out, name + ".onnx")
        torch.onnx.export(module, tuple(inputs.values()), path, opset_version=13, input_names=list(inputs),
                          output_names=outputs, dynamic_axes=axes)
        with torch.no_grad():
            result = module(*inputs.values())
        result = result if isinstance(result, tuple) else (result,)
        spec[name] = {"inputs": [], "outputs": []}
        for side, tensors in (("inputs", inputs.items()), ("outputs", zip(outputs, result))):
            for n, t in tensors:
                dump(os.path.join(a.out, "check", f"{name}.{n}.bin"), t)
                spec[name][side].append({"name": n, "shape": list(t.shape), "type": str(t.dtype)[6:]})
        print(name, os.path.getsize(path), "bytes")
    json.dump(spec, open(os.path.join(a.out, "check", "spec.json"), "w"), indent=1)
    edges = torch.linspace(0, 1, N_CLASS + 1) * (m.class_range[1] / m.class_range[0]).log() + m.class_range[0].log()
    json.dump({"channels": c, "theta0": THETA0, "kSet": K_SET, "activityEdges": edges.exp()[1:-1].tolist(),
               "variance": m.var.tolist(), "laplaceScale": m.entropy.logb.exp().tolist(),
               "step": m.entropy.logstep.exp().tolist()}, open(os.path.join(a.out, "tables.json"), "w"))


if __name__ == "__main__":
    main()
