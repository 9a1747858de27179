"""python3 -m unittest test_tables   (needs no data)

The frequency tables as they are counted, and the streams of test/vectors/entropy decoded by the second decoder."""
import importlib.util
import json
import os
import unittest

import numpy as np
import torch

import rate
import table_shapes as shapes
import tables

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../test/vectors/entropy")


def decoder():
    spec = importlib.util.spec_from_file_location("decode", os.path.join(VECTORS, "decode.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def laplace_counts(rng, width, n, radius):
    s = np.rint(rng.laplace(0, width, n)).clip(-radius, radius).astype(int)
    return np.bincount(s + radius, minlength=2 * radius + 1).astype(np.float32)


class Tables(unittest.TestCase):
    def test_streams_of_the_product_decode_here_and_damaged_ones_are_noticed(self):
        d = decoder()
        with open(os.path.join(VECTORS, "entropy.json")) as f:
            v = json.load(f)
        for s in v["streams"]:
            code = bytes.fromhex(s["classMapBytes"])
            self.assertEqual(d.class_map(code, v["tables"], s["rows"], s["columns"]), s["classes"])
            data = bytes.fromhex(s["featureBytes"])
            self.assertEqual(d.feature_symbols(data, v["tables"], s["level"], s["classes"], s["cells"]), s["symbols"])
            with self.assertRaises(ValueError):
                d.feature_symbols(data[:-1], v["tables"], s["level"], s["classes"], s["cells"])

    def test_table_sums_to_65536_has_no_zero_and_is_near_the_counts(self):
        rng = np.random.default_rng(1)
        for width in (0.05, 0.7, 9.0, 80.0):
            h = laplace_counts(rng, width, 200000, 400)
            low, freq = shapes.to_table(h.astype(np.float64), 400)
            self.assertEqual(freq.sum(), 65536)
            self.assertGreaterEqual(freq.min(), 1)
            bits = float((h * shapes.code_length((low, freq), 400, 801)).sum())
            self.assertLess(bits, 1.01 * shapes.entropy_bits(h[None])[0] + 50)

    def test_code_length_of_the_escape(self):
        table = (-1, np.array([16384, 32767, 16384, 1]))
        got = shapes.code_length(table, 4, 9)
        self.assertEqual(got[3:6].round(3).tolist(), [2.0, 1.0, 2.0])
        # 16 bits of the escape, side, Exp-Golomb of the distance 1, 2, 3: 1, 3, 3 bits
        self.assertEqual(got[[2, 1, 0, 6, 7, 8]].tolist(), [18, 20, 20, 18, 20, 20])

    def test_shared_shapes_cost_little_when_there_are_few_kinds(self):
        rng = np.random.default_rng(2)
        widths = np.repeat([0.3, 1.0, 4.0, 12.0], 10)
        rng.shuffle(widths)
        h = np.stack([laplace_counts(rng, w, 20000, 60) for w in widths])
        found, of, history = shapes.share_shapes([h[:20], h[20:]], [1.0, 1.0], 4, 12)
        self.assertEqual(len(found), 4)
        for w in (0.3, 1.0, 4.0, 12.0):
            self.assertEqual(len(set(np.concatenate(of)[widths == w])), 1)
        bits = sum(b.sum() for b in shapes.bits_of_rows([h[:20], h[20:]], found, of))
        self.assertLess(bits, 1.01 * shapes.entropy_bits(h).sum())
        self.assertLessEqual(min(history), history[0])

    def test_near_cells_are_those_that_the_second_decoder_finds(self):
        d, (h, w) = decoder(), (7, 9)
        for segments in (1, 2, 3):
            first, second = tables.near_cells(h, w, segments)
            part = [(r * tables.ROW_STEP + c * tables.COLUMN_STEP) % 65536 * segments // 65536 for r in range(h) for c in range(w)]
            for cell in range(h * w):
                earlier = [other for other in range(cell) if part[other] == part[cell]]
                self.assertEqual([v for v in (first[cell], second[cell]) if v >= 0], d.near_two(cell, earlier, w))

    def test_differences_by_hand(self):
        q = np.array([[5, -1], [7, -4], [4, 0], [9, 9]])
        first, second = np.array([-1, 0, 1, 2]), np.array([-1, -1, 0, 1])
        self.assertEqual(tables.differences(q, first, second).tolist(), [[5, -1], [2, -3], [-2, 3], [4, 11]])

    def test_contexts_by_hand(self):
        c = np.array([[1, 3, 0], [2, 2, 7]])
        n = 8
        want = [[(-1, -1, 0), (1, -1, 0), (3, -1, 0)], [(-1, 1, 2), (2, 3, -2), (2, 0, 0)]]
        index = [[((w + 1) * 9 + north + 1) * 5 + step + 2 for w, north, step in row] for row in want]
        self.assertEqual(tables.contexts(c, n).tolist(), index)

    def test_context_counts_are_positive_sum_up_and_save_bits(self):
        rng = np.random.default_rng(3)
        maps = [np.clip(np.cumsum(rng.integers(-1, 2, (20, 20)), 1) + 4, 0, 7) for _ in range(20)]
        counts = tables.context_counts(maps[:15], 8)
        self.assertEqual(counts.shape, (9 * 9 * 5, 8))
        self.assertGreaterEqual(counts.min(), 1)
        self.assertTrue((counts.sum(1) == tables.CONTEXT_TOTAL).all())
        bits = -np.mean([np.log2(counts[tables.contexts(c, 8), c] / tables.CONTEXT_TOTAL).mean() for c in maps[15:]])
        self.assertLess(bits, 2.0)                 # a step of -1, 0 or 1 is worth log2 3 = 1.58 bits

    def test_classes_never_seen_take_their_neighbours_bits(self):
        n = np.zeros(16)
        n[[2, 6]] = 10
        bits = tables.fill_classes(np.where(n > 0, [0, 0, 100, 0, 0, 0, 300] + [0] * 9, 0.0), n)
        self.assertEqual(bits[[0, 2, 4, 6, 15]].tolist(), [10, 10, 20, 30, 30])
        self.assertTrue((np.diff(bits) >= 0).all())

    def test_symbol_rates_grow_with_the_class_and_shrink_with_theta(self):
        var = 0.01 * 1.4 ** torch.arange(16.0).view(-1, 1) / (1 + torch.arange(32.0)) ** 2
        var[5] = var[3]                            # a class with too little variance is lifted to its neighbour
        r = rate.class_rate(var, torch.logspace(-3.5, 0, tables.THETA_LEVELS))
        self.assertTrue((r.diff(dim=1) >= 0).all() and (r.diff(dim=0) < 0).all())


if __name__ == "__main__":
    unittest.main()
