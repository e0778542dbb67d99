"""The port to what finds people in a recording, and makes a copy in which they are hidden. Pure.

What was found and decided stands in a review document, which only the adapter
reads: here it is text, and the sentences that name what is still undecided.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from retention.kernel.errors import NotReleased


class Medium(StrEnum):
    """What a recording is, to whoever redacts it."""

    VIDEO = "video"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Original:
    """A recording as it is searched and copied. Only read."""

    path: Path  #: a name that says nothing of its kind
    medium: Medium
    facts: Mapping[str, Any]  #: what inspection found in it
    mount: str = ""  #: how the camera hangs, as its source says
    sides: tuple[str, ...] = ()  #: whom each channel holds, as its source says
    own_sides: frozenset[str] = frozenset()  #: those that are the requester's; empty where nobody knows


class Extent(StrEnum):
    """How much of a person is hidden in footage."""

    FACE = "face"
    HEAD = "head"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Wish:
    """How to search."""

    any_angle: bool = False  #: heads may lie every way, whatever the source says
    extent: Extent = Extent.FACE
    words: bool = True  #: spoken words too, where that is installed
    photo: Path | None = None  #: tracks most like its face come first; it is only read, and decides nothing
    detector: str = ""  #: who finds faces in footage: "yunet=PATH"; empty for the one that is brought along
    detector_sha256: str = ""  #: of the file at PATH


#: What is done, and what there is to do in all where that is known, in any one unit. May be called from another thread.
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Review:
    """A review document."""

    text: bytes  #: it holds what people look like or said: personal data
    open_points: tuple[str, ...]  #: what nobody has decided about, a sentence each, without personal data


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decides without a document, in this order: by the names that the open points have."""

    splits: tuple[str, ...] = ()  #: "3@120": track 3 is another from frame 120 on
    merges: tuple[str, ...] = ()  #: "3,4": both tracks are one person
    draws: tuple[str, ...] = ()  #: "120-180:40,60,32,32": a mask; of a call "12.5-14@1": a mute
    carries: tuple[str, ...] = ()  #: "3@260": track 3 goes on to frame 260
    keep: tuple[str, ...] = ()  #: "track 3"
    hide: tuple[str, ...] = ()
    hides_rest: bool = False  #: whatever is undecided then
    moving: str = "hide"  #: what that does with what moved and no detector named: hide, review or keep

    def __bool__(self) -> bool:
        edits = (self.splits, self.merges, self.draws, self.carries)
        return bool(any(edits) or self.keep or self.hide or self.hides_rest)


@dataclass(frozen=True, slots=True)
class Copy:
    """A finished copy, looked at again."""

    path: Path
    review: Review  #: by which it was made
    report: bytes  #: what was asked, done and looked for, as JSON
    page: bytes  #: the same for people: one page of HTML that loads nothing
    summary: Mapping[str, Any]  #: see `RenditionRow`


class FoundAgain(NotReleased):
    """The second look found what nobody decided about; no copy was kept."""

    def __init__(self, findings: tuple[str, ...], review: Review) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings
        self.review = review  #: with what was found, undecided


class Redactor(Protocol):
    """Searches, and makes copies.

    Every method may raise ToolFailed or ToolTimedOut, which leave nothing behind, and NotFound where the
    weights of a detector are missing.
    """

    def propose(self, original: Original, wish: Wish, work: Path, progress: Progress) -> Review:
        """Everybody and everything that a person should decide about.

        The same original and wish give the same document. `work` is a folder in which a search that is
        stopped keeps how far it was; it holds no picture and no sound.
        Nobody is proposed to stay visible, or to be heard.
        Unreadable if the original cannot be searched; InvalidInput if the photo shows no face, or there is no
        such detector.
        """

    def take(self, medium: Medium, before: Review, text: bytes, by: str) -> Review:
        """`text` in the place of `before`, with what it decides in the name of `by`.

        InvalidInput if it is no review document, is about another recording, or lacks something that was found.
        """

    def choose(self, medium: Medium, before: Review, choice: Choice, by: str) -> Review:
        """`before` with what `choice` decides, in the name of `by`.

        InvalidInput if it names what is not there, or what a recording of this medium does not have.
        """

    def pictures(self, medium: Medium, review: Review) -> Mapping[str, bytes]:
        """File name → JPEG of whoever a track shows, for the person who decides; empty for sound."""

    def render(
        self,
        original: Original,
        review: Review,
        folder: Path,
        progress: Progress,
        *,
        hide_found_for: str = "",
        language: str = "en",
    ) -> Copy:
        """A copy in `folder` in which everything is hidden that is not kept by a decision.

        It was decoded again and searched again, or FoundAgain, or NotReleased. With `hide_found_for`, whatever
        is found again is hidden, in that person's name, and the copy made and searched once more; what is
        found after some rounds still is FoundAgain.
        Its page is in `language`, or in English where there is none in it.
        It holds pictures and sound, and nothing else of the original: no metadata, no other track.
        IllegalTransition, naming each, if anything is undecided.
        Unreadable or UnsupportedCodec if it cannot be done.
        """
