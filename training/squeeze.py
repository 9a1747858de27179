"""SqueezeNet v1.1 features as a training loss (never a result, never shipped): weights/squeezenet*.h5 of the data folder,
Caffe's convention (blue, green, red; 0..255 less the mean; unpadded first convolution and pools)."""
import glob
import os

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

MEAN_BGR = (104.0, 117.0, 123.0)
TAPS = ("conv1", "fire3", "fire5", "fire7", "fire9")
POOL_BEFORE = ("fire2", "fire4", "fire6")


class SqueezeNet(nn.Module):
    """picture [N,3,H,W] 0..1, at least 40 pixels a side -> [features after each tap of `taps`], frozen"""

    def __init__(self, root, taps=TAPS):
        super().__init__()
        self.taps = taps
        found = sorted(glob.glob(os.path.join(root, "weights/squeezenet*.h5")))
        if not found:
            raise SystemExit(f"no squeezenet*.h5 in {os.path.join(root, 'weights')}")
        state = {}

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                layer = "/".join(name.split("/")[:-1]).split("/fire")[0] if name.startswith("fire") else "conv1"
                state.setdefault(layer, {})["weight" if item.ndim == 4 else "bias"] = np.asarray(item)

        with h5py.File(found[0]) as f:
            f.visititems(visit)
        for layer, part in state.items():
            w = torch.from_numpy(part["weight"]).permute(3, 2, 0, 1).contiguous()
            self.register_buffer(layer.replace("/", "_") + "_w", w)
            self.register_buffer(layer.replace("/", "_") + "_b", torch.from_numpy(part["bias"]))
        self.register_buffer("mean", torch.tensor(MEAN_BGR).view(1, 3, 1, 1))

    def conv(self, x, name, **kv):
        return torch.relu(F.conv2d(x, getattr(self, name + "_w"), getattr(self, name + "_b"), **kv))

    def forward(self, x):
        h = self.conv(x.flip(1) * 255 - self.mean, "conv1", stride=2)
        out = [h] if "conv1" in self.taps else []
        for n in range(2, 10):
            if len(out) == len(self.taps):
                break
            fire = f"fire{n}"
            if fire in POOL_BEFORE:
                h = F.max_pool2d(h, 3, 2)
            s = self.conv(h, fire + "_squeeze1x1")
            h = torch.cat([self.conv(s, fire + "_expand1x1"), self.conv(s, fire + "_expand3x3", padding=1)], 1)
            if fire in self.taps:
                out.append(h)
        return out


def distance(a, b):
    """mean over taps of the squared distance of unit-length feature vectors; a, b lists of [N,c,h,w] -> [N]"""
    total = 0.0
    for p, q in zip(a, b):
        p, q = (v / (v.pow(2).sum(1, keepdim=True) + 1e-4).sqrt() for v in (p, q))
        total = total + (p - q).pow(2).sum(1).mean((1, 2)) / len(a)
    return total


def moments(a, weight):
    """mean and deviation of every channel over a region: a [N,c,h,w], weight [N,1,h,w] -> [N,c], [N,c]"""
    n = weight.sum((2, 3)).clamp(min=1e-3)
    mean = (a * weight).sum((2, 3)) / n
    return mean, ((a - mean[:, :, None, None]).pow(2) * weight).sum((2, 3)).div(n).add(1e-4).sqrt()
