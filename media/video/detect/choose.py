"""The detector of faces that a command line names."""

import re
from collections.abc import Callable
from pathlib import Path

from media.video.detect.later import LIBFACE, Later
from media.video.detect.port import Detector

HELP = "Who finds faces: libface, or yunet=PATH, an ONNX file of your own."


def face_detector(name: str = "", sha256: str = "") -> Callable[[], Detector]:
    """What makes the detector; it is only made, and its file only read, when it is called.

    Args:
        name: `libface` or nothing, or `yunet=PATH`.
        sha256: Of the file at PATH, in hexadecimal.

    Raises:
        ValueError: It is neither; the SHA-256 is missing, none, or given for nothing.
    """
    kind, _, path = name.partition("=")
    if kind == "yunet" and path:
        if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
            raise ValueError(f"{name} needs the SHA-256 of the file, 64 hexadecimal digits, not {sha256!r}")
        return Later("media.video.detect.yunet:YuNet", (Path(path), sha256))
    if name not in {"", "libface"}:
        raise ValueError(f"there is no detector {name!r}; name libface or yunet=PATH")
    if sha256:
        raise ValueError("a SHA-256 was given without a detector of your own; name yunet=PATH too")
    return LIBFACE
