"""Networks that work on a damaged feature map (plain ONNX operators, opset 13; h, w free, 1x1 included).

  Corrector  yHat, quality, damage, strength, classMap, labelMap, reference, hasReference -> yHat', quality'
  Generator  yHat, missing, labelMap, noise                                              -> y'

Both start from a fill that needs no training: the known cells' picture at a quarter of the resolution (4x4 pixels to one)
is filled by push-pull with relaxation, close to Laplace's equation, and brought back to features by one linear map; and
from the mean embedding of each label, of this picture where it is known, shrunk towards the training mean. An hourglass
over the grid (3 scales, dilated) learns what to add. Undamaged cells leave bit by bit as they came.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from layers import Res, table, zero_conv
from rate import N_CLASS

N_LABEL = 43                  # 11 street classes, then 32 clusters
N_NOISE = 16
LOST = 0.999                  # damage from here on: nothing of the embedding is used
SIZES = {
    "base": dict(width=(96, 128, 160), low=128, stat=32, ref=192),
    "live": dict(width=(40, 64, 64), low=64, stat=16, ref=64),
}


class Fill(nn.Module):
    """Push-pull of a picture with certainty: v [N,3,H,W], a [N,1,H,W] 0..1 -> [N,3,H,W]; v where a = 1, smooth elsewhere.
    Nothing known at all: 0."""

    def __init__(self, levels=7, rounds=3):
        super().__init__()
        self.levels, self.rounds = levels, rounds
        k = torch.tensor([1.0, 2.0, 1.0])
        k = (k.view(3, 1) * k / 16).view(1, 1, 3, 3)
        self.register_buffer("k4", k.repeat(4, 1, 1, 1))
        ring = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, 2.0, 1.0]]) / 12
        self.register_buffer("ring", ring.view(1, 1, 3, 3).repeat(3, 1, 1, 1))

    def forward(self, v, a):
        x, pyramid = torch.cat([v * a, a], 1), []
        for _ in range(self.levels):
            pyramid.append(x)
            x = F.conv2d(x, self.k4, None, 2, 1, 1, 4)
            x = x * ((2 * x[:, 3:]).clamp(max=1) / (x[:, 3:] + 1e-6))
        s = x.sum((2, 3), keepdim=True)
        f = (s[:, :3] / (s[:, 3:] + 1e-6)) * (1 - x[:, 3:]) + x[:, :3]
        for x in pyramid[::-1]:
            f = F.interpolate(f, scale_factor=2.0, mode="nearest")[:, :, :x.shape[2], :x.shape[3]]
            value, free = x[:, :3], 1 - x[:, 3:]
            f = value + free * f
            for _ in range(self.rounds):
                f = value + free * F.conv2d(F.pad(f, (1, 1, 1, 1), mode="replicate"), self.ring, None, 1, 0, 1, 3)
        return f


class CellFill(nn.Module):
    """Features of cells from the filled small picture. y [N,C,h,w] (0 where unknown), known [N,1,h,w] -> [N,low,h,w]"""

    def __init__(self, low):
        super().__init__()
        self.low = low
        self.fill = Fill()
        self.down = nn.Conv2d(low, 48, 1)                    # cell -> 3 x 4 x 4 block means
        self.up = nn.Conv2d(3, low, 6, 4)                    # block means of the cell and one around it -> features

    def picture(self, y):
        return F.pixel_shuffle(self.down(y[:, :self.low]), 4)

    def filled(self, y, known):
        return self.fill(self.picture(y), F.interpolate(known, scale_factor=4.0, mode="nearest"))

    def forward(self, y, known):
        with torch.no_grad():
            p = F.pad(self.filled(y, known), (1, 1, 1, 1), mode="replicate")
        return self.up(p)


class LabelMean(nn.Module):
    """mean of the first n channels over the known cells of the same label, shrunk towards the training mean"""

    def __init__(self, n):
        super().__init__()
        self.n = n
        self.prior = nn.Parameter(torch.zeros(N_LABEL, n))
        self.logweight = nn.Parameter(torch.zeros(1))         # the prior counts as exp(this) cells
        self.register_buffer("index", torch.arange(N_LABEL, dtype=torch.int32).view(1, -1, 1, 1))

    def forward(self, y, known, labels):
        one = (labels[:, None] == self.index).float()
        a = (one * known).flatten(2)                          # [N, 43, hw]
        s = torch.matmul(a, y[:, :self.n].flatten(2).transpose(1, 2))
        w = self.logweight.exp()
        mean = (s + w * self.prior) / (a.sum(2, keepdim=True) + w)
        out = torch.matmul(mean.transpose(1, 2), one.flatten(2))
        return out.reshape(y.shape[0], self.n, y.shape[2], y.shape[3])


class Hourglass(nn.Module):
    """three scales of the grid, skip connections by sum, a global mean at the coarsest"""

    def __init__(self, width):
        super().__init__()
        a, b, c = width
        self.p1, self.r1 = nn.PReLU(a), Res(a)
        self.d2, self.p2, self.r2 = nn.Conv2d(a, b, 3, 2, 1), nn.PReLU(b), nn.Sequential(Res(b), Res(b, 2))
        self.d3, self.p3, self.r3 = nn.Conv2d(b, c, 3, 2, 1), nn.PReLU(c), nn.Sequential(Res(c), Res(c, 2))
        self.g = nn.Linear(c, c)
        self.u3, self.u2 = nn.Conv2d(c, b, 1), nn.Conv2d(b, a, 1)
        self.m, self.pm = nn.Conv2d(a, a, 3, 1, 1), nn.PReLU(a)

    def forward(self, h):
        h1 = self.r1(self.p1(h))
        h2 = self.r2(self.p2(self.d2(h1)))
        h3 = self.r3(self.p3(self.d3(h2)))
        h3 = h3 + self.g(h3.mean((2, 3)))[:, :, None, None]
        h2 = h2 + twice(self.u3(h3), h2)
        return self.pm(self.m(h1 + twice(self.u2(h2), h1)))


def twice(x, like):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :like.shape[2], :like.shape[3]]


def widen(x, c):
    """zeros behind the last channel"""
    return F.pad(x, (0, 0, 0, 0, 0, c - x.shape[1]))


class Corrector(nn.Module):
    """Restores damaged embeddings.

    y_hat [N,C,h,w], quality [N,1,h,w] (log10 of the squared error) as f_d or the dequantiser left them; damage [N,1,h,w]
    0..1, the share of the embedding's symbols that was lost; strength [N,1,h,w] 0..1, how far a cell damaged in part
    goes from what was received (0) to the restored value (1): the sender's important cells get less. A lost cell
    (damage >= LOST) always gets the restored value and its y_hat is not read. classes 0..15, labels 0..42, int [N,h,w];
    reference [N,C,h,w]: features of an earlier or stored picture of the scene, used where has_reference [N,1,h,w] is 1.
    -> y [N,C,h,w], quality [N,1,h,w]; both bit-exact y_hat, quality where damage = 0.
    """

    def __init__(self, c, size, lam=None):
        super().__init__()
        w, n, r = size["width"], size["stat"], size["ref"]
        lam = torch.ones(c) if lam is None else lam[:c].clone()
        self.c, self.n, self.r = c, n, r
        self.register_buffer("white", lam.pow(-0.25).view(1, -1, 1, 1))
        self.register_buffer("scale", lam.pow(0.25).view(1, -1, 1, 1))
        self.register_buffer("class_quality", torch.zeros(N_CLASS, 1))      # log10 of the class's total variance
        self.cell, self.mean = CellFill(size["low"]), LabelMean(n)
        self.i = nn.Conv2d(c, w[0], 1)
        self.s, self.f = nn.Conv2d(n, w[0], 1, bias=False), nn.Conv2d(r, w[0], 1, bias=False)
        self.planes = nn.Conv2d(4, w[0], 1, bias=False)
        self.labels, self.classes = (nn.Parameter(0.1 * torch.randn(k, w[0])) for k in (N_LABEL, N_CLASS))
        self.body = Hourglass(w)
        self.o, self.gate, self.q = zero_conv(w[0], c, 1), zero_conv(w[0], n + 1, 1), zero_conv(w[0], 1, 1)
        self.gate.bias.data[:n], self.gate.bias.data[n:] = -2.0, 1.0

    def forward(self, y_hat, quality, damage, strength, classes, labels, reference, has_reference):
        lost = damage >= LOST
        known = torch.where(lost, torch.zeros_like(damage), 1 - damage)
        y = torch.where(lost, torch.zeros_like(y_hat), y_hat)
        base = torch.where(lost, widen(self.cell(y, known), self.c), y_hat)
        q = torch.where(lost, table(self.class_quality, classes), quality)
        own = self.mean(y, known, labels) - base[:, :self.n]
        old = (reference - base) * has_reference
        h = self.i(base * self.white) + table(self.labels, labels) + table(self.classes, classes)
        h = h + self.s(own * self.white[:, :self.n]) + self.f((old * self.white)[:, :self.r])
        h = self.body(h + self.planes(torch.cat([damage, lost.float(), q, has_reference], 1)))
        g = torch.sigmoid(self.gate(h))
        take = g[:, self.n:] * has_reference                          # share of the reference
        step = take * old + widen((1 - take) * g[:, :self.n] * own, self.c)
        fixed = base + damage * step + self.o(h) * self.scale
        q_fixed = q + self.q(h)
        y = torch.where(lost, fixed, y_hat + strength * (fixed - y_hat))
        q = torch.where(lost, q_fixed, quality + strength * (q_fixed - quality))
        hit = damage > 0
        return torch.where(hit, y, y_hat), torch.where(hit, q, quality)


class Generator(nn.Module):
    """Invents embeddings of cells of which nothing came, from labels, surroundings and noise.

    y_hat [N,C,h,w]; missing [N,1,h,w] 0 or 1; labels 0..42 int [N,h,w]; noise [N,16,h,w] N(0,1)
    -> y [N,C,h,w], bit-exact y_hat where missing = 0 (y_hat is not read where missing = 1).
    Texture: each noise plane is one small pattern of 48x48 pixels put at every missing cell with that random weight, times an
    amplitude for each label and plane; neighbours overlap, so the texture runs on across the cells' borders. Three bands of
    it are louder or quieter as the known cells of the same label, and those nearby, are against what is usual for their label.
    """

    def __init__(self, c, size, lam=None):
        super().__init__()
        w, n = size["width"], size["stat"]
        lam = torch.ones(c) if lam is None else lam[:c].clone()
        self.c, self.n = c, n
        self.register_buffer("white", lam.pow(-0.25).view(1, -1, 1, 1))
        self.register_buffer("scale", lam.pow(0.25).view(1, -1, 1, 1))
        self.cell, self.mean = CellFill(size["low"]), LabelMean(n)
        self.i, self.s = nn.Conv2d(c, w[0], 1), nn.Conv2d(n, w[0], 1, bias=False)
        self.planes, self.z = nn.Conv2d(1, w[0], 1, bias=False), nn.Conv2d(N_NOISE, w[0], 1, bias=False)
        self.labels = nn.Parameter(0.1 * torch.randn(N_LABEL, w[0]))
        self.body = Hourglass(w)
        self.o, self.gate, self.loud = zero_conv(w[0], c, 1), zero_conv(w[0], n, 1), zero_conv(w[0], N_NOISE, 1)
        self.gate.bias.data[:] = -1.0
        self.amplitude = nn.Parameter(torch.zeros(N_LABEL, N_NOISE))
        self.bands = nn.Conv2d(c, 3, 1)                               # of squared y: energy in three bands
        self.usual = nn.Parameter(torch.zeros(N_LABEL, 3))            # its logarithm, mean of each label
        self.level, self.near = LabelMean(3), Fill()
        self.mix = nn.Parameter(torch.zeros(2, 1, 3, 1, 1))
        self.register_buffer("band_of", torch.tensor([0] * 4 + [1] * 4 + [2] * 8))
        self.texture = nn.Conv2d(N_NOISE, c, 3, 1, 1, bias=False)

    def loudness(self, y, known, labels):
        """own label's and neighbourhood's log energy against the usual, each [N,3,h,w]"""
        energy = torch.log(self.bands(y * y).clamp(min=1e-4)) - table(self.usual, labels)
        return self.level(energy, known, labels), self.near(energy, known)

    def forward(self, y_hat, missing, labels, noise):
        lost = missing > 0.5
        known = 1 - lost.float()
        y = torch.where(lost, torch.zeros_like(y_hat), y_hat)
        base = torch.where(lost, widen(self.cell(y, known), self.c), y_hat)
        own = self.mean(y, known, labels) - base[:, :self.n]
        h = self.i(base * self.white) + table(self.labels, labels) + self.s(own * self.white[:, :self.n])
        h = self.body(h + self.planes(1 - known) + self.z(noise))
        mean = base + widen(torch.sigmoid(self.gate(h)) * own, self.c) + self.o(h) * self.scale
        own_level, near = self.loudness(y, known, labels)
        gain = 0.5 * (self.mix[0] * own_level + self.mix[1] * near)
        loud = torch.exp((gain[:, self.band_of] + self.loud(h)).clamp(-4, 2.5))
        loud = table(self.amplitude, labels) * loud * lost.float()
        return torch.where(lost, mean + self.texture(noise * loud), y_hat)


def build(role, cfg, lam=None):
    """cfg: model configuration with name and channels"""
    return {"corrector": Corrector, "generator": Generator}[role](cfg["channels"], SIZES[cfg["name"]], lam)


def load(path, role):
    """network with the averaged weights of a state written by corrector.py or generator.py -> network, the state's facts"""
    s = torch.load(path, map_location="cpu")
    net = build(role, s["config"])
    net.load_state_dict(s["average"])
    return net.eval(), {k: s[k] for k in ("config", "steps", "seconds", "seed")}
