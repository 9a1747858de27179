"""The heads on the frozen feature map y [N, C, h, w] (h = H/16, w = W/16), as they ship.

  LabelNetwork     y -> maps [N,11,H/4,W/4] logits, presence [N,11] logits, clusters [N,32,h,w] (higher = nearer), street [N,1]
  saliency         y -> map [N,1,H/4,W/4] logit: stage A's DenseHead, trained on (on the frozen y an hourglass from scratch
                   came to max-F 0.65 where stage A's head, which g_a was trained with, had 0.70)

LabelNetwork is an hourglass: y is unfolded to a quarter of the photo's resolution, brought down to the grid in two steps,
given context there (dilations, global mean) and brought back up with skips. Batch norms fold into the convolutions: `fused`.
"""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

from networks import DenseHead
from rate import activity

N_LABEL, N_CLUSTER, N_GENERIC = 11, 32, 24
LABEL_SIZE = {"base": (24, 48, 96, (1, 2, 4)), "live": (12, 24, 48, (1, 2, 4))}


class Conv(nn.Module):
    """convolution, batch norm, ReLU (relu=False: none)"""

    def __init__(self, cin, cout, k=3, stride=1, dilation=1, relu=True):
        super().__init__()
        self.c = nn.Conv2d(cin, cout, k, stride, k // 2 * dilation, dilation)
        self.n = nn.BatchNorm2d(cout)
        self.relu = relu

    def forward(self, x):
        x = self.n(self.c(x))
        return torch.relu(x) if self.relu else x

    def fuse(self):
        if isinstance(self.n, nn.BatchNorm2d):
            g = self.n.weight / torch.sqrt(self.n.running_var + self.n.eps)
            self.c.weight.data = self.c.weight.data * g.data.view(-1, 1, 1, 1)
            self.c.bias.data = ((self.c.bias - self.n.running_mean) * g + self.n.bias).data
            self.n = nn.Identity()


class Block(nn.Module):
    """x + norm(conv(relu(norm(conv_dilated x))))"""

    def __init__(self, c, dilation):
        super().__init__()
        self.a, self.b = Conv(c, c, 3, 1, dilation), Conv(c, c, relu=False)

    def forward(self, x):
        return x + self.b(self.a(x))


class Hourglass(nn.Module):
    """y -> features at the grid [N, f16, h, w] and at a quarter of the photo's resolution [N, f4, 4h, 4w]"""

    def __init__(self, lam, f4, f8, f16, dilations):
        super().__init__()
        c = len(lam)
        self.register_buffer("white", lam.clamp(min=1e-4).rsqrt().view(1, -1, 1, 1))
        self.a, self.s = Conv(c, f16, 1), Conv(c, f4 * 16, 1)
        self.d8, self.d16 = Conv(f4, f8, 3, 2), Conv(f8, f16, 3, 2)
        self.context = nn.Sequential(*[Block(f16, d) for d in dilations])
        self.g = nn.Linear(f16, f16)
        self.u8, self.m8 = nn.Conv2d(f16, f8 * 4, 1), Conv(f8, f8)
        self.u4, self.m4 = nn.Conv2d(f8, f4 * 4, 1), Conv(f4, f4)
        self.drop = nn.Dropout2d(0.1)

    def grid(self, y):
        """-> features at the grid, and the two finer ones that they come from"""
        x = y * self.white
        x = x / torch.sqrt(1 + x.abs())
        s = F.pixel_shuffle(self.s(x), 4)
        d = self.d8(s)
        h = self.context(self.a(x) + self.d16(d))
        return h + self.g(h.mean((2, 3)))[:, :, None, None], d, s

    def up(self, h, d, s):
        d = self.m8(F.pixel_shuffle(self.u8(self.drop(h)), 2) + d)
        return self.m4(F.pixel_shuffle(self.u4(d), 2) + s)


def pooled(h):
    """[N, 2 f]: mean and maximum over the grid"""
    return torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)


class LabelNetwork(nn.Module):
    def __init__(self, klt, c, size):
        super().__init__()
        f4, f8, f16, dilations = size
        self.trunk = Hourglass(klt["lam"][:c].clone(), f4, f8, f16, dilations)
        self.o = nn.Conv2d(f4, N_LABEL, 1)
        self.presence = nn.Linear(2 * f16, N_LABEL)
        self.generic = nn.Conv2d(f16, N_GENERIC, 1)              # learns ImageNet features; the codebook's semantic part
        self.street = nn.Linear(2 * f16, 1)                      # fitted after training
        self.register_buffer("rgb", klt["V"][:c].view(c, 3, 256).mean(2).t().reshape(3, c, 1, 1).contiguous())
        self.register_buffer("mu", klt["mu"].view(3, 256).mean(1).view(1, 3, 1, 1))
        n = N_GENERIC + 4
        self.register_buffer("gain", torch.ones(1, n, 1, 1))     # of the codebook's features, see codebook.py
        self.register_buffer("centre", torch.zeros(1, n, 1, 1))
        self.register_buffer("centroids", torch.zeros(N_CLUSTER, n))
        self.register_buffer("temperature", torch.ones(1))

    def colour(self, y):
        """mean colour of each cell [N, 3, h, w], about 0..1"""
        return F.conv2d(y, self.rgb) + self.mu

    def codebook_features(self, y, h):
        """[N, 28, h, w]: ImageNet-like features of 3x3 cells, mean colour, log activity; centred and scaled"""
        f = F.avg_pool2d(self.generic(h), 3, 1, 1, count_include_pad=False)
        f = torch.cat([f, self.colour(y), activity(y)[:, None].log()], 1)
        return (f - self.centre) * self.gain

    def clusters(self, f):
        """-|f - c|^2 / temperature"""
        c = self.centroids
        d = (f * f).sum(1, keepdim=True) - 2 * F.conv2d(f, c[:, :, None, None]) + (c * c).sum(1).view(1, -1, 1, 1)
        return -d / self.temperature

    def forward(self, y):
        h, d, s = self.trunk.grid(y)
        p = pooled(h)
        return self.o(self.trunk.up(h, d, s)), self.presence(p), self.clusters(self.codebook_features(y, h)), self.street(p)


class Heads(nn.Module):
    """both networks of a set"""

    def __init__(self, cfg, klt):
        super().__init__()
        c = cfg["channels"]
        self.label = LabelNetwork(klt, c, cfg.get("label_size") or LABEL_SIZE[cfg["name"]])
        self.saliency = DenseHead(c, cfg["saliency_width"], klt["lam"][:c].clone(), 1, fine=8)

    def fused(self):
        """a copy in evaluation mode with every batch norm folded into its convolution"""
        m = copy.deepcopy(self).eval()
        for c in m.modules():
            if isinstance(c, Conv):
                c.fuse()
        return m


def load_heads(cfg, klt, path):
    """heads.pt -> (Heads, fused, averaged weights; the file's other entries). `path` may also be a small file."""
    import store
    m = Heads(cfg, klt)
    m.load_state_dict(store.load_state(path))
    return m.fused()
