"""How a person decides about a review on the command line; the same words alone and within a request."""

from typing import Annotated

import typer

from retention.kernel.errors import InvalidInput

#: What --hide-rest and --hide-all may do with what moved and no detector named.
MOVING = ("hide", "review", "keep")

Split = Annotated[
    list[str] | None,
    typer.Option(
        "--split", metavar="TRACK@FRAME", help="From this frame on it is a track of its own; repeatable."
    ),
]
Merge = Annotated[
    list[str] | None,
    typer.Option("--merge", metavar="TRACK,TRACK", help="These tracks are one person; repeatable."),
]
Draw = Annotated[
    list[str] | None,
    typer.Option(
        "--draw",
        metavar="FIRST-LAST:LEFT,TOP,WIDTH,HEIGHT",
        help="Hide this place in these frames, in pixels as they are stored; several places with a space"
        " between them: the mask moves from one to the next. Repeatable.",
    ),
]
Carry = Annotated[
    list[str] | None,
    typer.Option(
        "--carry", metavar="TRACK@FRAME", help="Let a track go on to this frame, before or after; repeatable."
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="NAME", help="This stays, as an open point names it: 'track 3'; repeatable."
    ),
]
Hide = Annotated[list[str] | None, typer.Option("--hide", metavar="NAME", help="This is hidden; repeatable.")]
HideRest = Annotated[bool, typer.Option("--hide-rest", help="Whatever is undecided is hidden.")]
Moving = Annotated[
    str,
    typer.Option(
        "--moving",
        metavar="|".join(MOVING),
        help="What moved and no detector named, when all the rest is hidden: hide it, leave it to a person, or keep it visible.",
    ),
]


def check_moving(text: str) -> str:
    """One of the words.

    Raises:
        InvalidInput: It is none.
    """
    if text not in MOVING:
        raise InvalidInput(f"--moving {text!r} is no choice", hint=f"Give one of {', '.join(MOVING)}.")
    return text
