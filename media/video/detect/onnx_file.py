"""Write a small network as ONNX: just what `network` needs of the format, without a package of 18 MB.

ONNX is protocol buffers; field numbers are those of onnx.proto3 (IR version 6,
operators of version 11). Written, never read: OpenCV reads it.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

_IR_VERSION, _OPERATORS = 6, 11
_FLOAT, _INT64 = 1, 7  #: TensorProto.DataType
_AN_INT, _A_STRING, _INTS = 2, 3, 7  #: AttributeProto.AttributeType

Attribute = int | str | list[int]


def node(kind: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute]) -> bytes:
    """One operation (NodeProto)."""
    parts = [_text(1, name) for name in inputs]
    parts += [_text(2, output), _text(4, kind)]
    parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join(parts)


def tensor(name: str, values: NDArray[np.generic]) -> bytes:
    """A constant (TensorProto): float32 or int64."""
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    raw = np.ascontiguousarray(values, None if kind == _INT64 else np.float32).tobytes()
    return b"".join(
        [*(_number(1, side) for side in values.shape), _number(2, kind), _text(8, name), _field(9, raw)]
    )


def value(name: str, shape: Iterable[int]) -> bytes:
    """An input or output of floats (ValueInfoProto)."""
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _text(1, name) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, sides)))


def model(
    nodes: Iterable[bytes], constants: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]
) -> bytes:
    """The whole file (ModelProto)."""
    parts = [_field(1, one) for one in nodes]
    parts.append(_text(2, "network"))
    for number, messages in ((5, constants), (11, inputs), (12, outputs)):
        parts += [_field(number, one) for one in messages]
    return _number(1, _IR_VERSION) + _field(7, b"".join(parts)) + _field(8, _number(2, _OPERATORS))


def _attribute(name: str, given: Attribute) -> bytes:
    if isinstance(given, int):
        return _text(1, name) + _number(3, given) + _number(20, _AN_INT)
    if isinstance(given, str):
        return _text(1, name) + _text(4, given) + _number(20, _A_STRING)
    return _text(1, name) + b"".join(_number(8, one) for one in given) + _number(20, _INTS)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _variable(number << 3 | 2) + _variable(len(content)) + content


def _number(number: int, given: int) -> bytes:
    return _variable(number << 3) + _variable(given)


def _variable(given: int) -> bytes:
    """A whole number of any length, seven bits a byte; negative ones as 64 bits."""
    rest, written = given & 0xFFFF_FFFF_FFFF_FFFF, bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*written, rest])
