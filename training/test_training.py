"""python3 -m unittest test_training   (needs no data: a DCT stands for the KLT)"""
import math
import unittest

import numpy as np
import torch

import channel
import evaluate
import rate
import store
from networks import EntropyModel, ModelSet

CFG = dict(name="t", channels=64, width=[16, 24, 32], ga16=1, ga8=0, gs16=1, gs8=1, fe_width=24, fe_blocks=1,
           fd_width=24, fd_blocks=1, label_width=16, saliency_width=16)


def dct_klt():
    n = np.arange(16)
    d = np.sqrt(2 / 16) * np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / 32)
    d[0] /= np.sqrt(2)
    colour = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=float)
    colour /= np.linalg.norm(colour, axis=1, keepdims=True)
    v = np.einsum("pc,ai,bj->pabcij", colour, d, d).reshape(768, 768)
    f = np.add.outer(n, n)[None] + 6 * np.arange(3)[:, None, None] + 1.0
    lam = (8 / f ** 3).reshape(768)
    order = np.argsort(-lam, kind="stable")
    return {"V": torch.tensor(v[order]).float(), "lam": torch.tensor(lam[order]).float(), "mu": torch.full((768,), 0.45)}


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        cls.m = ModelSet(CFG, dct_klt()).eval()

    def test_noise_of_the_channel_is_the_nominal_snr(self):
        mask = torch.ones(1, 192, 32, 32)
        z = torch.randn(1, 384, 32, 32) / math.sqrt(2)
        for snr in (-4.0, 1.0, 13.0):
            r, known = channel.awgn(z, mask, snr)
            s = 10 ** (snr / 10)
            noise = (r * (1 + s) / s - z).view(1, 192, 2, 32, 32).pow(2).sum(2).mean()
            power = z.view(1, 192, 2, 32, 32).pow(2).sum(2).mean()
            self.assertAlmostEqual(float(10 * torch.log10(power / noise)), snr, delta=0.05)
            self.assertAlmostEqual(float(known.mean()), snr, delta=0.01)

    def test_capacity_equivalent_of_a_mix(self):
        s = torch.tensor([1.0, 15.0]).view(1, 2, 1, 1)
        self.assertAlmostEqual(float(channel.capacity_equivalent(s, torch.ones(1, 2, 1, 1))), 2 ** 2.5 - 1, places=4)

    def test_allocation_meets_the_budget_and_repeats(self):
        cls = torch.randint(0, 16, (3, 20, 30))
        var = torch.rand(16, 64).cumsum(0)
        budget = torch.tensor([6.0, 40.0, 130.0])
        k = rate.allocate(cls, var, torch.full((3,), 0.3), budget, exact=True)
        self.assertTrue(bool((k.mean((1, 2, 3)) <= budget).all()))
        self.assertTrue(bool((k.mean((1, 2, 3)) > budget * 0.985).all()))
        self.assertTrue(set(k.unique().tolist()) <= set(rate.K_SET))
        self.assertTrue(torch.equal(k, rate.allocate(cls, var, torch.full((3,), 0.3), budget, exact=True)))

    def test_analysis_and_synthesis_start_as_an_orthonormal_transform(self):
        klt = dct_klt()
        m = ModelSet(dict(CFG, channels=384), klt).eval()
        x = torch.rand(1, 3, 32, 48)
        y = m.g_a(x)
        block = x[0, :, 16:32, 32:48].reshape(768)
        self.assertLess(float((y[0, :, 1, 2] - klt["V"][:384] @ (block - klt["mu"])).abs().max()), 1e-4)
        back = m.g_s(y, torch.zeros(1, 1, 2, 3))
        want = klt["V"][:384].t() @ (klt["V"][:384] @ (block - klt["mu"])) + klt["mu"]
        self.assertLess(float((back[0, :, 16:32, 32:48].reshape(768) - want).abs().max()), 1e-4)

    def test_decoder_starts_as_lmmse(self):
        y = torch.randn(1, 64, 4, 4) * self.m.var[0].sqrt().view(1, -1, 1, 1)
        cls = torch.zeros(1, 4, 4).long()
        k = torch.full((1, 1, 4, 4), 192.0)
        snr = torch.full((1, 1, 4, 4), 200.0)
        z = self.m.f_e(y, cls, k, snr.clamp(max=20))
        y_hat, quality = self.m.f_d(z / 2, torch.full((1, 1, 1, 1), 2.0), cls, k, snr, self.m.var)
        self.assertLess(float((y_hat - y).abs().max()), 1e-3)
        self.assertAlmostEqual(float(quality.mean()), -4, delta=0.1)

    def test_whole_chain_gets_better_with_snr_and_rate(self):
        x = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 12), (128, 192), mode="bicubic", align_corners=False).clamp(0, 1)
        with torch.no_grad():
            y = self.m.g_a(x)
            cls = self.m.classify(y)
            p = [evaluate.psnr(evaluate.send(self.m, y, cls, s, b)[0], x) for s, b in ((0, 16), (10, 16), (20, 16), (20, 48))]
        self.assertEqual(p, sorted(p))

    def test_laplace_bits(self):
        e = EntropyModel(1, torch.full((16, 1), 2.0))                    # b = 1
        step = torch.full((1, 1, 1, 1), 0.7)
        for v in (0.0, 0.2, -0.7, 1.4, 9.0):
            got = float(e.bits(torch.full((1, 1, 1, 1), v), torch.zeros(1, 1, 1).long(), step))
            cdf = lambda t: 0.5 * math.exp(t) if t < 0 else 1 - 0.5 * math.exp(-t)
            self.assertAlmostEqual(got, -math.log2(cdf(v + 0.35) - cdf(v - 0.35)), places=3)

    def test_class_map_cost_and_smoothing(self):
        a = torch.rand(16, 24) * 3 + 3
        rough = rate.smooth_classes(a, math.exp(3), math.exp(6), 0.0)
        smooth = rate.smooth_classes(a, math.exp(3), math.exp(6), 8.0)
        self.assertLess(rate.class_map_bits(smooth), rate.class_map_bits(rough))
        self.assertTrue(bool((rate.smooth_classes(a, math.exp(3), math.exp(6), 1.0, coarse=True) % 2 == 0).all()))

    def test_small_file(self):
        import os
        import tempfile
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "t.pt.xz")
            store.save_small(self.m.state_dict(), path, {"steps": 0})
            back = store.load_state(path)
        for k, v in self.m.state_dict().items():
            if v.is_floating_point():
                self.assertLess(float((back[k] - v).abs().max()), 0.005 * float(v.abs().max()) + 1e-6)


if __name__ == "__main__":
    unittest.main()
