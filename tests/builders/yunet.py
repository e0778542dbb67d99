"""A real YuNet as an ONNX file, made of the weights that libfacedetection compiles in.

No package brings YuNet's ONNX file. The library that the first look uses does
bring its weights, as an exported table (`param_pConvInfo`, facedetectcnn.h), and
the network is always the same: here it is written down once more, with the
outputs that OpenCV's FaceDetectorYN reads. Found with it must be what the
library itself finds.
"""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from media.files import write_whole
from media.models import LIBFACE, digest_of, find_model, models_folder
from media.video.detect.yunet import YuNet

_LAYERS = 53
_STEM_PADDED = 32  #: weights of a filter of the first layer: 3 x 3 x 3, and five more to fill the row
_HEADS = (("cls", 29, 1), ("bbox", 35, 4), ("obj", 41, 1), ("kps", 47, 10))
_COLUMNS = {kind: columns for kind, _, columns in _HEADS}
_STRIDES = (8, 16, 32)


class _Layer(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_int),
        ("filters", ctypes.c_int),
        ("is_depthwise", ctypes.c_bool),
        ("is_pointwise", ctypes.c_bool),
        ("with_relu", ctypes.c_bool),
        ("weights", ctypes.POINTER(ctypes.c_float)),
        ("biases", ctypes.POINTER(ctypes.c_float)),
    )


class _Graph:
    """The nodes and weights so far."""

    def __init__(self, library: Path) -> None:
        self.layers = (_Layer * _LAYERS).in_dll(ctypes.CDLL(str(library)), "param_pConvInfo")
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node; its output."""
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values: NDArray[np.generic]) -> str:
        """A constant; its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolve(self, number: int, inputs: str) -> str:
        """One layer of the library."""
        layer = self.layers[number]
        if number == 0:
            rows = np.ctypeslib.as_array(layer.weights, (layer.filters, _STEM_PADDED))
            weights = rows[:, :27].reshape(layer.filters, 3, 3, 3).transpose(0, 3, 1, 2)
        elif layer.is_depthwise:
            rows = np.ctypeslib.as_array(layer.weights, (9, layer.filters))
            weights = rows.T.reshape(layer.filters, 1, 3, 3)
        else:
            rows = np.ctypeslib.as_array(layer.weights, (layer.filters, layer.channels))
            weights = rows.reshape(layer.filters, layer.channels, 1, 1)
        side = weights.shape[2]
        output = self.add(
            "Conv",
            inputs,
            self.constant(weights),
            self.constant(np.ctypeslib.as_array(layer.biases, (layer.filters,))),
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
            strides=[2, 2] if number == 0 else [1, 1],
            group=layer.filters if layer.is_depthwise else 1,
        )
        return self.add("Relu", output) if layer.with_relu else output

    def chain(self, inputs: str, first: int, end: int) -> str:
        """Layers one after the other."""
        for number in range(first, end):
            inputs = self.convolve(number, inputs)
        return inputs

    def halve(self, inputs: str) -> str:
        """The strongest of every two by two."""
        return self.add("MaxPool", inputs, kernel_shape=[2, 2], strides=[2, 2])

    def double(self, inputs: str) -> str:
        """Every value four times."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.add("Resize", inputs, self.constant(np.empty(0, np.float32)), scales, mode="nearest")


def write_yunet(path: Path, library: Path, names: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Write the model that `library` holds.

    Args:
        path: Where.
        library: libfacedetection.
        names: Outputs that are to be called otherwise, for a model that is none.
    """
    graph = _Graph(library)
    heads = [
        (kind, f"{kind}_{stride}", _head(graph, feature, first + 2 * level, columns, kind))
        for level, (stride, feature) in enumerate(zip(_STRIDES, _features(graph), strict=True))
        for kind, first, columns in _HEADS
    ]
    for _, name, output in heads:
        graph.nodes.append(helper.make_node("Identity", [output], [names.get(name, name)]))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "yunet",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])],
            [
                helper.make_tensor_value_info(
                    names.get(name, name), TensorProto.FLOAT, [1, None, _COLUMNS[kind]]
                )
                for kind, name, _ in heads
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 11)],
    )
    path.parent.mkdir(exist_ok=True)
    write_whole(path, model.SerializeToString())
    return path


def supplied_yunet() -> YuNet:
    """As an operator would give it: a file and its SHA-256. Needs the fixture `models`."""
    path = models_folder() / "supplied" / "yunet.onnx"
    if not path.exists():
        write_yunet(path, find_model(LIBFACE).path)
    return YuNet(path, digest_of(path))


def _features(graph: _Graph) -> tuple[str, str, str]:
    """Backbone and neck: features at an 8th, a 16th and a 32nd of the size."""
    stem = graph.halve(graph.chain("input", 0, 3))
    eighth = graph.chain(graph.halve(graph.chain(stem, 3, 11)), 11, 15)
    sixteenth = graph.chain(graph.halve(eighth), 15, 19)
    last = graph.chain(graph.chain(graph.halve(sixteenth), 19, 23), 27, 29)
    middle = graph.chain(graph.add("Add", sixteenth, graph.double(last)), 25, 27)
    first = graph.chain(graph.add("Add", eighth, graph.double(middle)), 23, 25)
    return first, middle, last


def _head(graph: _Graph, feature: str, first: int, columns: int, kind: str) -> str:
    """One kind of answer at one size, as rows."""
    answer = graph.add("Transpose", graph.chain(feature, first, first + 2), perm=[0, 2, 3, 1])
    rows = graph.add("Reshape", answer, graph.constant(np.array([1, -1, columns], np.int64)))
    return graph.add("Sigmoid", rows) if kind in {"cls", "obj"} else rows
