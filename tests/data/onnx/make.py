#!/usr/bin/env python3
"""Writes the models beside this script: a classifier whose three classes are the mean red, green and blue of a 4 x 4 picture,
in the shapes that models come in, and a text classifier of two classes over three features."""
import os

import numpy
import onnx
from onnx import helper, numpy_helper

FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
HERE = os.path.dirname(os.path.abspath(__file__))


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def save(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, os.path.join(HERE, name + ".onnx"))


def means(axes, output):
    return helper.make_node("ReduceMean", ["images"], [output], axes=axes, keepdims=0)


planar, packed = means([2, 3], "logits"), means([1, 2], "logits")
for name, batch in ("any", "N"), ("one", 1), ("four", 4):
    save(name, [planar], [value("images", FLOAT, [batch, 3, 4, 4])], [value("logits", FLOAT, [batch, 3])])
save("open", [planar], [value("images", FLOAT, ["N", "C", "H", "W"])], [value("logits", FLOAT, ["N", "C"])])
save("nhwc", [packed], [value("images", FLOAT, ["N", 4, 4, 3])], [value("logits", FLOAT, ["N", 3])])
save("two", [planar, helper.make_node("Neg", ["logits"], ["against"])], [value("images", FLOAT, ["N", 3, 4, 4])],
     [value("logits", FLOAT, ["N", 3]), value("against", FLOAT, ["N", 3])])
# Of a black picture: 0 / 0.
save("fragile", [means([2, 3], "means"), helper.make_node("Div", ["means", "means"], ["logits"])],
     [value("images", FLOAT, ["N", 3, 4, 4])], [value("logits", FLOAT, ["N", 3])])
save("sequence", [planar, helper.make_node("SequenceConstruct", ["logits"], ["list"])], [value("images", FLOAT, ["N", 3, 4, 4])],
     [helper.make_tensor_sequence_value_info("list", FLOAT, None)])
save("bytes", [helper.make_node("Cast", ["images"], ["floats"], to=FLOAT),
               helper.make_node("ReduceMean", ["floats"], ["logits"], axes=[2, 3], keepdims=0)],
     [value("images", onnx.TensorProto.UINT8, ["N", 3, 4, 4])], [value("logits", FLOAT, ["N", 3])])
table = numpy_helper.from_array(numpy.array([[9, 0], [0, 9], [0, 0]], numpy.float32), "table")
one = numpy_helper.from_array(numpy.array([1], numpy.int64), "one")
save("text", [helper.make_node("Gather", ["table", "features"], ["rows"], axis=0),
              helper.make_node("Unsqueeze", ["weights", "one"], ["row"]),
              helper.make_node("MatMul", ["row", "rows"], ["sum"]), helper.make_node("Squeeze", ["sum", "one"], ["logits"])],
     [value("features", INT64, [1, "K"]), value("weights", FLOAT, [1, "K"])], [value("logits", FLOAT, [1, 2])], [table, one])
