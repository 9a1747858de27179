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
from head_networks import Conv, LabelNetwork
from labels_vjp import LabelsVjp, autograd


def random_head(c, size, seed=3):
    """every weight and statistic random, so that no path is silent; batch norms folded"""
    g = torch.Generator().manual_seed(seed)
    klt = {"lam": torch.linspace(1.0, 0.2, c), "V": torch.randn(c, 768, generator=g) / 28, "mu": torch.full((768,), 0.45)}
    net = LabelNetwork(klt, c, size).eval()
    with torch.no_grad():
        for name, t in list(net.named_parameters()) + list(net.named_buffers()):
            if not t.is_floating_point() or name.endswith(("white", "rgb", "mu", "temperature")):
                continue
            bound = 1 / t[0].numel() ** 0.5 if t.ndim > 1 else 0.4
            t.copy_((torch.rand(t.shape, generator=g) * 2 - 1) * bound)
            if name.endswith(("running_var", "n.weight")):
                t.abs_().add_(0.5)
    for m in net.modules():
        if isinstance(m, Conv):
            m.fuse()
    return net


def example(c, h, w, seed=5):
    g = torch.Generator().manual_seed(seed)
    y = torch.randn(1, c, h, w, generator=g) * 2
    return y, torch.randn(1, 11, 4 * h, 4 * w, generator=g), torch.randn(1, 11, generator=g)


class Vjp(unittest.TestCase):
    def check(self, net, y, d_maps, d_presence):
        want = autograd(net, y, d_maps, d_presence)
        got = LabelsVjp(net)(y, d_maps, d_presence)
        self.assertGreater(float(want.abs().max()), 1e-3)
        self.assertLess(float((got - want).abs().max()), 1e-5 * float(want.abs().max()))

    def test_equals_autograd(self):
        net = random_head(24, (6, 8, 16, (1, 2, 4)))
        for shape in ((5, 7), (1, 1), (2, 9)):
            y, d_maps, d_presence = example(24, *shape)
            self.check(net, y, d_maps, d_presence)
            self.check(net, y, d_maps * 0, d_presence)
            self.check(net, y, d_maps, d_presence * 0)

    def test_ties(self):
        """with nothing but biases every cell of the grid is the maximum, and ReLU inputs are exactly 0"""
        net = random_head(24, (6, 8, 16, (1, 2, 4)))
        with torch.no_grad():
            for name, t in net.trunk.named_parameters():
                if name.startswith(("context", "d16", "d8")) or (name.endswith("bias") and name[0] in "as"):
                    t.zero_()
        y, d_maps, d_presence = example(24, 4, 4)
        flat = torch.full_like(y, 0.3)
        h = net.trunk.grid(flat)[0]
        self.assertTrue(bool((h == h.amax((2, 3), keepdim=True)).all()))
        for v in (flat, torch.zeros_like(y), y):
            want = autograd(net, v, d_maps, d_presence)
            got = LabelsVjp(net)(v, d_maps, d_presence)
            self.assertLess(float((got - want).abs().max()), 1e-5 * max(1e-3, float(want.abs().max())))


def write(folder):
    os.makedirs(folder, exist_ok=True)
    net = random_head(8, (2, 4, 8, (1, 2)))
    export.round_half(net)
    y, d_maps, d_presence = example(8, 3, 4)
    inputs = dict(y=y, dMaps=d_maps, dPresence=d_presence)
    export.to_onnx(LabelsVjp(net), "labels-vjp", 8, inputs, os.path.join(folder, "small-head.onnx"))
    flat = lambda t: [float(f"{v:.7g}") for v in t.flatten().tolist()]
    with open(os.path.join(folder, "small-head.json"), "w") as f:
        json.dump({"channels": 8, "rows": 3, "columns": 4, **{k: flat(v) for k, v in inputs.items()},
                   "dY": flat(autograd(net, y, d_maps, d_presence))}, f)
        f.write("\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        torch.set_num_threads(1)
        write(sys.argv[2])
    else:
        unittest.main()
