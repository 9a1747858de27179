"""Vector-Jacobian product of the label head as a network of its own: dY = J^T (dMaps, dPresence) at y.

The derivative of every layer on the way from y to maps and presence (head_networks.LabelNetwork with batch norms folded)
written as plain operators: transposed convolutions, ReLU masks, mean and maximum over the grid. onnxruntime then needs no
automatic differentiation. Equal to torch.autograd up to rounding, ties included: ReLU passes nothing at 0, a maximum reached
by several cells shares its gradient evenly (test_labels_vjp.py; pack.py checks the weights that ship).

Grad-CAM of any target that is a function of maps and presence takes the target's gradient as (dMaps, dPresence).
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_back(conv, d):
    """gradient at the input of a convolution from d at its output; with stride 2 the input's sides are even"""
    return F.conv_transpose2d(d, conv.weight, None, conv.stride, conv.padding, conv.stride[0] - 1, 1, conv.dilation)


def layer_back(layer, pre, d):
    """through ReLU (pre: what went into it) and convolution of a head_networks.Conv"""
    return conv_back(layer.c, d * (pre > 0).float())


class LabelsVjp(nn.Module):
    """net: a fused head_networks.LabelNetwork. forward(y, dMaps [1,11,4h,4w], dPresence [1,11]) -> dY like y"""

    def __init__(self, net):
        super().__init__()
        assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules()), "fold batch norms first"
        self.net = net

    def forward(self, y, d_maps, d_presence):
        net, t = self.net, self.net.trunk
        # forward, keeping what goes into every ReLU
        x = y * t.white
        size = 1 + x.abs()
        v = x / torch.sqrt(size)
        pre_s, pre_a = t.s.c(v), t.a.c(v)
        s = F.pixel_shuffle(torch.relu(pre_s), 4)
        pre_8 = t.d8.c(s)
        d8 = torch.relu(pre_8)
        pre_16 = t.d16.c(d8)
        h, inner = torch.relu(pre_a) + torch.relu(pre_16), []
        for block in t.context:
            inner.append(block.a.c(h))
            h = h + block.b.c(torch.relu(inner[-1]))
        h = h + t.g(h.mean((2, 3)))[:, :, None, None]
        pre_m8 = t.m8.c(F.pixel_shuffle(t.u8(h), 2) + d8)
        pre_m4 = t.m4.c(F.pixel_shuffle(t.u4(torch.relu(pre_m8)), 2) + s)
        # backward: maps to the grid
        d_s = layer_back(t.m4, pre_m4, conv_back(net.o, d_maps))
        d_8 = layer_back(t.m8, pre_m8, conv_back(t.u4, F.pixel_unshuffle(d_s, 2)))
        d = conv_back(t.u8, F.pixel_unshuffle(d_8, 2))
        # presence, from mean and maximum over the grid
        d_mean, d_max = (d_presence @ net.presence.weight)[:, :, None, None].chunk(2, 1)
        top = (h == h.amax((2, 3), keepdim=True)).float()
        cells = torch.ones_like(y[:, :1]).sum((2, 3), keepdim=True)
        d = d + d_mean / cells + top * (d_max / top.sum((2, 3), keepdim=True))
        # context, then down again
        d = d + (d.sum((2, 3)) @ t.g.weight)[:, :, None, None] / cells
        for block, pre in zip(reversed(list(t.context)), reversed(inner)):
            d = d + layer_back(block.a, pre, conv_back(block.b.c, d))
        d_8 = d_8 + layer_back(t.d16, pre_16, d)
        d_s = F.pixel_unshuffle(d_s + layer_back(t.d8, pre_8, d_8), 4)
        d_v = layer_back(t.s, pre_s, d_s) + layer_back(t.a, pre_a, d)
        return d_v * (1 + x.abs() / 2) / (size * torch.sqrt(size)) * t.white


def autograd(net, y, d_maps, d_presence):
    """what LabelsVjp must give"""
    y = y.clone().requires_grad_(True)
    maps, presence = net(y)[:2]
    return torch.autograd.grad((maps * d_maps).sum() + (presence * d_presence).sum(), y)[0]
