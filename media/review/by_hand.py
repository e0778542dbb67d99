"""Decisions as a person writes them on one line, by the names that a review's tracks have. Pure.

    3@120                           track 3, at frame 120: where it is split, or how far it is carried
    3,4                             tracks 3 and 4: one person, merged
    120-180:40,60,32,32             a mask in frames 120 to 180: left, top, width and height in stored pixels
    120:40,60,32,32 180:90,60,32,32 a mask that moves evenly from the one place to the other
    track 3 · gap 1 · sound         what is kept or hidden

They are done in the order of `ByHand`, so what is split or drawn in one line
can be decided about in the same one: new tracks count on from the highest.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from media.review.decide import carry, decide, decide_gaps, draw, hide_all, merge, split
from media.review.document import Decision, Position, ReviewDocument, Verdict

_AT = re.compile(r"(?:track )?(\d{1,9})@(\d{1,9})", re.ASCII)
_NUMBER = r"-?\d{1,6}(?:\.\d{1,3})?"
_PLACE = re.compile(
    rf"(\d{{1,9}})(?:-(\d{{1,9}}))?:({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", re.ASCII
)
_KINDS = ("track", "gap", "sound")
#: About what moved and no detector named, as a person says it.
MOVING = {"hide": Verdict.HIDE, "review": Verdict.UNDECIDED, "keep": Verdict.KEEP}

_Change = Callable[[ReviewDocument], ReviewDocument]


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person wants of a review document."""

    splits: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    carries: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    hides_rest: bool = False
    moving: Verdict = Verdict.HIDE  #: what `hides_rest` does with what moved and no detector named


def decide_by_hand(document: ReviewDocument, wanted: ByHand, by: str = "") -> ReviewDocument:
    """The document with all of it, or none.

    Raises:
        ValueError: Something is written in no such way, or names what is not there; it says which.
    """
    for text, change in _changes(wanted, by):
        try:
            document = change(document)
        except KeyError as error:
            raise ValueError(f"{text}: {error.args[0]}; {_its_tracks(document)}") from error
        except ValueError as error:
            raise ValueError(f"{text}: {_first_line(error)}") from error
    for verdict, names in ((Verdict.KEEP, wanted.keep), (Verdict.HIDE, wanted.hide)):
        document = _decided(document, numbered(names, _KINDS), verdict, by)
    return _with_rest_hidden(document, wanted.moving, by) if wanted.hides_rest else document


def numbered(names: Iterable[str], kinds: Sequence[str]) -> dict[str, list[int]]:
    """Kind → the numbers that are named of it; a kind that has none in the name, such as "sound", counts as 0.

    Raises:
        ValueError: A name is of no such kind.
    """
    found: dict[str, list[int]] = {kind: [] for kind in kinds}
    for name in names:
        kind, _, number = name.strip().replace("-", " ").partition(" ")
        if kind not in found or not (number.isdecimal() or (kind == "sound" and not number)):
            raise ValueError(
                f"{name!r} names nothing in this review: write {' or '.join(kinds)} and its number,"
                " as the open points do"
            )
        found[kind].append(int(number or 0))
    return found


def _changes(wanted: ByHand, by: str) -> Iterator[tuple[str, _Change]]:
    for text in wanted.splits:
        yield f"split {text}", partial(_split, text=text)
    for text in wanted.merges:
        yield f"merge {text}", partial(_merge, text=text)
    for text in wanted.draws:
        yield f"draw {text}", partial(_draw, text=text, by=by)
    for text in wanted.carries:
        yield f"carry {text}", partial(_carry, text=text)


def _split(document: ReviewDocument, text: str) -> ReviewDocument:
    return split(document, *_track_and_frame(text))


def _carry(document: ReviewDocument, text: str) -> ReviewDocument:
    return carry(document, *_track_and_frame(text))


def _merge(document: ReviewDocument, text: str) -> ReviewDocument:
    numbers = [part.strip().removeprefix("track ") for part in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise ValueError("write the numbers of the tracks, as 3,4")
    return merge(document, [int(number) for number in numbers])


def _draw(document: ReviewDocument, text: str, by: str) -> ReviewDocument:
    return draw(document, [place for part in text.split() for place in _positions(part)], by=by)


def _positions(text: str) -> Iterator[Position]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("write FRAME:LEFT,TOP,WIDTH,HEIGHT or FIRST-LAST:LEFT,TOP,WIDTH,HEIGHT")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise ValueError(f"frame {last} comes before frame {first}")
    left, top, width, height = (float(edge) for edge in found.groups()[2:])
    if width <= 0 or height <= 0:
        raise ValueError("a mask needs width and height")
    for frame in dict.fromkeys((first, last)):
        yield Position(frame=frame, left=left, top=top, right=left + width, bottom=top + height)


def _track_and_frame(text: str) -> tuple[int, int]:
    found = _AT.fullmatch(text.strip())
    if found is None:
        raise ValueError("write TRACK@FRAME, as 3@120")
    return int(found[1]), int(found[2])


def _decided(
    document: ReviewDocument, numbers: dict[str, list[int]], verdict: Verdict, by: str
) -> ReviewDocument:
    try:
        document = decide(document, numbers["track"], verdict, by=by)
        document = decide_gaps(document, numbers["gap"], verdict, by=by)
    except KeyError as error:
        raise ValueError(f"{error.args[0]}; {_its_tracks(document)}") from error
    return _with_sound(document, Decision(verdict=verdict, by=by)) if numbers["sound"] else document


def _with_rest_hidden(document: ReviewDocument, moving: Verdict, by: str) -> ReviewDocument:
    document = hide_all(document, moving=moving, by=by, note="hide the rest")
    is_open = document.sound is not None and document.sound.decision.verdict is Verdict.UNDECIDED
    return _with_sound(document, Decision(verdict=Verdict.HIDE, by=by)) if is_open else document


def _with_sound(document: ReviewDocument, decision: Decision) -> ReviewDocument:
    if document.sound is None:
        raise ValueError("this footage has no sound")
    return document.model_copy(update={"sound": document.sound.model_copy(update={"decision": decision})})


def _its_tracks(document: ReviewDocument) -> str:
    numbers = sorted(track.id for track in document.tracks)
    if not numbers:
        return "this review has no track"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    listed = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
    return f"this review has the tracks {listed}"


def _first_line(error: ValueError) -> str:
    """Of pydantic's own: the sentence, without where in the document it stands."""
    last = str(error).strip().splitlines()
    sentences = [line.strip() for line in last if "Value error, " in line]
    return sentences[0].partition("Value error, ")[2].partition(" [type=")[0] if sentences else last[0]
