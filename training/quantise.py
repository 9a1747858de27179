"""int8 convolutions of a network of a set, for measuring what they gain and cost.

    /usr/bin/python3 quantise.py taps IN.onnx OUT.onnx              the float network with the inputs and outputs of its convolutions as outputs
    node --import tsx training/calibrate.ts ...                     runs it over photographs: RANGES.json, name -> [low, high]
    /usr/bin/python3 quantise.py int8 IN.onnx RANGES.json OUT.onnx [SKIP ..]  QuantizeLinear / DequantizeLinear around each but the named
    /usr/bin/python3 quantise.py ship MODELS SET ROLE OUT.onnx      puts it beside the set: SET/int8/ROLE.onnx, and its hash into models.json

What ships is made by lay_out.py with the scales of analysis without /klt/Conv and synthesis without /lin/Conv, whose tensors are the feature map
itself: its channels differ by a factor of 100 and have no common scale. f_d loses up to 0.24 dB and saves 0.2 ms, corrector and heads gain
less than 1.2 times.

Weights: int8, symmetric, a scale for each output channel. Activations: uint8, one scale a tensor, zero point where zero is exact (padding).
Biases: int32 at the product of both scales. A runtime folds DequantizeLinear, Conv, QuantizeLinear into one QLinearConv. Only convolutions
over all channels (group 1) with at least MIN_WORK multiplications an output are worth the two conversions around them.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MIN_WORK = 128


def weights_of(graph):
    """name of a float tensor -> its values, through the casts from float16"""
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype(np.float32)
    return values


def chosen(graph):
    """convolutions that are quantised, with their weights and biases"""
    values = weights_of(graph)
    out = []
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in values:
            continue
        group = next((a.i for a in node.attribute if a.name == "group"), 1)
        w = values[node.input[1]]
        if group == 1 and w[0].size >= MIN_WORK:
            out.append((node, w, values[node.input[2]] if len(node.input) > 2 else None))
    return out


def taps(model):
    """the same network with what goes into and comes out of its convolutions as outputs besides"""
    known = {o.name for o in model.graph.output} | {i.name for i in model.graph.input}
    for node, _, _ in chosen(model.graph):
        for name in (node.input[0], node.output[0]):
            if name not in known:
                known.add(name)
                model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return model


def activation_scale(low, high):
    """scale and zero point of uint8 for a range, which is widened to hold 0"""
    low, high = min(0.0, low), max(0.0, high)
    scale = np.float32(max(high - low, 1e-6) / 255)
    return scale, np.uint8(np.clip(round(-low / float(scale)), 0, 255))


def int8(model, ranges, skip=()):
    """QuantizeLinear and DequantizeLinear around the chosen convolutions but those of the nodes named in `skip`"""
    graph = model.graph
    conv = {node.output[0]: (w, b) for node, w, b in chosen(graph) if node.name not in skip}
    quantised = {}
    nodes = []

    def constant(name, value):
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def round_trip(tensor, as_name=None):
        """`tensor` through uint8; the name of what comes back"""
        scale, zero = activation_scale(*ranges[tensor if as_name is None else as_name])
        stem = tensor if as_name is None else as_name
        s, z = constant(f"{stem}/scale", scale), constant(f"{stem}/zero", zero)
        back = f"{stem}/back" if as_name is None else as_name
        nodes.append(helper.make_node("QuantizeLinear", [tensor, s, z], [f"{stem}/q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{stem}/q", s, z], [back]))
        return back, scale

    for node in graph.node:
        if node.output[0] not in conv:
            nodes.append(node)
            continue
        w, b = conv[node.output[0]]
        x, y = node.input[0], node.output[0]
        if x not in quantised:
            quantised[x] = round_trip(x)
        back, x_scale = quantised[x]
        w_scale = np.maximum(np.abs(w).reshape(len(w), -1).max(1), 1e-8).astype(np.float32) / 127
        whole = np.clip(np.round(w / w_scale.reshape(-1, 1, 1, 1)), -127, 127).astype(np.int8)
        stem = node.name or y
        inputs = [constant(f"{stem}/w", whole), constant(f"{stem}/ws", w_scale), constant(f"{stem}/wz", np.zeros(len(w), np.int8))]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{stem}/wf"], axis=0))
        feeds = [back, f"{stem}/wf"]
        if b is not None:
            b_scale = (w_scale * x_scale).astype(np.float32)
            whole = np.clip(np.round(b / b_scale), -(2**31), 2**31 - 1).astype(np.int32)
            inputs = [constant(f"{stem}/b", whole), constant(f"{stem}/bs", b_scale), constant(f"{stem}/bz", np.zeros(len(b), np.int32))]
            nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{stem}/bf"], axis=0))
            feeds.append(f"{stem}/bf")
        nodes.append(helper.make_node("Conv", feeds, [f"{y}/float"], name=node.name, **{a.name: helper.get_attribute_value(a) for a in node.attribute}))
        round_trip(f"{y}/float", y)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def ship(models, set_name, role, path):
    """the file beside its set, an execution of the network and no part of the set: the set's hash stays"""
    manifest = Path(models, "models.json")
    described = json.loads(manifest.read_text(encoding="utf8"))
    entry = next(f for s in described["sets"] if s["name"] == set_name for f in s["files"] if f["role"] == role)
    data = Path(path).read_bytes()
    place = f"{set_name}/int8/{role}.onnx"
    Path(models, set_name, "int8").mkdir(exist_ok=True)
    Path(models, place).write_bytes(data)
    entry["int8"] = {"path": place, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(described, indent=1) + "\n", encoding="utf8")


def main(argv):
    how = argv[0] if argv else ""
    if how == "taps":
        onnx.save(taps(onnx.load(argv[1])), argv[2])
    elif how == "int8":
        with open(argv[2], encoding="utf8") as file:
            onnx.save(int8(onnx.load(argv[1]), json.load(file), argv[4:]), argv[3])
    elif how == "ship":
        ship(*argv[1:5])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
