"""Detectors that do to their process what a hostile file may do: as classes of a module, a child can make them."""

import ctypes
import time
from pathlib import Path

from media.video.detect.port import Detection, DetectorFacts, Grey


class _Bad:
    facts = DetectorFacts("bad", "1", "0" * 64, "face")


class Sleeper(_Bad):
    """Never comes back."""

    def find(self, _picture: Grey) -> list[Detection]:
        time.sleep(3600)
        return []


class Hoarder(_Bad):
    """Takes all the memory there is."""

    def find(self, _picture: Grey) -> list[Detection]:
        held = []
        while True:
            held.append(bytearray(64 * 1024**2))


class Crasher(_Bad):
    """Dies of a wild pointer."""

    def find(self, _picture: Grey) -> list[Detection]:
        ctypes.string_at(1)
        return []


class Thief(_Bad):
    """Reads what it was not given."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def find(self, _picture: Grey) -> list[Detection]:
        # As text, so that it is no file which the parent would hand over.
        Path(self._wanted).read_bytes()
        return []
