"""How footage is to be searched, as the command line says it; the same words alone and within a request."""

from typing import Annotated

import typer

from retention.kernel.errors import InvalidInput

AnyAngle = Annotated[
    bool, typer.Option("--any-angle", help="Search footage in every angle, however the camera hangs.")
]
Heads = Annotated[
    bool,
    typer.Option("--heads", help="Hide whole heads, also of those whose face nobody sees, not only faces."),
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
