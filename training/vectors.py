"""Example inputs of every network of a set, and the small vectors that the tests in TypeScript compare with.

The picture is a formula of smooth waves with seeded noise; from it every network gets what it would get in a transmission.
vectors NAME.json (schema sct-model-vectors/1): picture (8 bit RGB, base64), inputs of every network but `analysis` (little-endian
float32 or int32, base64), and of every output its largest value and up to 240 evenly spaced samples of PyTorch's numbers.
"""
import base64
import json
import os

import numpy as np
import torch

import export
from rate import K_SET

SAMPLES = 240


def picture(height, width, seed=7):
    """-> float image [1,3,H,W] of 8-bit values / 255"""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    noise = np.random.RandomState(seed).uniform(-1, 1, (3, height, width))
    rgb = np.stack([0.5 + 0.28 * np.sin(0.11 * x + 0.07 * y * (c + 1) + c) + 0.16 * np.sign(np.sin(0.05 * x - 0.09 * y + 2 * c))
                    for c in range(3)]) + 0.05 * noise
    return torch.from_numpy(np.clip(np.round(rgb * 255), 0, 255).astype(np.float32) / 255)[None]


@torch.no_grad()
def example(parts, height, width, seed=7):
    """parts with .role and .module -> {role: {input name: tensor}} for those that are there"""
    net = {p.role: p.module for p in parts if p.role != "tables"}
    g = torch.Generator().manual_seed(seed)
    h, w = height // 16, width // 16
    x = picture(height, width, seed)
    y = net["analysis"](x)
    classes = next(p for p in parts if p.role == "analysis").classify(y).int()
    k = torch.tensor(K_SET, dtype=torch.float32)[torch.randint(len(K_SET), (1, 1, h, w), generator=g)]
    snr = torch.rand(1, 1, h, w, generator=g) * 24 - 4
    labels = torch.randint(43, (1, h, w), generator=g).int()
    damage = torch.tensor([0, 0, 0.4, 1.0])[torch.randint(4, (1, 1, h, w), generator=g)]
    has = torch.randint(2, (1, 1, h, w), generator=g).float()
    out = {"analysis": dict(image=x), "saliency": dict(y=y), "labels": dict(y=y)}
    out["labels-vjp"] = dict(y=y, dMaps=torch.randn(1, 11, 4 * h, 4 * w, generator=g), dPresence=torch.randn(1, 11, generator=g))
    out["symbol-encoder"] = dict(y=y, classMap=classes, symbols=k, snrDb=snr)
    z = net["symbol-encoder"](*out["symbol-encoder"].values())
    mask = (torch.arange(192).view(1, -1, 1, 1) < k).float().repeat_interleave(2, 1)
    scale = (z * mask).pow(2).sum().div(mask.sum() / 2).sqrt().clamp(min=1e-3).view(1, 1, 1, 1)
    s = torch.pow(10.0, snr / 10)
    noise = torch.randn(z.shape, generator=g) * (0.5 / s).sqrt()
    received = (z / scale + noise) * mask * (s / (1 + s))
    out["symbol-decoder"] = dict(received=received, scale=scale, classMap=classes, symbols=k, snrDb=snr)
    y_hat, quality = net["symbol-decoder"](*out["symbol-decoder"].values())
    out["synthesis"] = out["synthesis-perceptual"] = out["features"] = dict(yHat=y_hat, quality=quality)
    out["corrector"] = dict(yHat=y_hat, quality=quality, damage=damage, strength=torch.full_like(damage, 0.75), classMap=classes,
                            labelMap=labels, reference=y + 0.1 * y.std() * torch.randn(y.shape, generator=g), hasReference=has)
    out["generator"] = dict(yHat=y_hat, missing=(damage == 1).float(), labelMap=labels,
                            noise=torch.randn(1, 16, h, w, generator=g))
    return {role: v for role, v in out.items() if role in net}


def packed(t):
    return base64.b64encode(t.detach().contiguous().numpy().tobytes()).decode()


def samples(part, result):
    """evenly spaced numbers of a network's outputs"""
    result = result if isinstance(result, (tuple, list)) else (result,)
    outs = []
    for spec, t in zip(export.tensors(part.role, part.channels)[1], result):
        flat = t.flatten()
        at = torch.linspace(0, flat.numel() - 1, min(SAMPLES, flat.numel())).round().long().unique()
        outs.append({"name": spec["name"], "length": flat.numel(), "peak": float(flat.abs().max()),
                     "at": at.tolist(), "values": [float(f"{v:.8g}") for v in flat[at].tolist()]})
    return outs


@torch.no_grad()
def add(part, path):
    """puts the vectors of one network, whose inputs other networks of the file have, into the file"""
    with open(path) as f:
        content = json.load(f)
    names = [t["name"] for t in export.tensors(part.role, part.channels)[0]]
    tensors = [torch.from_numpy(np.frombuffer(base64.b64decode(content["tensors"][n]["base64"]), content["tensors"][n]["type"])
                                .reshape(content["tensors"][n]["shape"]).copy()) for n in names]
    entry = {"role": part.role, "inputs": [{"name": n, "tensor": n} for n in names], "outputs": samples(part, part.module(*tensors))}
    content["networks"] = [n for n in content["networks"] if n["role"] != part.role] + [entry]
    with open(path, "w") as f:
        json.dump(content, f, separators=(",", ":"))
        f.write("\n")


@torch.no_grad()
def write(parts, name, path):
    """parts (weights already rounded to float16) -> path"""
    height, width = 32, 48
    inputs, shared, networks = example(parts, height, width), {}, []
    for part in parts:
        if part.role == "tables":
            continue
        result = part.module(*inputs[part.role].values())
        ins = []
        for key, t in inputs[part.role].items():
            if key == "image":
                continue
            same = next((n for n, s in shared.items() if s.shape == t.shape and torch.equal(s, t)), None)
            if same is None:
                same = key if key not in shared else f"{part.role}.{key}"
                shared[same] = t
            ins.append({"name": key, "tensor": same})
        networks.append({"role": part.role, "inputs": ins, "outputs": samples(part, result)})
    rgb = (inputs["analysis"]["image"][0] * 255).round().byte().permute(1, 2, 0)
    tensors = {k: {"type": str(t.dtype)[6:], "shape": list(t.shape), "base64": packed(t)} for k, t in shared.items()}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump({"schema": "sct-model-vectors/1", "set": name, "widthPx": width, "heightPx": height, "picture": packed(rgb),
                   "tensors": tensors, "networks": networks}, f, separators=(",", ":"))
        f.write("\n")
