"""The label head's vector-Jacobian product against torch.autograd, and its vector for the tests in TypeScript.

  python3 -m unittest test_labels_vjp
  python3 test_labels_vjp.py --write ../test/vectors/labels-vjp      a small random head as ONNX, with inputs and gradient
"""
import json
import os
import sys
import unittest

import torch

import export
from labels_vjp import LabelsVjp
from networks import DenseHead


def random_head(c, w, seed=3):
    """every weight random, so that no path is silent; both clamp ends are reached"""
    g = torch.Generator().manual_seed(seed)
    head = DenseHead(c, w, torch.linspace(1.0, 0.2, c), 11, presence=True, fine=4).eval()
    with torch.no_grad():
        for name, p in head.named_parameters():
            bound = 0.5 if name.endswith(("p.weight", "bias")) else 1 / p[0].numel() ** 0.5
            p.copy_((torch.rand(p.shape, generator=g) * 2 - 1) * bound)
    return head


def example(c, h, w, seed=5):
    g = torch.Generator().manual_seed(seed)
    y = torch.randn(1, c, h, w, generator=g) * 6
    return y, torch.randn(1, 11, 4 * h, 4 * w, generator=g), torch.randn(1, 11, generator=g)


def autograd(head, y, d_maps, d_presence):
    y = y.clone().requires_grad_(True)
    maps, presence = head(y)
    return torch.autograd.grad((maps * d_maps).sum() + (presence * d_presence).sum(), y)[0]


class Vjp(unittest.TestCase):
    def check(self, head, y, d_maps, d_presence):
        want = autograd(head, y, d_maps, d_presence)
        got = LabelsVjp(head)(y, d_maps, d_presence)
        self.assertGreater(float(want.abs().max()), 1e-3)
        self.assertLess(float((got - want).abs().max()), 1e-5 * float(want.abs().max()))

    def test_equals_autograd(self):
        head = random_head(24, 16)
        for shape in ((5, 7), (1, 1), (2, 9)):
            y, d_maps, d_presence = example(24, *shape)
            self.assertTrue(bool((y * head.t.white).abs().max() > 8) or shape == (1, 1))
            self.check(head, y, d_maps, d_presence)
            self.check(head, y, d_maps * 0, d_presence)
            self.check(head, y, d_maps, d_presence * 0)

    def test_ties(self):
        """flat pictures tie every maximum; values on the clamp's end and PReLU inputs of exactly 0 follow torch"""
        head = random_head(24, 16)
        y, d_maps, d_presence = example(24, 4, 4)
        flat = torch.full_like(y, 0.3)
        self.check(head, flat, d_maps, d_presence)
        self.check(head, (8 / head.t.white).expand_as(y).contiguous(), d_maps, d_presence)
        with torch.no_grad():
            head.t.i.bias.zero_()
            for res in head.t.r:
                res.a.bias.zero_()
        self.check(head, torch.zeros_like(y), d_maps, d_presence)


def write(folder):
    os.makedirs(folder, exist_ok=True)
    head = random_head(8, 8)
    export.round_half(head)
    y, d_maps, d_presence = example(8, 3, 4)
    inputs = dict(y=y, dMaps=d_maps, dPresence=d_presence)
    export.to_onnx(LabelsVjp(head), "labels-vjp", 8, inputs, os.path.join(folder, "small-head.onnx"))
    flat = lambda t: [float(f"{v:.7g}") for v in t.flatten().tolist()]
    with open(os.path.join(folder, "small-head.json"), "w") as f:
        json.dump({"channels": 8, "rows": 3, "columns": 4, **{k: flat(v) for k, v in inputs.items()},
                   "dY": flat(autograd(head, y, d_maps, d_presence))}, f)
        f.write("\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        torch.set_num_threads(1)
        write(sys.argv[2])
    else:
        unittest.main()
