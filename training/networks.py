"""The networks of one model set, all on one feature map y [N, C, H/16, W/16] (docstrings: shapes, units).

  g_a  photo 0..1                     -> y: 16x16 KLT coefficients (orthonormal, images 0..1) + learned non-linear part
  f_e  y, class, k, snrDb (CSI)       -> z: K_MAX ordered complex symbols, not yet masked nor normalised
  f_d  r, scale, class, k, snrDb      -> y_hat, quality (log10 of the expected squared error of the embedding)
  g_s  y_hat, quality                 -> photo
  entropy model                       -> bits of quantised y for each class (training proxy of the counted tables)
  label, presence, saliency heads     on y (or y_hat)

Start: KLT + SoftCast (gain var^-1/4 for each class and channel) + LMMSE, so step 0 is a working linear transceiver;
`warm.py` adds the non-linear part of an earlier network of the same shape.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from layers import Affine, Film, Res, table, zero_conv
from rate import K_MAX, N_CLASS, activity, classes

GREY = 0.45


def klt_to_grid(v, c):
    """KLT rows [c, 768] (colour, 16, 16) -> [c, 48, 4, 4] for an image unshuffled by 4 (colour, dy, dx)"""
    return v[:c].reshape(c, 3, 4, 4, 4, 4).permute(0, 1, 3, 5, 2, 4).reshape(c, 48, 4, 4)


class Analysis(nn.Module):
    """g_a"""

    def __init__(self, c, w, klt, n16=1, n8=0):
        super().__init__()
        v, mu = klt["V"][:c], klt["mu"]
        self.klt = nn.Conv2d(48, c, 4, 4)
        self.klt.weight.data = klt_to_grid(klt["V"], c).contiguous()
        self.klt.bias.data = v @ (GREY - mu)
        self.c1, self.p1 = nn.Conv2d(48, w[0], 3, 1, 1), nn.PReLU(w[0])
        self.c2, self.p2, self.f1 = nn.Conv2d(w[0], w[1], 5, 2, 2), nn.PReLU(w[1]), Affine(w[1])
        self.r1 = nn.Sequential(*[Res(w[1]) for _ in range(1 + n8)])
        self.c3, self.p3, self.f2 = nn.Conv2d(w[1], w[2], 5, 2, 2), nn.PReLU(w[2]), Affine(w[2])
        self.r2 = nn.Sequential(*[Res(w[2]) for _ in range(n16)])
        self.c4 = zero_conv(w[2], c, 3)
        self.register_buffer("std", klt["lam"][:c].sqrt().view(1, -1, 1, 1))

    def forward(self, x):
        x = F.pixel_unshuffle(x - GREY, 4)
        h = self.r1(self.f1(self.p2(self.c2(self.p1(self.c1(x))))))
        h = self.r2(self.f2(self.p3(self.c3(h))))
        return self.klt(x) + self.c4(h) * self.std.sqrt()


class Synthesis(nn.Module):
    """g_s"""

    def __init__(self, c, w, klt, n16=1, n8=1):
        super().__init__()
        lam = klt["lam"][:c]
        self.register_buffer("white", lam.pow(-0.25).view(1, -1, 1, 1))
        self.lin = nn.Conv2d(c, 768, 1)
        m = klt_to_grid(klt["V"], c).reshape(c, 768)           # (colour dy dx, Y, X): pixel_shuffle's order
        self.lin.weight.data = m.t().reshape(768, c, 1, 1).contiguous()
        self.lin.bias.data = klt_to_grid(klt["mu"].view(1, 768), 1).reshape(768).clone()
        self.c1, self.p1, self.f1 = nn.Conv2d(c, w[2], 3, 1, 1), nn.PReLU(w[2]), Film(1, w[2])
        self.r0 = nn.Sequential(*[Res(w[2]) for _ in range(1 + n16)])
        self.u1, self.p2, self.f2 = nn.Conv2d(w[2], w[1] * 4, 1), nn.PReLU(w[1]), Film(1, w[1], 2)
        self.r1 = nn.Sequential(*[Res(w[1]) for _ in range(1 + n8)])
        self.u2 = nn.Conv2d(w[1], w[0] * 4, 1)
        self.c3, self.p3 = nn.Conv2d(w[0] + 48, w[0], 3, 1, 1), nn.PReLU(w[0])
        self.c4 = zero_conv(w[0], 48, 3)

    def forward(self, y, quality):
        l4 = F.pixel_shuffle(self.lin(y), 4)                       # [N, 48, H/4, W/4], the linear picture
        h = self.r0(self.f1(self.p1(self.c1(y * self.white)), quality))
        h = F.pixel_shuffle(self.u1(h), 2)
        h = self.r1(self.f2(self.p2(h), quality))
        h = torch.cat([F.pixel_shuffle(self.u2(h), 2), l4 - GREY], 1)
        return F.pixel_shuffle(l4 + self.c4(self.p3(self.c3(h))), 4)


class SymbolEncoder(nn.Module):
    """f_e. cls int64 [N,h,w]; k [N,1,h,w]; snr_db [N,1,h,w] what the transmitter believes. -> z [N, 2 K_MAX, h, w]"""

    def __init__(self, c, w, lam, n=2):
        super().__init__()
        assert c <= 2 * K_MAX
        self.c = c
        self.register_buffer("white", lam.pow(-0.25).view(1, -1, 1, 1))
        self.logg = nn.Parameter((-0.25 * lam.log())[None].repeat(N_CLASS, 1))
        self.i, self.p, self.f = nn.Conv2d(c, w, 1), nn.PReLU(w), Film(3, w)
        self.r = nn.Sequential(*[Res(w) for _ in range(n)])
        self.f2, self.o = Film(3, w), zero_conv(w, 2 * K_MAX, 1)

    def forward(self, y, cls, k, snr_db):
        cond = torch.cat([k / K_MAX, snr_db / 10, cls[:, None].float() / 8 - 1], 1)
        h = self.f2(self.r(self.f(self.p(self.i(y * self.white)), cond)), cond)
        z = y * table(self.logg, cls).exp()
        if self.c < 2 * K_MAX:
            z = F.pad(z, (0, 0, 0, 0, 0, 2 * K_MAX - self.c))
        return z + self.o(h)


class SymbolDecoder(nn.Module):
    """f_d. r [N, 2K, h, w] from the demapper; scale [N,1,1,1] (z = scale * sent symbol); cls; k; snr_db [N,1,h,w].
    var [16, C] is the model set's table. -> y_hat [N, C, h, w], quality [N, 1, h, w]"""

    def __init__(self, c, w, lam, n=3):
        super().__init__()
        self.c = c
        self.register_buffer("std", lam.sqrt().view(1, -1, 1, 1))
        self.logg = nn.Parameter((-0.25 * lam.log())[None].repeat(N_CLASS, 1))
        self.i, self.p, self.f = nn.Conv2d(2 * K_MAX, w, 1), nn.PReLU(w), Film(4, w)
        self.r = nn.Sequential(*[Res(w) for _ in range(n)])
        self.f2, self.o = Film(4, w), zero_conv(w, c, 1)
        self.register_buffer("index", (torch.arange(2 * K_MAX) // 2).float().view(1, -1, 1, 1))

    def forward(self, r, scale, cls, k, snr_db, var):
        s = torch.pow(10.0, snr_db / 10)
        m = (self.index[:, :self.c] < k).float()
        g = table(self.logg, cls).exp()
        vy = table(var, cls)
        v = 2 * g * g * vy / (scale * scale)                       # symbol variance against unit mean power
        rho = m * v * s / (v * s + 1)
        # r = s/(1+s) (z/scale + n); the LMMSE weight of z/scale + n is v s / (v s + 1)
        lin = r[:, :self.c] * (rho * (1 + s) / s) * (scale / g)
        quality = torch.log10((vy * (1 - rho)).sum(1, keepdim=True) + 1e-4)
        cond = torch.cat([k / K_MAX, snr_db / 10, cls[:, None].float() / 8 - 1, quality], 1)
        h = self.f2(self.r(self.f(self.p(self.i(r)), cond)), cond)
        return lin + self.o(h) * self.std * scale, quality


class EntropyModel(nn.Module):
    """Laplace rate proxy: scale for each (class, channel), quantiser step for each channel (times the global factor)."""

    def __init__(self, c, var):
        super().__init__()
        self.logb = nn.Parameter(0.5 * (var / 2).clamp(min=1e-9).log())     # [16, C], in y's units
        self.logstep = nn.Parameter(torch.zeros(c))

    def step(self, factor):
        """factor [N,1,1,1] -> step [N, C, 1, 1]"""
        return factor * self.logstep.exp().view(1, -1, 1, 1)

    def bits(self, y, cls, step):
        """y already noisy or rounded; bits of each embedding [N, h, w]"""
        b = table(self.logb, cls).exp().clamp(min=1e-5)
        t, d = y.abs() / b, step / (2 * b)
        # P(|x - y| < step/2) of a Laplace: outside the centre 1/2 e^-t (e^d - e^-d); across it 1 - 1/2(e^-(d+t)+e^-(d-t))
        d = d.clamp(max=30.0)
        tail = -t + d + torch.log1p(-torch.exp(-2 * d)) - 0.6931472
        centre = torch.log((1 - 0.5 * (torch.exp(-(d + t).clamp(max=60.0)) + torch.exp((t - d).clamp(max=0)))).clamp(min=1e-9))
        return -torch.where(t < d, centre, tail).sum(1) / 0.6931472


class Trunk(nn.Module):
    """y -> w features at the grid with dilated context"""

    def __init__(self, c, w, lam, dilations):
        super().__init__()
        self.register_buffer("white", 0.5 * lam.clamp(min=1e-4).pow(-0.5).view(1, -1, 1, 1))
        self.i, self.p = nn.Conv2d(c, w, 1), nn.PReLU(w)
        self.r = nn.Sequential(*[Res(w, d) for d in dilations])
        self.g = nn.Linear(w, w)

    def forward(self, y):
        h = self.r(self.p(self.i((y * self.white).clamp(-8, 8))))
        return h + self.g(h.mean((2, 3)))[:, :, None, None]


class DenseHead(nn.Module):
    """n maps at a quarter of the photo's resolution from y; `presence` logits from the same trunk when asked"""

    def __init__(self, c, w, lam, n, dilations=(1, 2, 4), fine=24, presence=False):
        super().__init__()
        self.t = Trunk(c, w, lam, dilations)
        self.u, self.skip, self.p = nn.Conv2d(w, fine * 16, 1), nn.Conv2d(c, fine * 16, 1), nn.PReLU(fine)
        self.o = nn.Conv2d(fine, n, 3, 1, 1)
        self.presence = nn.Linear(2 * w, n) if presence else None

    def forward(self, y):
        h = self.t(y)
        y = (y * self.t.white).clamp(-8, 8)
        maps = self.o(self.p(F.pixel_shuffle(self.u(h) + self.skip(y), 4)))
        if self.presence is None:
            return maps
        return maps, self.presence(torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1))


class ModelSet(nn.Module):
    def __init__(self, cfg, klt):
        super().__init__()
        c, w, lam = cfg["channels"], cfg["width"], klt["lam"][:cfg["channels"]].clone()
        self.cfg = cfg
        self.g_a = Analysis(c, w, klt, cfg["ga16"], cfg["ga8"])
        self.g_s = Synthesis(c, w, klt, cfg["gs16"], cfg["gs8"])
        self.f_e = SymbolEncoder(c, cfg["fe_width"], lam, cfg["fe_blocks"])
        self.f_d = SymbolDecoder(c, cfg["fd_width"], lam, cfg["fd_blocks"])
        self.label = DenseHead(c, cfg["label_width"], lam, 11, presence=True)
        self.saliency = DenseHead(c, cfg["saliency_width"], lam, 1, fine=8)
        self.entropy = EntropyModel(c, lam[None].repeat(N_CLASS, 1))
        self.register_buffer("class_range", torch.tensor([20.0, 900.0]))     # activity of the edges of the classes
        self.register_buffer("sum2", lam[None].repeat(N_CLASS, 1))           # running sum of y^2 for each class, channel
        self.register_buffer("count", torch.ones(N_CLASS, 1))

    @property
    def var(self):
        return self.sum2 / self.count

    def classify(self, y):
        """class map int64 [N, h, w]"""
        return classes(activity(y.detach()), float(self.class_range[0]), float(self.class_range[1]))

    @torch.no_grad()
    def observe(self, y, cls, keep=0.999):
        """updates the running variances; y [N,C,h,w], cls [N,h,w]"""
        f, e = cls.flatten(), y.detach().permute(0, 2, 3, 1).reshape(-1, y.shape[1]) ** 2
        self.sum2.mul_(keep).index_add_(0, f, e)
        self.count.mul_(keep).index_add_(0, f, torch.ones(len(f), 1, device=f.device))
