"""A real YuNet as an operator would supply it: a file and its SHA-256.

No package brings YuNet's ONNX file; libfacedetection brings the weights.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from media.models import LIBFACE, digest_of, find_model
from media.video.detect.network import network_of
from media.video.detect.yunet import YuNet


def write_yunet(path: Path, names: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Write the model, its outputs called otherwise where `names` says so. Needs the fixture `models`."""
    path.write_bytes(network_of(find_model(LIBFACE).path, MappingProxyType(dict(names))))
    return path


def supplied_yunet() -> YuNet:
    """The detector, from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_yunet(Path(folder) / "yunet.onnx")
        return YuNet(path, digest_of(path))
