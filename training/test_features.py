"""python3 -m unittest test_features   (needs no data)"""
import json
import os
import random
import tempfile
import unittest
from unittest import mock

import numpy as np
import torch

import add_part
import export
import features
import pack
import vectors
from networks import ModelSet
from networks_of_set import Part
from test_training import CFG, dct_klt


class FeaturesTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        random.seed(0)
        self.klt = dct_klt()
        self.c = CFG["channels"]
        self.net = features.Features(self.c, self.klt["lam"][:self.c].clone(), dict(width=8, dilations=(1, 2)))

    @torch.no_grad()
    def test_starts_as_identity_and_looks_at_the_quality(self):
        y, q = torch.randn(1, self.c, 5, 7), torch.zeros(1, 1, 5, 7)
        self.assertTrue(torch.equal(self.net(y, q), y))
        for p in self.net.parameters():
            p.add_(0.05 * torch.randn_like(p))
        self.assertFalse(torch.equal(self.net(y, q), self.net(y, q - 1)))
        for h, w in ((1, 1), (1, 9), (6, 2)):
            self.assertEqual(self.net(torch.randn(1, self.c, h, w), torch.zeros(1, 1, h, w)).shape, (1, self.c, h, w))

    def test_both_receivers_estimates(self):
        m = ModelSet(dict(CFG), self.klt).eval()
        y = torch.randn(2, self.c, 4, 4) * self.klt["lam"][:self.c].sqrt().view(1, -1, 1, 1)
        y_hat, quality = features.rounded(m, y)
        self.assertEqual((y_hat.shape, quality.shape), (y.shape, (2, 1, 4, 4)))
        # A dead zone never makes a value larger than rounding up would, nor turns its sign.
        self.assertTrue(bool((y_hat * y >= 0).all()))
        with torch.no_grad():
            for _ in range(6):
                y_hat, quality = features.received(m, y, np.random.default_rng(1))
                self.assertTrue(bool(torch.isfinite(y_hat).all() and torch.isfinite(quality).all()))

    def test_losses_fall_to_their_least_at_the_clean_answers(self):
        a, b = torch.randn(2, 11, 3, 3), torch.randn(2, 11, 3, 3)
        self.assertLess(float(features.apart(b, b)), 1e-6)
        self.assertGreater(float(features.apart(a, b)), 0.01)
        self.assertLess(float(features.soft(b, b)), float(features.soft(a, b)))

    def test_vectors_of_one_network_are_put_into_a_file(self):
        class Part:
            role, channels, module = "features", self.c, self.net

        y, q = torch.randn(1, self.c, 2, 3), torch.randn(1, 1, 2, 3)
        pack = {k: {"type": "float32", "shape": list(t.shape), "base64": vectors.packed(t)} for k, t in (("yHat", y), ("quality", q))}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "set.json")
            with open(path, "w") as f:
                json.dump({"tensors": pack, "networks": [{"role": "features", "inputs": [], "outputs": []}, {"role": "labels"}]}, f)
            vectors.add(Part, path)
            with open(path) as f:
                content = json.load(f)
        self.assertEqual([n["role"] for n in content["networks"]], ["labels", "features"])
        out = content["networks"][1]["outputs"][0]
        want = y.flatten()[out["at"]].tolist()
        self.assertTrue(np.allclose(out["values"], want, rtol=1e-6))
        self.assertEqual([t["name"] for t in export.tensors("features", self.c)[0]], ["yHat", "quality"])

    def test_one_network_into_a_packed_folder(self):
        with open(os.path.join(pack.HERE, "..", "models", "models.json")) as f:
            shipped = json.load(f)["sets"]
        for s in shipped:
            self.assertEqual(pack.set_hash(s["files"]), s["sha256"])
        entry = dict(shipped[1], files=[f for f in shipped[1]["files"] if f["role"] != "features"])
        part = Part("features", self.c, self.net, "D", 3, 60, 1, "CamVid train", {})
        with tempfile.TemporaryDirectory() as out:
            os.makedirs(os.path.join(out, "live"))
            with mock.patch.object(pack, "check", side_effect=SystemExit), self.assertRaises(SystemExit):
                add_part.add(entry, part, out)
            self.assertEqual((os.listdir(os.path.join(out, "live")), entry["id"]), ([], shipped[1]["id"]))
            with mock.patch.object(pack, "check") as check:
                add_part.add(entry, part, out)
            check.assert_called_once()
            self.assertEqual(sorted(os.listdir(os.path.join(out, "live"))), ["features.md", "features.onnx"])
            made = entry["files"][-2]
            self.assertEqual((made["role"], made["sha256"]), ("features", pack.sha256(os.path.join(out, made["path"]))))
        self.assertEqual([f["role"] for f in entry["files"]], [f["role"] for f in shipped[1]["files"]])
        self.assertEqual(sorted(made), sorted(entry["files"][0]))
        self.assertEqual(entry["sha256"], pack.set_hash(entry["files"]))
        self.assertNotEqual(entry["id"], shipped[1]["id"])


if __name__ == "__main__":
    unittest.main()
