"""Vectors of src/sct/rate from the Python rules that the networks were trained with (training/rate.py; needs PyTorch).

  python3 make_rate.py > rate.json
"""
import json
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../training"))
import rate  # noqa: E402

CHANNELS, LOW, HIGH = 24, 8.0, 90.0
torch.manual_seed(3)


def variance():
    k, c = torch.arange(16.0).view(-1, 1), torch.arange(CHANNELS).float()
    return 1.45 ** k * 0.02 / (1 + c) ** 1.5


def activity_map(h, w):
    """log activity, smooth with noise, float64 [h, w]"""
    a = torch.nn.functional.interpolate(torch.randn(1, 1, 3, 4), (h, w), mode="bilinear", align_corners=True)[0, 0]
    return (3.3 + 0.8 * a + 0.2 * torch.randn(h, w)).double()


def main():
    var = variance()
    theta = torch.logspace(-3.5, 0, 36)
    table = (16 * rate.class_rate(var, theta)).round().int()
    edges = LOW * (HIGH / LOW) ** (torch.arange(1, 16).double() / 16)
    maps, budgets, thetas = [], [], []
    for h, w in ((1, 1), (6, 9), (16, 16)):
        a = activity_map(h, w)
        for coarse, strength in ((True, 2.0), (False, 0.0), (False, 1.5), (True, 6.0)):
            cls = rate.smooth_classes(a, LOW, HIGH, strength, coarse)
            maps.append({"rows": h, "columns": w, "activity": a.exp().flatten().tolist(), "coarse": coarse,
                         "smoothing": strength, "classes": cls.flatten().tolist()})
    cls = rate.smooth_classes(activity_map(16, 24), LOW, HIGH, 1.0, False)[None]
    exact = rate.class_rate
    for level in (12, 18, 24, 30):
        for mean in (0.0, 0.3, 2.0, 7.5, 25.0, 96.0, 180.0):
            b, t = torch.tensor([mean]), theta[level:level + 1]
            rate.class_rate = lambda v, th: table[level:level + 1].float()      # the integers that both ends hold
            rounded = rate.allocate(cls, var, t, b, exact=True)
            rate.class_rate = exact
            plain = rate.allocate(cls, var, t, b, exact=True)
            budgets.append({"thetaLevel": level, "budget": int(mean * cls.numel()), "symbols": rounded.flatten().int().tolist(),
                            "symbolsOfExactRates": plain.flatten().int().tolist()})
    for mean in (2.0, 10.0, 48.0, 96.0):
        for snr in (-4.0, 4.0, 13.0, 20.0):
            got = rate.theta_for(var, cls, torch.tensor([mean]), torch.tensor([snr]))
            thetas.append({"budget": int(mean * cls.numel()), "snrDb": snr, "thetaLevel": int((theta - got).abs().argmin())})
    json.dump({"activityEdges": edges.tolist(), "symbolRate": table.tolist(), "maps": maps,
               "classes": cls.flatten().tolist(), "budgets": budgets, "thetaLevels": thetas}, sys.stdout, separators=(",", ":"))


main()
