"""Export and packing without data: python3 -m unittest test_pack"""
import json
import os
import tempfile
import unittest

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import numpy_helper

import bench_figures
import cards
import export
import vectors
from networks_of_set import Part


class Tiny(nn.Module):
    """obeys the contract of `saliency`: one matrix, one vector of rank 4, one table by name"""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 1, 4, 4)
        self.offset = nn.Parameter(torch.linspace(0.1, 0.2, 128).view(1, 128, 1, 1))
        self.mix = nn.Conv2d(128, 8, 1)
        self.register_buffer("white", torch.rand(128, 8) + 0.5)
        self.drop = nn.Dropout2d(0.5)

    def forward(self, y):
        return self.up(self.drop(self.mix(nn.functional.conv2d(y, self.white[:, :, None, None]) + self.offset)))


class Packing(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.folder = tempfile.TemporaryDirectory()
        self.net = Tiny()
        self.y = dict(y=torch.randn(1, 8, 3, 5))

    def tearDown(self):
        self.folder.cleanup()

    def export(self, name):
        path = os.path.join(self.folder.name, name)
        export.to_onnx(self.net, "saliency", 8, self.y, path)
        return path

    def test_matrices_are_float16_and_hold_the_rounded_weights(self):
        before = self.net.mix.weight.detach().clone()
        worst = export.round_half(self.net)
        self.assertTrue(0 < worst < 6e-4)
        self.assertFalse(torch.equal(before, self.net.mix.weight))
        model = onnx.load(self.export("a.onnx"))
        kept = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self.assertEqual(kept["mix.weight_half"].dtype, np.float16)
        self.assertTrue((kept["mix.weight_half"].astype(np.float32) == self.net.mix.weight.detach().numpy()).all())
        self.assertEqual(kept["offset"].dtype, np.float32)
        self.assertTrue(all(v.dtype == np.float32 for v in kept.values() if v.shape[:2] == (128, 8)))   # the table `white`
        self.assertEqual([o.version for o in model.opset_import], [export.OPSET])

    def test_same_bytes_and_no_trace_of_the_machine(self):
        export.round_half(self.net)
        with open(self.export("a.onnx"), "rb") as a, open(self.export("b.onnx"), "rb") as b:
            content = a.read()
            self.assertEqual(content, b.read())
        self.assertNotIn(b"pytorch", content)
        self.assertNotIn(b".py", content)

    def test_export_leaves_the_network_in_evaluation_mode(self):
        self.net.train()
        self.export("a.onnx")
        self.assertFalse(self.net.drop.training)

    def test_weights_that_float16_cannot_hold_are_refused(self):
        with torch.no_grad():
            self.net.mix.weight[0, 0] = 1e5
        with self.assertRaises(ValueError):
            export.round_half(self.net)

    def test_work_is_counted(self):
        pairs = 8 * 128 * 15 + 128 * 8 * 15 + 8 * 16 * 15
        self.assertAlmostEqual(export.flops_per_pixel(self.net.eval(), self.y, 15 * 256), 2 * pairs / (15 * 256))

    def test_picture_of_the_vectors_is_8_bit(self):
        x = vectors.picture(32, 48) * 255
        self.assertLess(float((x - x.round()).abs().max()), 1e-4)
        self.assertGreater(float(x.std()), 20)

    def test_licence_names_the_data(self):
        part = Part("labels", 8, self.net, "x", 1, 2, 3, "CamVid train; photographs", {})
        text = cards.licence(part)
        self.assertIn("research and non-commercial use only", text)
        self.assertIn("CC BY-NC 4.0", text)
        self.assertNotIn("ECSSD", text)

    def test_figures_of_the_bench_only_for_the_same_weights(self):
        bench = {"schema": "sct.bench.models/1", "quick": False, "sets": [{"name": "base", "sha256": "ab"}],
                 "kodak": {"curves": [{"set": "base", "cbr": 1 / 16, "snrDb": [1, 4], "psnrDb": [26.1234, 27]}]},
                 "rows": [{"part": "labels", "what": "base: mean IoU, CamVid test", "unit": "", "value": 0.45},
                          {"part": "repair", "what": "base, Kodak, generator, 9 regions: border", "unit": "times", "value": 1.1},
                          {"part": "labels", "what": "live: mean IoU, CamVid test", "unit": "", "value": 0.4}]}
        path = os.path.join(self.folder.name, "models.json")
        with open(path, "w") as f:
            json.dump(bench, f)
        found = bench_figures.figures(path, "base", "ab")
        self.assertEqual(found["labels"], {"mean IoU, CamVid test": 0.45})
        self.assertEqual(list(found["generator"].values()), [1.1])
        self.assertEqual(list(found["symbol-decoder"].values()), [[26.123, 27]])
        self.assertEqual(bench_figures.figures(path, "base", "cd"), {})


if __name__ == "__main__":
    unittest.main()
