"""A pair that breaks the contract: it sends the samples themselves, times 3 (mean power is not 1, no SNR input).

Run: python3 make_loud.py      (onnx, numpy)"""
import hashlib
import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loud")
os.makedirs(here, exist_ok=True)
image, symbols = [1, 3, "H", "W"], [1, 2, "N"]


def constant(name, value):
    return numpy_helper.from_array(np.array(value), name)


def save(name, nodes, inputs, output, constants):
    info = [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs]
    graph = helper.make_graph(nodes, name, info, [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="sct-testbed")
    model.ir_version = 7
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(here, name + ".onnx"))


save("encoder", [helper.make_node("Reshape", ["image", "shape"], ["x"]), helper.make_node("Mul", ["x", "three"], ["symbols"])],
     [("image", TensorProto.FLOAT, image)], ("symbols", symbols),
     [constant("shape", np.array([1, 2, -1])), constant("three", np.float32(3))])
save("decoder", [helper.make_node("Div", ["received", "three"], ["x"]), helper.make_node("Concat", ["head", "size"], ["shape"], axis=0),
                 helper.make_node("Reshape", ["x", "shape"], ["image"])],
     [("received", TensorProto.FLOAT, symbols), ("size", TensorProto.INT64, [2])], ("image", image),
     [constant("head", np.array([1, 3])), constant("three", np.float32(3))])
info = dict(schema="sct-user-codec/1", name="loud", version=1, multipleOf=2)
for name in ("encoder", "decoder"):
    data = open(os.path.join(here, name + ".onnx"), "rb").read()
    info[name] = dict(file=name + ".onnx", sha256=hashlib.sha256(data).hexdigest())
json.dump(info, open(os.path.join(here, "codec.json"), "w"), indent=1)
