"""The judge as an ONNX file for `sct loopback --judge` and sweeps.  python3 judge/export.py [--weights FILE] -o judge.onnx

Prints the file's SHA-256, which --judge asks for. Input `image` float32 [1, 3, H, W], sRGB 0..1, H and W multiples of 16;
output `logits` float32 [1, 11, H/2, W/2]. The same bytes every time."""
import argparse
import hashlib
import os
import sys

import onnx
import torch
from onnx import TensorProto, helper

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from judge.network import Judge  # noqa: E402
from store import load_state  # noqa: E402

OPSET = 13


def to_onnx(module, path):
    module.eval()
    axes = {"image": {2: "H", 3: "W"}, "logits": {2: "h", 3: "w"}}
    torch.onnx.export(module, (torch.zeros(1, 3, 32, 48),), path, opset_version=OPSET, input_names=["image"],
                      output_names=["logits"], dynamic_axes=axes)
    model = onnx.load(path)
    for value, shape in ((model.graph.input[0], [1, 3, "H", "W"]), (model.graph.output[0], [1, 11, "h", "w"])):
        value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, shape))
    for node in model.graph.node:
        node.doc_string = ""
    del model.graph.value_info[:]
    model.producer_name = model.producer_version = ""
    model.graph.name = "judge"
    onnx.checker.check_model(model)
    with open(path, "wb") as f:
        f.write(model.SerializeToString(deterministic=True))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--weights", default=os.path.join(here, "..", "weights", "judge.pt.xz"))
    p.add_argument("-o", "--output", required=True)
    a = p.parse_args()
    judge = Judge()
    small = a.weights.endswith(".xz")
    judge.load_state_dict(load_state(a.weights) if small else torch.load(a.weights, map_location="cpu")["model"])
    to_onnx(judge, a.output)
    with open(a.output, "rb") as f:
        print(hashlib.sha256(f.read()).hexdigest())


if __name__ == "__main__":
    main()
