"""Patch discriminator of the generator's training: picture, label map and mask -> one score for each 8x8 pixels."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm

from layers import table
from restoration import N_LABEL


class Discriminator(nn.Module):
    """x [N,3,H,W] 0..1, labels int [N,h,w], missing [N,1,h,w] -> scores [N,1,H/8,W/8], features (for matching)"""

    def __init__(self, w=40):
        super().__init__()
        self.names = nn.Parameter(0.2 * torch.randn(N_LABEL, 6))

        def conv(a, b, k, s):
            return spectral_norm(nn.Conv2d(a, b, k, s, k // 2 if s == 1 else 1))

        self.a, self.b, self.c = conv(10, w, 4, 2), conv(w, 2 * w, 4, 2), conv(2 * w, 3 * w, 4, 2)
        self.o = conv(3 * w, 1, 3, 1)

    def forward(self, x, labels, missing):
        planes = F.interpolate(torch.cat([table(self.names, labels), missing], 1), scale_factor=16.0, mode="nearest")
        h = F.leaky_relu(self.a(torch.cat([(x - 0.45) * 4, planes], 1)), 0.2)
        g = F.leaky_relu(self.b(h), 0.2)
        f = F.leaky_relu(self.c(g), 0.2)
        return self.o(f), [h, g, f]


def weight_of(missing):
    """where scores count: patches in missing cells and next to them [N,1,h,w] -> [N,1,2h,2w]"""
    m = F.interpolate(missing, scale_factor=2.0, mode="nearest")
    return F.max_pool2d(m, 3, 1, 1)


def hinge(real, fake, weight):
    n = weight.sum()
    return ((F.relu(1 - real) + F.relu(1 + fake)) * weight).sum() / n
