"""python3 -m unittest test_restoration   (needs no data)"""
import os
import random
import tempfile
import unittest

import numpy as np
import torch
import torch.nn.functional as F

import corrector
import damage
import evaluate_restoration
import generator
import loop
import restoration
from discriminator import Discriminator, weight_of
from evaluate_perceptual import ms_ssim
from networks import ModelSet
from perceptual import block_energy
from test_training import CFG, dct_klt

C = 64
SIZE = dict(width=(8, 8, 8), low=32, stat=8, ref=16)


def shaken(net):
    """every weight moved, so that no zero start hides a fault"""
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn_like(p))
    return net.eval()


def inputs(h=9, w=7, n=1):
    y, q = torch.randn(n, C, h, w), torch.randn(n, 1, h, w)
    d = torch.rand(n, 1, h, w)
    d = torch.where(d < 0.4, torch.zeros(()), torch.where(d < 0.7, torch.ones(()), d))
    labels, cls = torch.randint(0, 43, (n, h, w), dtype=torch.int32), torch.randint(0, 16, (n, h, w), dtype=torch.int32)
    return [y, q, d, torch.ones_like(q), cls, labels, torch.randn(n, C, h, w), (torch.rand(n, 1, h, w) < 0.5).float()]


class CorrectorTest(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.net = shaken(restoration.Corrector(C, SIZE))

    @torch.no_grad()
    def test_undamaged_cells_leave_bit_by_bit(self):
        for h, w in ((1, 1), (1, 17), (9, 7), (16, 16), (33, 5)):
            a = inputs(h, w)
            y, q = self.net(*a)
            keep = a[2] == 0
            self.assertTrue(torch.equal(y[keep.expand_as(y)], a[0][keep.expand_as(y)]))
            self.assertTrue(torch.equal(q[keep], a[1][keep]))
            self.assertTrue(bool(torch.isfinite(y).all()))
            if bool((~keep).any()):
                self.assertFalse(torch.equal(y, a[0]))

    @torch.no_grad()
    def test_what_stands_in_a_lost_cell_is_not_read(self):
        a = inputs()
        before = self.net(*a)[0]
        a[0] = torch.where(a[2] >= restoration.LOST, torch.full((), 1e9), a[0])
        self.assertTrue(torch.equal(before, self.net(*a)[0]))
        a[6] = torch.where(a[7] > 0, a[6], torch.full((), 1e3))           # reference where there is none
        self.assertTrue(torch.equal(before, self.net(*a)[0]))

    @torch.no_grad()
    def test_strength_moves_partly_damaged_cells_only(self):
        a = inputs()
        full = self.net(*a)[0]
        lost, part = a[2] >= restoration.LOST, (a[2] > 0) & (a[2] < restoration.LOST)
        for s in (0.0, 0.25):
            a[3] = torch.full_like(a[3], s)
            y = self.net(*a)[0]
            self.assertTrue(torch.equal(y[lost.expand_as(y)], full[lost.expand_as(y)]))
            want = a[0] + s * (full - a[0])
            self.assertLess(float((y - want)[part.expand_as(y)].abs().max()), 1e-5)

    @torch.no_grad()
    def test_everything_lost_gives_the_label_and_class_alone(self):
        a = inputs(6, 6)
        a[2], a[7] = torch.ones_like(a[2]), torch.zeros_like(a[7])
        y = self.net(*a)[0]
        a[0] = torch.randn_like(a[0])
        self.assertTrue(torch.equal(y, self.net(*a)[0]))

    @torch.no_grad()
    def test_fill_is_near_laplace(self):
        v = torch.zeros(1, 3, 64, 48)
        t = torch.linspace(-1, 1, 64).view(1, -1, 1)
        v[0] = t * 0.3 + torch.linspace(-1, 1, 48).view(1, 1, -1).pow(2) + torch.arange(3).view(3, 1, 1)
        known = torch.ones(1, 1, 64, 48)
        known[..., 12:28, 8:20] = 0
        known[..., 40:44, 30:34] = 0
        got = restoration.Fill()(torch.where(known > 0, v, torch.full((), 99.0)) * known, known)
        want = evaluate_restoration.laplace(v[0].numpy(), known[0, 0].numpy() == 0)
        self.assertTrue(torch.allclose(got * known, v * known, atol=1e-6))
        self.assertLess(float((got[0] - torch.from_numpy(want)).abs().max()), 0.12)

    @torch.no_grad()
    def test_label_mean(self):
        mean = restoration.LabelMean(2)
        mean.prior.fill_(5.0)
        mean.logweight.fill_(-20.0)
        y, labels = torch.randn(1, 4, 3, 3), torch.tensor([[[0, 0, 1], [1, 2, 0], [1, 1, 0]]], dtype=torch.int32)
        known = torch.ones(1, 1, 3, 3)
        known[0, 0, 1, 1] = 0
        got = mean(y, known, labels)
        self.assertTrue(torch.allclose(got[0, :, 0, 0], y[0, :2][:, labels[0] == 0].mean(1), atol=1e-5))
        self.assertTrue(torch.allclose(got[0, :, 1, 1], torch.full((2,), 5.0), atol=1e-4))   # no known cell: the prior


class GeneratorTest(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.net = shaken(restoration.Generator(C, SIZE))

    @torch.no_grad()
    def test_identity_and_noise(self):
        for h, w in ((1, 1), (7, 12)):
            y, missing = torch.randn(1, C, h, w), (torch.rand(1, 1, h, w) < 0.6).float()
            missing[..., 0, 0] = 1
            labels = torch.randint(0, 43, (1, h, w), dtype=torch.int32)
            a = self.net(y, missing, labels, torch.randn(1, 16, h, w))
            b = self.net(y + 7 * missing, missing, labels, torch.randn(1, 16, h, w))
            keep = (missing == 0).expand_as(y)
            self.assertTrue(torch.equal(a[keep], y[keep]) and torch.equal(b[keep], y[keep]))
            self.assertGreater(float((a - b)[~keep].abs().mean()), 0)

    def test_gradients_against_loops(self):
        x, m = torch.rand(1, 1, 12, 8), torch.tensor([[[[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]])
        inside, border = [], []
        for i in range(12):
            for j in range(8):
                for a, b in ((i + 1, j), (i, j + 1)):
                    if a < 12 and b < 8:
                        d = float((x[0, 0, i, j] - x[0, 0, a, b]) ** 2)
                        p, q = float(m[0, 0, i // 4, j // 4]), float(m[0, 0, a // 4, b // 4])
                        if (i // 4, j // 4) != (a // 4, b // 4):
                            border += [d] * int(p + q > 0)
                        else:
                            inside += [d] * int(p)
        got = generator.gradients(x, m)
        self.assertAlmostEqual(float(got[0]), np.mean(inside) + 4e-6, places=5)
        self.assertAlmostEqual(float(got[1]), np.mean(border) + 4e-6, places=5)

    def test_patterns(self):
        p = generator.patterns()
        self.assertEqual(tuple(p.shape), (16, 48, 48))
        self.assertTrue(torch.allclose(p.pow(2).sum((1, 2)), torch.ones(16), atol=1e-5))
        self.assertLess(float(p.sum((1, 2)).abs().max()), 1e-3)
        self.assertLess(float(p[:, 0].abs().max()), 1e-3)                  # nothing reaches the window's rim

    def test_discriminator(self):
        d = Discriminator(8)
        s, _ = d(torch.rand(2, 3, 64, 48), torch.zeros(2, 4, 3, dtype=torch.int32), torch.ones(2, 1, 4, 3))
        self.assertEqual(s.shape, weight_of(torch.ones(2, 1, 4, 3)).shape)


class DamageTest(unittest.TestCase):
    def test_majority_and_mode(self):
        mask = torch.full((1, 32, 32), 11)
        mask[0, :3, :16] = 4                                               # void wins no cell that has anything else
        self.assertEqual(damage.majority(mask).tolist(), [[[4, 11], [11, 11]]])
        labels = torch.zeros(1, 5, 5, dtype=torch.int32)
        labels[0, 2, 2] = 9
        self.assertEqual(int(damage.mode_filter(labels).sum()), 0)

    def test_patterns_hit_something_and_repeat(self):
        labels = np.zeros((12, 10), int)
        labels[3:6] = 2
        for seed in range(60):
            hit = damage.pattern(labels, random.Random(seed))
            self.assertTrue(hit.any() and hit.shape == labels.shape)
            self.assertTrue((hit == damage.pattern(labels, random.Random(seed))).all())
        self.assertEqual(int(damage.region(labels, 4, 4).sum()), 30)

    def test_link_without_loss_and_with(self):
        torch.manual_seed(2)
        m = ModelSet(CFG, dct_klt()).eval()
        y = m.g_a(torch.rand(2, 3, 64, 64))
        (a, qa), (b, qb), share, cls = damage.link(m, y, np.random.default_rng(0))
        self.assertEqual(a.shape, y.shape)
        self.assertTrue(bool(((share >= 0) & (share <= 1)).all()))
        self.assertEqual(cls.shape, (2, 4, 4))
        error = ((b - y).pow(2).sum(1, keepdim=True), (a - y).pow(2).sum(1, keepdim=True))
        if bool((share > 0.5).any()):
            self.assertGreater(float(error[0][share > 0.5].mean()), float(error[1][share > 0.5].mean()))

    def test_closed_form_start_restores_a_smooth_picture(self):
        torch.manual_seed(3)
        m = ModelSet(CFG, dct_klt()).eval()
        m.requires_grad_(False)

        class Smooth:
            def batch(self, n):
                x = F.interpolate(torch.rand(n, 3, 4, 4), (128, 128), mode="bicubic", align_corners=False).clamp(0, 1)
                y = m.g_a(x)
                d = (torch.rand(n, 1, 8, 8) < 0.2).float()
                return dict(y=y, received=y, damage=d, labels=torch.zeros(n, 8, 8, dtype=torch.int32), x=x,
                            cls=torch.zeros(n, 8, 8, dtype=torch.int32), quality=torch.zeros_like(d),
                            ref=torch.zeros_like(y), has_ref=torch.zeros_like(d))

        net = restoration.Corrector(C, SIZE, m.g_a.std.flatten().square())
        corrector.closed_form(net, m, Smooth(), 12)
        b = Smooth().batch(4)
        with torch.no_grad():
            y, _ = corrector.apply(net, b)
        hit = (b["damage"] > 0).expand_as(y)
        self.assertLess(float((y - b["y"])[hit].pow(2).sum()), 0.12 * float((b["y"] - b["y"].mean((0, 2, 3), keepdim=True))[hit].pow(2).sum()))


class LoopTest(unittest.TestCase):
    def test_state_resumes_and_restarts(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.pt")

            def run(minutes, restart=False):
                torch.manual_seed(0)
                net = torch.nn.Linear(2, 1)
                r = loop.Run(path, net, torch.optim.Adam(net.parameters(), 0.1), {"name": "t"}, minutes, 0.1, 3, restart=restart)
                n = 0
                while r.clock() is not None and n < 20000:
                    loop.descend(net(torch.ones(1, 2)).pow(2).sum(), r.opt, net.parameters())
                    r.stepped(loss=1.0)
                    n += 1
                return r, n

            first, n = run(0.005)
            self.assertGreater(n, 0)
            again, none = run(0.005)
            self.assertEqual((none, again.step), (0, first.step))
            longer, more = run(0.005, True)
            self.assertGreater(more, 0)
            s = torch.load(path)
            self.assertEqual(s["steps"], first.step + more)
            self.assertGreater(s["seconds"], 0.55)
            self.assertEqual((s["seed"], s["config"]), (3, {"name": "t"}))

    def test_laplace_keeps_a_ramp(self):
        v = np.add.outer(np.arange(20.0), 2 * np.arange(15.0))[None]
        free = np.zeros((20, 15), bool)
        free[5:12, 4:9] = True
        self.assertLess(np.abs(evaluate_restoration.laplace(np.where(free, 0, v), free) - v).max(), 1e-4)

    def test_measures(self):
        x = torch.rand(1, 3, 192, 192)
        self.assertAlmostEqual(ms_ssim(x, x), 1.0, places=5)
        self.assertLess(ms_ssim(x, (x + 0.2 * torch.randn_like(x)).clamp(0, 1)), 0.99)
        flat = torch.full((1, 3, 32, 32), 0.5)
        self.assertEqual(float(block_energy(flat).max()), 0)
        hit = torch.tensor([[True, False], [False, False]])
        other = flat.clone()
        other[..., 16:, :] = 0
        self.assertAlmostEqual(evaluate_restoration.region_psnr(other, flat, hit), 100.0, places=3)


if __name__ == "__main__":
    unittest.main()
