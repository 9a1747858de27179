"""Small layers, all of them plain ONNX operators (opset 13)."""
import torch
import torch.nn as nn


class Affine(nn.Module):
    """x * (1 + a) + b for each channel"""

    def __init__(self, c):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.b = nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x):
        return x * (1 + self.a) + self.b


class Res(nn.Module):
    """x + conv(prelu(conv x)); the last convolution starts at zero, so a new block changes nothing"""

    def __init__(self, c, dilation=1):
        super().__init__()
        self.a = nn.Conv2d(c, c, 3, 1, dilation, dilation)
        self.p = nn.PReLU(c)
        self.b = nn.Conv2d(c, c, 3, 1, 1)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(self.b.bias)

    def forward(self, x):
        return x + self.b(self.p(self.a(x)))


class Film(nn.Module):
    """Feature-wise modulation by condition planes: x * (1 + s) + t, (s, t) = net(cond).

    cond [N, n_cond, h, w] at the grid's resolution; `up` repeats the planes to a finer grid. Starts as identity.
    """

    def __init__(self, n_cond, c, up=1, hidden=24):
        super().__init__()
        self.c, self.up = c, up
        self.l1 = nn.Conv2d(n_cond, hidden, 1)
        self.l2 = nn.Conv2d(hidden, 2 * c, 1)
        nn.init.zeros_(self.l2.weight)
        nn.init.zeros_(self.l2.bias)

    def forward(self, x, cond):
        h = self.l2(torch.relu(self.l1(cond)))
        if self.up > 1:
            h = torch.nn.functional.interpolate(h, scale_factor=float(self.up), mode="nearest")
        return x * (1 + h[:, :self.c]) + h[:, self.c:]


def zero_conv(cin, cout, k):
    conv = nn.Conv2d(cin, cout, k, 1, k // 2)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def table(rows, cls):
    """rows [16, C], cls int64 [N, h, w] -> [N, C, h, w]"""
    return torch.nn.functional.embedding(cls, rows).permute(0, 3, 1, 2)
