"""Small files of weights: half precision with a 7-bit mantissa, xz-compressed (relative error of a weight <= 0.4 %)."""
import io
import json
import lzma
import os

import torch


def save_small(state, path, info):
    """state dict -> path (name.pt.xz) and, beside it, name.json with `info`"""
    half = {}
    for k, v in state.items():
        if v.is_floating_point() and v.ndim > 2:
            bits = v.half().view(torch.int16).int()
            v = ((bits + 4) & ~7).clamp(-32768, 32767).short().view(torch.float16)   # three mantissa bits rounded away
        half[k] = v.contiguous()
    raw = io.BytesIO()
    torch.save(half, raw)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with lzma.open(path + ".new", "wb", preset=4) as f:
        f.write(raw.getvalue())
    os.replace(path + ".new", path)
    with open(path.replace(".pt.xz", ".json"), "w") as f:
        json.dump(dict(info, bytes=os.path.getsize(path)), f, indent=1)
        f.write("\n")


def load_state(path):
    """state dict (float32) of a checkpoint (its average) or of a small file"""
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            s = torch.load(io.BytesIO(f.read()), map_location="cpu")
    else:
        s = torch.load(path, map_location="cpu")
    s = s.get("average", s)
    return {k: v.float() if v.is_floating_point() else v for k, v in s.items()}
