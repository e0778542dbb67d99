"""The network of libfacedetection, with the weights of its library, as a file that OpenCV runs.

libfacedetection is YuNet with the weights compiled in (facedetectcnn-data.cpp).
OpenCV's convolutions answer the same in less than half the time of its own, so
its weights are taken from the table that it exports, `param_pConvInfo`, and the
network is written down here once more, with the outputs that OpenCV's
FaceDetectorYN reads (facedetectcnn.cpp, `objectdetect_cnn`).
"""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from media.errors import ToolFailed
from media.video.detect import onnx_file
from media.video.detect.onnx_file import Attribute

STRIDES = (8, 16, 32)
COLUMNS = {"cls": 1, "bbox": 4, "obj": 1, "kps": 10}  #: of each kind of answer, in the library's order
_LAYERS, _FIRST_OF_HEADS = 53, 29
_FIRST_ROW = 32  #: weights of a filter of the first layer: 3 x 3 x 3, and five more to fill the row
_INPUT_PX = 640  #: as in the zoo's file; OpenCV adapts it to every picture


class _Layer(ctypes.Structure):
    """ConvInfoStruct of facedetectcnn.h."""

    _fields_ = (
        ("channels", ctypes.c_int),
        ("filters", ctypes.c_int),
        ("is_depthwise", ctypes.c_bool),
        ("is_pointwise", ctypes.c_bool),
        ("with_relu", ctypes.c_bool),
        ("weights", ctypes.POINTER(ctypes.c_float)),
        ("biases", ctypes.POINTER(ctypes.c_float)),
    )


def network_of(library: Path, names: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The network as ONNX.

    Args:
        library: libfacedetection; whoever calls has checked its SHA-256, as it is loaded.
        names: Outputs that are to be called otherwise.

    Raises:
        ToolFailed: The library cannot be loaded, or exports no such table.
    """
    try:
        layers = (_Layer * _LAYERS).in_dll(ctypes.CDLL(str(library)), "param_pConvInfo")
    except (OSError, ValueError) as error:
        raise ToolFailed(f"{library} cannot be used as libfacedetection: {error}") from error
    return _Graph(layers).written(names)


class _Graph:
    """The operations and weights so far."""

    def __init__(self, layers: "ctypes.Array[_Layer]") -> None:
        self._layers = layers
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def written(self, names: Mapping[str, str]) -> bytes:
        """All of it: backbone, neck and heads."""
        outputs = []
        for level, (stride, feature) in enumerate(zip(STRIDES, self._features(), strict=True)):
            for place, (kind, columns) in enumerate(COLUMNS.items()):
                first = _FIRST_OF_HEADS + 2 * (len(STRIDES) * place + level)
                name = names.get(f"{kind}_{stride}", f"{kind}_{stride}")
                self._head(feature, first, kind, name)
                outputs.append(onnx_file.value(name, (1, (_INPUT_PX // stride) ** 2, columns)))
        inputs = [onnx_file.value("input", (1, 3, _INPUT_PX, _INPUT_PX))]
        return onnx_file.model(self._nodes, self._constants, inputs, outputs)

    def _features(self) -> tuple[str, str, str]:
        """At an 8th, a 16th and a 32nd of the picture's size."""
        stem = self._halve(self._chain("input", 0, 3))
        eighth = self._chain(self._halve(self._chain(stem, 3, 11)), 11, 15)
        sixteenth = self._chain(self._halve(eighth), 15, 19)
        last = self._chain(self._chain(self._halve(sixteenth), 19, 23), 27, 29)
        middle = self._chain(self._add("Add", sixteenth, self._double(last)), 25, 27)
        return self._chain(self._add("Add", eighth, self._double(middle)), 23, 25), middle, last

    def _head(self, feature: str, first: int, kind: str, name: str) -> None:
        """One kind of answer at one size, as rows."""
        answer = self._add("Transpose", self._chain(feature, first, first + 2), perm=[0, 2, 3, 1])
        shape = self._constant(np.array([1, -1, COLUMNS[kind]], np.int64))
        if kind in {"cls", "obj"}:
            self._add("Sigmoid", self._add("Reshape", answer, shape), output=name)
        else:
            self._add("Reshape", answer, shape, output=name)

    def _chain(self, inputs: str, first: int, end: int) -> str:
        for number in range(first, end):
            inputs = self._convolve(number, inputs)
        return inputs

    def _convolve(self, number: int, inputs: str) -> str:
        layer = self._layers[number]
        weights = _weights(layer, is_first=number == 0)
        side = weights.shape[2]
        output = self._add(
            "Conv",
            inputs,
            self._constant(weights),
            self._constant(np.ctypeslib.as_array(layer.biases, (layer.filters,))),
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
            strides=[2, 2] if number == 0 else [1, 1],
            group=layer.filters if layer.is_depthwise else 1,
        )
        return self._add("Relu", output) if layer.with_relu else output

    def _halve(self, inputs: str) -> str:
        return self._add("MaxPool", inputs, kernel_shape=[2, 2], strides=[2, 2])

    def _double(self, inputs: str) -> str:
        region, scales = np.empty(0, np.float32), np.array([1, 1, 2, 2], np.float32)
        return self._add("Resize", inputs, self._constant(region), self._constant(scales), mode="nearest")

    def _constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(onnx_file.tensor(name, values))
        return name

    def _add(self, kind: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        """An operation; the name of what it gives."""
        name = output or f"value_{len(self._nodes)}"
        self._nodes.append(onnx_file.node(kind, inputs, name, attributes))
        return name


def _weights(layer: _Layer, *, is_first: bool) -> NDArray[np.float32]:
    """(filters, channels, height, width); the library keeps a place's channels together."""
    if is_first:
        rows = np.ctypeslib.as_array(layer.weights, (layer.filters, _FIRST_ROW))
        return rows[:, :27].reshape(layer.filters, 3, 3, 3).transpose(0, 3, 1, 2)
    if layer.is_depthwise:
        return np.ctypeslib.as_array(layer.weights, (9, layer.filters)).T.reshape(layer.filters, 1, 3, 3)
    rows = np.ctypeslib.as_array(layer.weights, (layer.filters, layer.channels))
    return rows.reshape(layer.filters, layer.channels, 1, 1)
