"""Starting point: statistics of the KLT's coefficients for each class and, if given, the weights of an earlier
variable-rate network (same widths 64/96/128, 384 channels) whose encoder and decoder were each one network."""
import torch

import data
from rate import N_CLASS, activity

SNR0 = 7.0      # the earlier network's modulation is frozen at this SNR ...
K0 = 0.25       # ... and at this fraction of K_MAX; f_e, f_d and the quality planes learn the rest


def film_at(s, name, c):
    h = torch.relu(s[name + ".l1.weight"] @ torch.tensor([(SNR0 - 7) / 7.0]) + s[name + ".l1.bias"])
    h = s[name + ".l2.weight"] @ h + s[name + ".l2.bias"]
    return h[:c], h[c:]


def copy(module, state, name):
    module.weight.data.copy_(state[name + ".weight"])
    if name + ".bias" in state:
        module.bias.data.copy_(state[name + ".bias"])


def copy_res(module, state, name):
    for part in ("a", "p", "b"):
        copy(getattr(module, part), state, f"{name}.{part}")


@torch.no_grad()
def load_earlier(model, path):
    old = torch.load(path, map_location="cpu")
    e, d, a, s = old["E"], old["D"], model.g_a, model.g_s
    gain = e["logg"].exp()                      # z = gain * coefficient + c4(h);  y = z / gain
    for new, name in ((a.c1, "c1"), (a.p1, "p1"), (a.c2, "c2"), (a.p2, "p2"), (a.c3, "c3"), (a.p3, "p3")):
        copy(new, e, name)
    copy_res(a.r1[0], e, "r1")
    for affine, name in ((a.f1, "f1"), (a.f2, "f2")):
        p, q = film_at(e, name, affine.a.numel())
        affine.a.data.copy_(p.view_as(affine.a))
        affine.b.data.copy_(q.view_as(affine.b))
    t = (1 / gain / model.g_a.std.flatten().sqrt()).view(-1, 1, 1, 1)
    w = e["c4.weight"]
    a.c4.weight.data.copy_(w[:, :-1] * t)
    a.c4.bias.data.copy_((e["c4.bias"] + K0 * w[:, -1].sum((1, 2))) * t.flatten())
    a.klt.weight.data.copy_(to_grid(e["klt.weight"].flatten(1)))
    a.klt.bias.data.copy_(e["klt.bias"] + e["klt.weight"].flatten(1).sum(1) * 0.45)

    dg = d["logg"].exp()
    w = d["c1.weight"]
    s.c1.weight.data.copy_(w[:, :-1] * (dg / s.white.flatten()).view(1, -1, 1, 1))
    s.c1.bias.data.copy_(d["c1.bias"] + K0 * w[:, -1].sum((1, 2)))
    for new, name in ((s.p1, "p1"), (s.u1, "u1"), (s.p2, "p2"), (s.u2, "u2"), (s.c3, "c3"), (s.p3, "p3")):
        copy(new, d, name)
    copy_res(s.r0[0], d, "r0")
    copy_res(s.r1[0], d, "r1")
    for film, name in ((s.f1, "f1"), (s.f2, "f2")):
        film.l2.bias.data.copy_(torch.cat(film_at(d, name, film.c)))
    p, q = film_at(d, "f3", d["c4.weight"].shape[1])
    s.c4.weight.data.copy_(d["c4.weight"] * (1 + p).view(1, -1, 1, 1))
    s.c4.bias.data.copy_(d["c4.bias"] + (d["c4.weight"].sum((2, 3)) @ q))
    s.lin.weight.data.copy_(to_grid(d["lin.weight"].flatten(1)).reshape(-1, 768).t().reshape(768, -1, 1, 1))
    m = (d["mu"].view(3, 1) + d["lin.bias"].view(3, 1)).expand(3, 256).reshape(1, 768)
    s.lin.bias.data.copy_(to_grid(m).reshape(768))


def to_grid(rows):
    c = rows.shape[0]
    return rows.reshape(c, 3, 4, 4, 4, 4).permute(0, 1, 3, 5, 2, 4).reshape(c, 48, 4, 4)


@torch.no_grad()
def statistics(model, images, batches=60):
    """sets the class range, the variances of each class, the gains and the entropy model's scales from data"""
    ys, acts = [], []
    for _ in range(batches):
        y = model.g_a(data.photo_batch(images, 8, 128))
        ys.append(y)
        acts.append(activity(y).flatten())
    a = torch.cat(acts)
    q = torch.quantile(a, torch.tensor([0.01, 0.995]))
    model.class_range.copy_(q)
    model.sum2.copy_(model.var * 4)
    model.count.fill_(4)
    for y in ys:
        model.observe(y, model.classify(y), keep=1.0)
    var = model.var.clamp(min=1e-8)
    logg = -0.25 * var.log()
    model.f_e.logg.data.copy_(logg)
    model.f_d.logg.data.copy_(logg)
    model.entropy.logb.data.copy_(0.5 * (var / 2).log())
    hist = torch.bincount(torch.cat([model.classify(y).flatten() for y in ys]), minlength=N_CLASS)
    return q.tolist(), hist.tolist()
