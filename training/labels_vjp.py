"""Vector-Jacobian product of the label head as a network of its own: dY = J^T (dMaps, dPresence) at y.

The derivative of every layer of networks.DenseHead written as plain operators (transposed convolutions, PReLU and clamp
masks, mean and maximum over the grid), so that onnxruntime needs no automatic differentiation. Equal to torch.autograd up
to rounding, ties included: PReLU takes its negative side at 0, clamp passes its ends, a maximum reached by several cells
shares its gradient evenly (test_labels_vjp.py).

Grad-CAM of any target that is a function of maps and presence takes the target's gradient as (dMaps, dPresence).
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_back(conv, d):
    """gradient at the input of a stride-1 convolution from the gradient d at its output"""
    return F.conv_transpose2d(d, conv.weight, None, 1, conv.padding, 0, 1, conv.dilation)


def prelu_back(prelu, x, d):
    """x: what went into the PReLU"""
    return torch.where(x > 0, d, d * prelu.weight.view(1, -1, 1, 1))


class LabelsVjp(nn.Module):
    """head: a networks.DenseHead with presence. forward(y, dMaps [1,n,4h,4w], dPresence [1,n]) -> dY like y"""

    def __init__(self, head):
        super().__init__()
        assert head.presence is not None
        self.head = head

    def forward(self, y, d_maps, d_presence):
        head, t = self.head, self.head.t
        scaled = y * t.white
        v = scaled.clamp(-8, 8)
        # forward, keeping what the masks need
        pre = t.i(v)
        h = t.p(pre)
        inner = []
        for res in t.r:
            a = res.a(h)
            inner.append(a)
            h = h + res.b(res.p(a))
        out = h + t.g(h.mean((2, 3)))[:, :, None, None]
        fine = F.pixel_shuffle(head.u(out) + head.skip(v), 4)
        # backward
        d_fine = prelu_back(head.p, fine, conv_back(head.o, d_maps))
        d_sum = F.pixel_unshuffle(d_fine, 4)
        d_v = conv_back(head.skip, d_sum)
        d_mean, d_max = (d_presence @ head.presence.weight)[:, :, None, None].chunk(2, 1)
        top = (out == out.amax((2, 3), keepdim=True)).float()
        cells = torch.ones_like(y[:, :1]).sum((2, 3), keepdim=True)
        d = conv_back(head.u, d_sum) + d_mean / cells + top * (d_max / top.sum((2, 3), keepdim=True))
        d = d + (d.sum((2, 3)) @ t.g.weight)[:, :, None, None] / cells
        for res, a in zip(reversed(list(t.r)), reversed(inner)):
            d = d + conv_back(res.a, prelu_back(res.p, a, conv_back(res.b, d)))
        d_v = d_v + conv_back(t.i, prelu_back(t.p, pre, d))
        return d_v * (scaled.abs() <= 8).float() * t.white
