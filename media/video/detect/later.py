"""Name a detector without loading what it is made of: it is made in the process that searches."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from media.video.detect.port import Detector


@dataclass(frozen=True, slots=True)
class Later:
    """Makes a detector when it is called.

    Attributes:
        kind: Its class, as "module:name".
        args: What it is made with. A path among them is a file that it reads.
    """

    kind: str
    args: tuple[Any, ...] = ()

    def __call__(self) -> Detector:
        """The detector."""
        module, _, name = self.kind.partition(":")
        detector: Detector = getattr(import_module(module), name)(*self.args)
        return detector


LIBFACE = Later("media.video.detect.libface:LibFace")
PEOPLE = Later("media.video.detect.people:People")


def centerface(threshold: float) -> Later:
    """CenterFace, another family of detector than the first."""
    return Later("media.video.detect.centerface:CenterFace", (threshold,))


def files_of(make: Callable[[], Any] | None) -> list[Path]:
    """What a detector is made of, where that is a file of the operator's own."""
    return [each for each in getattr(make, "args", ()) if isinstance(each, Path)]
