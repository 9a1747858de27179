"""A network with the inputs and output of a user's LPIPS, which computes mean |a - b|; the second divides
it by itself, NaN for equal pictures. Run: python3 make_toy_distance.py   (needs onnx)"""
import onnx
from onnx import TensorProto, helper

shape = [1, 3, "H", "W"]
for name, nodes in [
    ("lpips-toy", [helper.make_node("ReduceMean", ["x"], ["distance"], axes=[0, 1, 2, 3], keepdims=1)]),
    ("lpips-toy-nan", [helper.make_node("ReduceMean", ["x"], ["m"], axes=[0, 1, 2, 3], keepdims=1),
                       helper.make_node("Div", ["m", "m"], ["distance"])]),
]:
    head = [helper.make_node("Sub", ["a", "b"], ["d"]), helper.make_node("Abs", ["d"], ["x"])]
    graph = helper.make_graph(head + nodes, "distance",
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "ab"],
                              [helper.make_tensor_value_info("distance", TensorProto.FLOAT, [1, 1, 1, 1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="sct-testbed")
    model.ir_version = 7
    onnx.checker.check_model(model)
    onnx.save(model, name + ".onnx")
