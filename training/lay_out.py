"""Executions of a set's networks, laid out as a processor takes them: analysis and synthesis in 8 bits, others in floats.

    /usr/bin/python3 lay_out.py scales QUANTISED.onnx SCALES.json      activation scales of what quantise.py int8 made: tensor -> [scale, zero]
    /usr/bin/python3 lay_out.py analysis FLOAT.onnx SCALES.json OUT.onnx
    /usr/bin/python3 lay_out.py synthesis FLOAT.onnx SCALES.json OUT.onnx
    /usr/bin/python3 lay_out.py floats FLOAT.onnx OUT.onnx
    /usr/bin/python3 quantise.py ship MODELS SET ROLE OUT.onnx         puts it beside the set

`floats` writes PRelu as the larger of x and slope x, the same numbers: the runtime's PRelu takes 4 times as long as both (129 to 30 us in saliency). Those of saliency,
symbol-encoder, symbol-decoder and corrector ship. Analysis and synthesis: the same sums as quantise.py's networks, in another order:

- Samples go in and come out as the picture's bytes, cell by cell, `cells` uint8 [h, w, 768] with 768 = [block row][block column][row][column][r, g, b]
  of 4x4 blocks of 4x4 pixels. The order of the weights' channels takes the place of the space-to-depth and depth-to-space of 200 000 floats.
- Channels last: what is per channel (PRelu, scale and shift) runs over rows of REPEAT x channels numbers.
- g_a's KLT multiplies the bytes with int8 weights (a scale for each channel) and gives floats: no activation is rounded.
- g_s's linear convolution stays in floats. (As bytes and eighths of what rounding left it took half as long, 0.35 ms of 2.8 at 256x256, and cost up to
  0.7 dB where a picture has features beyond 7 deviations, which no byte holds.)
- 1x1 convolutions are matrix products, and with them nearest-neighbour enlargement is a wider matrix.

SCALES.json of the shipped files stands in configs/live-int8.json. A test makes the shipped files again and compares their bytes.
"""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from quantise import weights_of

CELL = 768  # bytes of a cell's 16x16 pixels
RUNTIME = "com.microsoft"  # operators of ONNX Runtime itself
MIDDLE = 0.45  # what the networks subtract from samples 0..1
# Order of 48 channels of a 4x4 block: from [r, g, b][row][column] to [row][column][r, g, b].
TO_BYTES = np.arange(48).reshape(3, 4, 4).transpose(1, 2, 0).ravel()


class Builder:
    """nodes and constants of a graph"""

    def __init__(self, model, scales):
        self.values = weights_of(model.graph)
        self.nodes_of = {n.name: n for n in model.graph.node}
        self.scales = scales
        self.nodes = []
        self.constants = {}

    def constant(self, name, value, dtype=np.float32):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(np.asarray(value, dtype)), name)
        return name

    def op(self, kind, inputs, out, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def weights(self, conv):
        """weights and bias of a convolution of the float network"""
        node = self.nodes_of[conv]
        return self.values[node.input[1]], self.values[node.input[2]]

    def slopes(self, prelu):
        return self.values[self.nodes_of[prelu].input[1]].ravel()

    def scale(self, tensor):
        """names of scale and zero point of a tensor"""
        s, z = self.scales[tensor]
        return self.constant(f"{tensor}/scale", s), self.constant(f"{tensor}/zero", z, np.uint8)

    def quantise(self, x, tensor, out=None):
        return self.op("QuantizeLinear", [x, *self.scale(tensor)], out or f"{tensor}/q")

    def dequantise(self, x, tensor):
        return self.op("DequantizeLinear", [x, *self.scale(tensor)], f"{tensor}/float")

    def reshape(self, x, shape, out):
        """`shape`: name of a tensor, or numbers (0 copies, -1 is free)"""
        if not isinstance(shape, str):
            shape = self.constant(f"shape/{'x'.join(map(str, shape))}", shape, np.int64)
        return self.op("Reshape", [x, shape], out)

    def grid(self, width, factor, channels):
        """name of the shape [1, free, factor w, channels] from the name of [w]"""
        wide = self.op("Mul", [width, self.constant(f"factor/{factor}", [factor], np.int64)], f"wide/{factor}/{channels}")
        ends = [self.constant("one-row", [1, -1], np.int64), wide, self.constant(f"count/{channels}", [channels], np.int64)]
        return self.op("Concat", ends, f"grid/{factor}/{channels}", axis=0)

    def conv(self, x, name, source, target=None, permute_in=None, permute_out=None, shift=0.0):
        """
        Convolution of bytes [1, rows, columns, channels] of the tensor `source`, 8-bit weights as quantise.py makes them.
        `shift`: what is to be added to (some) inputs, [channel] or a number; goes into the bias.
        """
        target = target or f"{name}_output_0"
        w, b = self.weights(name)
        b = b + (w.sum((2, 3)) * shift).sum(1)
        if permute_in is not None:
            w = w[:, permute_in]
        if permute_out is not None:
            w, b = w[permute_out], b[permute_out]
        w_scale = np.maximum(np.abs(w).reshape(len(w), -1).max(1), 1e-8).astype(np.float32) / 127
        whole = np.clip(np.round(w / w_scale.reshape(-1, 1, 1, 1)), -127, 127)
        x_scale, _ = self.scales[source]
        bias = np.clip(np.round(b / (w_scale * np.float32(x_scale)).astype(np.float32)), -(2**31), 2**31 - 1)
        inputs = [
            x,
            *self.scale(source),
            self.constant(f"{name}/w", whole, np.int8),
            self.constant(f"{name}/ws", w_scale),
            self.constant(f"{name}/wz", np.zeros(len(w)), np.int8),
            *self.scale(target),
            self.constant(f"{name}/b", bias, np.int32),
        ]
        shape = {a.name: helper.get_attribute_value(a) for a in self.nodes_of[name].attribute}
        return self.op("QLinearConv", inputs, f"{name}/out", domain=RUNTIME, channels_last=1, **shape)

    def product(self, x, w, b, out):
        """x [n, inputs] times w [inputs, outputs] plus b"""
        if (w == w.astype(np.float16)).all():
            half = self.constant(f"{out}/half", w, np.float16)
            w = self.op("Cast", [half], f"{out}/w", to=TensorProto.FLOAT)
        else:
            w = self.constant(f"{out}/w", w)
        y = self.op("MatMul", [x, w], f"{out}/product")
        return self.op("Add", [y, self.constant(f"{out}/b", b)], out)

    def byte_product(self, x, w, b, out, middle):
        """
        (x / 255 - middle) times w plus b for bytes x [n, inputs], as floats: w [inputs, outputs] in int8 with a scale for each output, no
        activation rounded
        """
        w_scale = np.abs(w).max(0) / 127
        whole = np.round(w / w_scale)
        inputs = [
            *[x, self.constant(f"{out}/w", whole, np.int8)],
            *[self.constant(f"{out}/xs", 1 / 255), self.constant(f"{out}/ws", w_scale)],
            *[self.constant(f"{out}/xz", 0, np.uint8), "", self.constant(f"{out}/b", b - middle * (whole * w_scale).sum(0))],
        ]
        return self.op("MatMulIntegerToFloat", inputs, out, domain=RUNTIME)

    def prelu(self, x, name, repeat):
        """on rows of `repeat` x channels floats"""
        slopes = self.slopes(name)
        if slopes.max() > 1:
            raise SystemExit(f"{name} has a slope above 1: the larger of x and slope x is not PRelu")
        lower = self.op("Mul", [x, self.constant(f"{name}/slopes", np.tile(slopes, repeat))], f"{name}/lower")
        return self.op("Max", [x, lower], f"{name}/out")

    def residual(self, x, x_name, stem, grid, channels, repeat):
        """x + conv b (PRelu (conv a (x))) on rows of repeat x channels floats; `x_name` is what the float network calls x"""
        wide = [-1, repeat * channels]
        at = self.reshape(self.quantise(x, x_name), grid, f"{stem}/a/grid")
        a = self.reshape(self.conv(at, f"{stem}/a/Conv", x_name), wide, f"{stem}/a/rows")
        p = self.prelu(self.dequantise(a, f"{stem}/a/Conv_output_0"), f"{stem}/p/PRelu", repeat)
        p = self.reshape(self.quantise(p, f"{stem}/p/PRelu_output_0"), grid, f"{stem}/p/grid")
        b = self.reshape(self.conv(p, f"{stem}/b/Conv", f"{stem}/p/PRelu_output_0"), wide, f"{stem}/b/rows")
        return self.op("Add", [x, self.dequantise(b, f"{stem}/b/Conv_output_0")], f"{stem}/sum")

    def width(self, x, axis, out="w"):
        """name of the [length] of an axis"""
        return self.op("Gather", [self.op("Shape", [x], f"{x}/shape"), self.constant("axis", [axis], np.int64)], out, axis=0)

    def model(self, inputs, outputs):
        graph = helper.make_graph(self.nodes, "live", inputs, outputs, list(self.constants.values()))
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(RUNTIME, 1)], ir_version=7, producer_name="lay_out.py")
        onnx.checker.check_model(made)
        return made


def tensor(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, list(shape))


def analysis(model, scales):
    """g_a: `cells` uint8 [h, w, 768] to y float [1, channels, h, w]"""
    g = Builder(model, scales)
    w, b = g.weights("/klt/Conv")  # [channel][r, g, b, row, column][block row][block column]
    channels = len(w)
    width = g.width("cells", 1)
    w = w.reshape(channels, 48, 16)[:, TO_BYTES].transpose(0, 2, 1).reshape(channels, CELL)
    klt = g.byte_product(g.reshape("cells", [-1, CELL], "klt/cells"), w.T, b, "klt", MIDDLE)

    blocks = g.reshape("cells", [0, 0, 4, 4 * 48], "blocks")
    blocks = g.op("Transpose", [blocks], "blocks/rows", perm=[0, 2, 1, 3])
    samples = "/Squeeze_output_0"
    c1 = g.conv(g.reshape(blocks, g.grid(width, 4, 48), "blocks/grid"), "/c1/Conv", samples, permute_in=TO_BYTES)
    c1 = g.reshape(c1, [-1, 16 * 24], "c1/rows")
    p1 = g.quantise(g.prelu(g.dequantise(c1, "/c1/Conv_output_0"), "/p1/PRelu", 16), "/p1/PRelu_output_0")
    c2 = g.conv(g.reshape(p1, g.grid(width, 4, 24), "p1/grid"), "/c2/Conv", "/p1/PRelu_output_0")

    def scaled_and_shifted(x, prelu, mul, add, repeat, out):
        p = g.prelu(x, prelu, repeat)
        factor = np.tile(g.values[g.nodes_of[mul].input[1]].ravel(), repeat)
        m = g.op("Mul", [p, g.constant(f"{out}/m", factor)], f"{out}/scaled")
        return g.op("Add", [m, g.constant(f"{out}/a", np.tile(g.values[g.nodes_of[add].input[1]].ravel(), repeat))], out)

    c2 = g.dequantise(g.reshape(c2, [-1, 4 * 32], "c2/rows"), "/c2/Conv_output_0")
    f1 = scaled_and_shifted(c2, "/p2/PRelu", "/f1/Mul", "/f1/Add", 4, "f1")
    r1 = g.residual(f1, "/f1/Add_output_0", "/r1/r1.0", g.grid(width, 2, 32), 32, 4)
    r1 = g.reshape(g.quantise(r1, "/r1/r1.0/Add_output_0"), "grid/2/32", "r1/grid")
    c3 = g.reshape(g.conv(r1, "/c3/Conv", "/r1/r1.0/Add_output_0"), [-1, 64], "c3/rows")
    f2 = scaled_and_shifted(g.dequantise(c3, "/c3/Conv_output_0"), "/p3/PRelu", "/f2/Mul", "/f2/Add", 1, "f2")
    r2 = g.residual(f2, "/f2/Add_output_0", "/r2/r2.0", g.grid(width, 1, 64), 64, 1)
    r2 = g.reshape(g.quantise(r2, "/r2/r2.0/Add_output_0"), "grid/1/64", "r2/grid")
    c4 = g.reshape(g.conv(r2, "/c4/Conv", "/r2/r2.0/Add_output_0"), [-1, channels], "c4/rows")
    factor = g.values[g.nodes_of["/Mul"].input[1]].ravel()
    c4 = g.op("Mul", [g.dequantise(c4, "/c4/Conv_output_0"), g.constant("c4/m", factor)], "c4/out")
    y = g.op("Transpose", [g.op("Add", [klt, c4], "y/cells")], "y/planes", perm=[1, 0])
    ends = [g.constant("one-map", [1, channels, -1], np.int64), width]
    g.reshape(y, g.op("Concat", ends, "y/shape", axis=0), "y")
    return g.model([tensor("cells", TensorProto.UINT8, "h", "w", CELL)], [tensor("y", TensorProto.FLOAT, 1, channels, "h", "w")])


def synthesis(model, scales):
    """g_s: yHat float [1, channels, h, w] and quality [1, 1, h, w] to `cells` uint8 [h, w, 768]"""
    g = Builder(model, scales)
    w, b = g.weights("/lin/Conv")
    channels = w.shape[1]
    width = g.width("yHat", 3)
    y = g.op("Transpose", [g.reshape("yHat", [channels, -1], "y/planes")], "y/cells", perm=[1, 0])
    # The linear picture about byte `zero`, so that bytes come of it by rounding alone.
    zero = round(255 * MIDDLE)
    w = w.reshape(48, 16, channels)[TO_BYTES].transpose(1, 0, 2).reshape(CELL, channels)
    b = b.reshape(48, 16)[TO_BYTES].T.ravel() - zero / 255
    lin = g.product(y, w.T, b, "lin")

    white = g.op("Mul", [y, g.constant("white", g.values[g.nodes_of["/Mul"].input[1]].ravel())], "white/out")
    white = g.quantise(white, "/Mul_output_0")
    white = g.reshape(white, g.grid(width, 1, channels), "white/grid")
    c1 = g.reshape(g.conv(white, "/c1/Conv", "/Mul_output_0"), [-1, 64], "c1/rows")
    p1 = g.prelu(g.dequantise(c1, "/c1/Conv_output_0"), "/p1/PRelu", 1)
    quality = g.reshape("quality", [-1, 1], "quality/cells")

    def told(x, name, count, repeat):
        """x (1 + s) + t, s and t from the quality of the cell; `repeat` pixels of a cell side by side"""
        w1, b1 = g.weights(f"/{name}/l1/Conv")
        w2, b2 = g.weights(f"/{name}/l2/Conv")
        hidden = g.op("Relu", [g.product(quality, w1.reshape(-1, 1).T, b1, f"{name}/l1")], f"{name}/hidden")
        w2 = w2.reshape(2 * count, -1).T
        s = g.product(hidden, np.tile(w2[:, :count], (1, repeat)), np.tile(b2[:count] + 1, repeat), f"{name}/s")
        t = g.product(hidden, np.tile(w2[:, count:], (1, repeat)), np.tile(b2[count:], repeat), f"{name}/t")
        return g.op("Add", [g.op("Mul", [x, s], f"{name}/scaled"), t], f"{name}/out")

    def enlarged(name, count):
        """weights of a 1x1 convolution before depth to space by 2: outputs as [row][column][channel]"""
        w, b = g.weights(f"/{name}/Conv")
        w = w.reshape(count, 4, -1).transpose(1, 0, 2).reshape(4 * count, -1)
        return w.T, b.reshape(count, 4).T.ravel()

    f1 = told(p1, "f1", 64, 1)
    r0 = g.residual(f1, "/f1/Add_1_output_0", "/r0/r0.0", g.grid(width, 1, 64), 64, 1)
    r0 = g.residual(r0, "/r0/r0.0/Add_output_0", "/r0/r0.1", "grid/1/64", 64, 1)
    u1 = g.prelu(g.product(r0, *enlarged("u1", 32), "u1"), "/p2/PRelu", 4)
    f2 = told(u1, "f2", 32, 4)
    cut = g.op("Concat", [g.constant("free", [-1], np.int64), width, g.constant("cut-2", [2, 64], np.int64)], "cut/2", axis=0)
    f2 = g.op("Transpose", [g.reshape(f2, cut, "f2/cut")], "f2/joined", perm=[0, 2, 1, 3])
    f2 = g.reshape(f2, [-1, 4 * 32], "f2/rows")
    r1 = g.residual(f2, "/f2/Add_1_output_0", "/r1/r1.0", g.grid(width, 2, 32), 32, 4)
    fine = "/Concat_output_0"
    u2 = g.product(g.reshape(r1, [-1, 32], "r1/pixels"), *enlarged("u2", 24), "u2")
    wide = g.op("Concat", ["free", "wide/2/32", g.constant("cut-4", [2, 48], np.int64)], "cut/4", axis=0)
    u2 = g.op("Transpose", [g.reshape(g.quantise(u2, fine, "u2/q"), wide, "u2/cut")], "u2/joined", perm=[0, 2, 1, 3])
    u2 = g.reshape(u2, g.grid(width, 4, 24), "u2/grid")
    cut = g.op("Concat", ["free", width, g.constant("cut-cell", [4, 4 * 48], np.int64)], "cut/cell", axis=0)
    line = g.op("Transpose", [g.reshape(g.quantise(lin, fine, "lin/q"), cut, "lin/cut")], "lin/joined", perm=[0, 2, 1, 3])
    line = g.reshape(line, g.grid(width, 4, 48), "lin/grid")
    both = g.op("Concat", [u2, line], "both", axis=3)
    shift = np.r_[np.zeros(24), np.full(48, zero / 255 - MIDDLE)]
    c3 = g.conv(both, "/c3/Conv", fine, permute_in=np.r_[0:24, 24 + TO_BYTES], shift=shift)
    c3 = g.dequantise(g.reshape(c3, [-1, 16 * 24], "c3/rows"), "/c3/Conv_output_0")
    p3 = g.quantise(g.prelu(c3, "/p3/PRelu", 16), "/p3/PRelu_output_0")
    c4 = g.conv(g.reshape(p3, "grid/4/24", "p3/grid"), "/c4/Conv", "/p3/PRelu_output_0", permute_out=TO_BYTES)
    join = g.op("Concat", [g.constant("free-4", [-1, 4], np.int64), width, g.constant("row", [4 * 48], np.int64)], "join", axis=0)
    c4 = g.op("Transpose", [g.reshape(c4, join, "c4/cut")], "c4/cells", perm=[0, 2, 1, 3])
    c4 = g.dequantise(g.reshape(c4, [-1, CELL], "c4/flat"), "/c4/Conv_output_0")
    g.scales = {**scales, "cells": [1 / 255, zero]}
    image = g.quantise(g.op("Add", [lin, c4], "sum"), "cells", "cells/flat")
    g.reshape(image, g.op("Concat", ["free", width, g.constant("cell", [CELL], np.int64)], "cells/shape", axis=0), "cells")
    inputs = [tensor("yHat", TensorProto.FLOAT, 1, channels, "h", "w"), tensor("quality", TensorProto.FLOAT, 1, 1, "h", "w")]
    return g.model(inputs, [tensor("cells", TensorProto.UINT8, "h", "w", CELL)])


def floats(model):
    """the network with other operators for PRelu, to the bit the same"""
    values = weights_of(model.graph)
    nodes = []
    for node in model.graph.node:
        if node.op_type != "PRelu" or values[node.input[1]].max() > 1:
            nodes.append(node)
            continue
        x, slopes, out = node.input[0], node.input[1], node.output[0]
        nodes.append(helper.make_node("Mul", [x, slopes], [f"{out}/lower"], name=f"{node.name}/lower"))
        nodes.append(helper.make_node("Max", [x, f"{out}/lower"], [out], name=node.name))
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def scales_of(model):
    """tensor -> [scale, zero point] of every activation"""
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    stems = [name[: -len("/scale")] for name in values if name.endswith("/scale")]
    return {stem: [float(values[f"{stem}/scale"]), int(values[f"{stem}/zero"])] for stem in stems}


def main(argv):
    if len(argv) == 3 and argv[0] == "scales":
        with open(argv[2], "w", encoding="utf8") as file:
            json.dump(scales_of(onnx.load(argv[1])), file, indent=1)
            file.write("\n")
    elif len(argv) == 4 and argv[0] in ("analysis", "synthesis"):
        with open(argv[2], encoding="utf8") as file:
            scales = json.load(file)
        make = analysis if argv[0] == "analysis" else synthesis
        onnx.save(make(onnx.load(argv[1]), scales.get(argv[0], scales)), argv[3])
    elif len(argv) == 3 and argv[0] == "floats":
        onnx.save(floats(onnx.load(argv[1])), argv[2])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
