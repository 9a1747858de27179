"""ONNX files of networks: opset 13, batch 1, free height and width, weights stored as float16, same bytes every time.

CONTRACT is the list of roles with their inputs and outputs (docs/models.md has it in words). Letters in shapes:
C channels, H, W pixels (multiples of 16), h = H/16, w = W/16, h4 = H/4, w4 = W/4. Integer maps are int32.

A weight that is to be stored as float16 is rounded in PyTorch first (`round_half`); in the file every float32 matrix that
float16 holds exactly becomes float16 with a Cast to float32 behind it, which onnxruntime folds at load. So
the network computes in float32 with exactly the numbers that PyTorch was given. Tables (gains, variances, scales) and
vectors keep float32: they are small, and errors in them would act on a whole channel.

The check: `reference` writes inputs and PyTorch's outputs, `node check_export.mjs DIR` compares.
"""
import json
import os

import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
HALF_MIN = 64          # constants with fewer numbers stay float32
KEEP = ("logg", "white", "std", "var", "lam", "index")      # tables: parts of names that stay float32

_Y, _GRID, _MAP = ("C", "h", "w"), (1, "h", "w"), ("h", "w")
_F, _I = "float32", "int32"
CONTRACT = {
    "analysis": ([("image", _F, (3, "H", "W"))], [("y", _F, _Y)]),
    "synthesis": ([("yHat", _F, _Y), ("quality", _F, _GRID)], [("image", _F, (3, "H", "W"))]),
    "symbol-encoder": ([("y", _F, _Y), ("classMap", _I, _MAP), ("symbols", _F, _GRID), ("snrDb", _F, _GRID)],
                       [("z", _F, (384, "h", "w"))]),
    "symbol-decoder": ([("received", _F, (384, "h", "w")), ("scale", _F, (1, 1, 1)), ("classMap", _I, _MAP),
                        ("symbols", _F, _GRID), ("snrDb", _F, _GRID)], [("yHat", _F, _Y), ("quality", _F, _GRID)]),
    "labels": ([("y", _F, _Y)], [("maps", _F, (11, "h4", "w4")), ("presence", _F, (11,)),
                                 ("clusters", _F, (32, "h", "w")), ("street", _F, (1,))]),
    "labels-vjp": ([("y", _F, _Y), ("dMaps", _F, (11, "h4", "w4")), ("dPresence", _F, (11,))], [("dY", _F, _Y)]),
    "saliency": ([("y", _F, _Y)], [("map", _F, (1, "h4", "w4"))]),
    "corrector": ([("yHat", _F, _Y), ("quality", _F, _GRID), ("damage", _F, _GRID), ("strength", _F, _GRID),
                   ("classMap", _I, _MAP), ("labelMap", _I, _MAP), ("reference", _F, _Y), ("hasReference", _F, _GRID)],
                  [("yHatOut", _F, _Y), ("qualityOut", _F, _GRID)]),
    "generator": ([("yHat", _F, _Y), ("missing", _F, _GRID), ("labelMap", _I, _MAP), ("noise", _F, (16, "h", "w"))],
                  [("yOut", _F, _Y)]),
    "features": ([("yHat", _F, _Y), ("quality", _F, _GRID)], [("y", _F, _Y)]),
}
CONTRACT["synthesis-perceptual"] = CONTRACT["synthesis"]
LETTERS = ("H", "W", "h", "w", "h4", "w4")


def tensors(role, channels):
    """-> inputs, outputs of a role: [{name, type, shape}], batch first, free dimensions as letters"""
    return tuple([{"name": n, "type": t, "shape": [1] + [channels if d == "C" else d for d in shape]}
                  for n, t, shape in side] for side in CONTRACT[role])


def is_matrix(shape):
    """at least two dimensions longer than 1: not a vector of gains or offsets, whatever its rank"""
    return sum(d > 1 for d in shape) >= 2


def is_half(name, t):
    return is_matrix(t.shape) and t.numel() >= HALF_MIN and not any(k in name for k in KEEP)


@torch.no_grad()
def round_half(module):
    """rounds in place what will be stored as float16; -> largest relative rounding error of a tensor (to its peak)"""
    worst = 0.0
    for name, t in list(module.named_parameters()) + list(module.named_buffers()):
        if t.is_floating_point() and is_half(name, t):
            half = t.half().float()
            if not torch.isfinite(half).all():
                raise ValueError(f"{name}: a weight is not finite or too large for float16")
            worst = max(worst, float((half - t).abs().max() / t.abs().max().clamp(min=1e-12)))
            t.copy_(half)
    return worst


def to_onnx(module, role, channels, inputs, path):
    """module with the contract's inputs and outputs -> path; inputs: dict of example tensors"""
    want_in, want_out = tensors(role, channels)
    assert list(inputs) == [t["name"] for t in want_in], role
    module.eval()                                          # or torch.onnx.export puts its parts back into training mode
    axes = {t["name"]: {i: d for i, d in enumerate(t["shape"]) if d in LETTERS} for t in want_in + want_out}
    torch.onnx.export(module, tuple(inputs.values()), path, opset_version=OPSET, input_names=list(inputs),
                      output_names=[t["name"] for t in want_out], dynamic_axes={k: v for k, v in axes.items() if v})
    model = onnx.load(path)
    tidy(model, want_in, want_out)
    onnx.checker.check_model(model)
    with open(path, "wb") as f:
        f.write(model.SerializeToString(deterministic=True))


def tidy(model, want_in, want_out):
    """float16 storage; shapes of the contract; nothing that differs between machines or runs"""
    graph = model.graph
    for side, want in ((graph.input, want_in), (graph.output, want_out)):
        for value, t in zip(side, want):
            assert value.name == t["name"]
            kind = TensorProto.FLOAT if t["type"] == _F else TensorProto.INT32
            value.CopyFrom(helper.make_tensor_value_info(t["name"], kind, t["shape"]))
    casts = []
    for init in graph.initializer:
        if init.data_type != TensorProto.FLOAT or not is_matrix(init.dims):
            continue
        a = numpy_helper.to_array(init)
        if a.size < HALF_MIN or not (a.astype("float16").astype("float32") == a).all():
            continue
        name = init.name
        init.CopyFrom(numpy_helper.from_array(a.astype("float16"), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name="Cast_" + name, to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    for node in graph.node:
        node.doc_string = ""
    del graph.value_info[:]
    graph.doc_string = model.doc_string = model.producer_name = model.producer_version = ""
    graph.name = "network"


@torch.no_grad()
def reference(module, role, channels, inputs, folder):
    """writes inputs and PyTorch's outputs for check_export.mjs: folder/check/ROLE.NAME.bin, folder/check/ROLE.json"""
    result = module(*inputs.values())
    result = result if isinstance(result, (tuple, list)) else (result,)
    want_in, want_out = tensors(role, channels)
    os.makedirs(os.path.join(folder, "check"), exist_ok=True)
    spec = {"part": role, "inputs": [], "outputs": []}
    for side, want, got in (("inputs", want_in, inputs.values()), ("outputs", want_out, result)):
        for t, value in zip(want, got):
            assert len(value.shape) == len(t["shape"]) and str(value.dtype)[6:] == t["type"], (role, t, value.shape)
            value.detach().contiguous().numpy().tofile(os.path.join(folder, "check", f"{role}.{t['name']}.bin"))
            spec[side].append({"name": t["name"], "type": t["type"], "shape": list(value.shape)})
    with open(os.path.join(folder, "check", role + ".json"), "w") as f:
        json.dump(spec, f, indent=1)
    return result


@torch.no_grad()
def flops_per_pixel(module, inputs, pixels):
    """multiplications and additions of convolutions and linear layers in one run, 2 for each pair, over the pixels"""
    total = [0]

    def counted(function, points):
        def run(x, weight, *rest, **named):
            out = function(x, weight, *rest, **named)
            total[0] += 2 * weight.numel() * points(x, out)
            return out
        return run

    plain = F.conv2d, F.conv_transpose2d, F.linear
    F.conv2d = counted(plain[0], lambda x, out: out[0, 0].numel())
    F.conv_transpose2d = counted(plain[1], lambda x, out: x[0, 0].numel())
    F.linear = counted(plain[2], lambda x, out: 1)
    try:
        module(*inputs.values())
    finally:
        F.conv2d, F.conv_transpose2d, F.linear = plain
    return total[0] / pixels
