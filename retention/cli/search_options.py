"""How footage is to be searched, as the command line says it; the same words alone and within a request."""

from pathlib import Path
from typing import Annotated

import typer

from media.video.views import MOUNT_WORDS
from retention.kernel.errors import InvalidInput

AnyAngle = Annotated[
    bool, typer.Option("--any-angle", help="Search footage in every angle, however the camera hangs.")
]
Heads = Annotated[
    bool,
    typer.Option("--heads", help="Hide whole heads, also of those whose face nobody sees, not only faces."),
]
Mount = Annotated[
    str,
    typer.Option(
        "--mount", metavar="|".join(MOUNT_WORDS), help="How the camera hangs; without it: found out."
    ),
]
Detector = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="libface|yunet=PATH",
        help="Who finds faces: libface, or yunet=PATH, an ONNX file of your own.",
    ),
]
Sha256 = Annotated[str, typer.Option("--sha256", metavar="HEX", help="Of the detector's file.")]
KeepFace = Annotated[
    Path | None,
    typer.Option(
        "--keep-face",
        metavar="PHOTO",
        help="Put tracks like this face first; it is only read, and decides nothing.",
    ),
]
Persons = Annotated[bool, typer.Option("--persons", help="Hide whole persons, not only faces.")]


def extent_of(heads: bool, persons: bool) -> str:
    """How much of a person is hidden: "face", "head" or "person".

    Raises:
        InvalidInput: Both were asked for.
    """
    if heads and persons:
        raise InvalidInput("--heads and --persons cannot both be", hint="--persons hides the head, too.")
    return "head" if heads else "person" if persons else "face"
