"""What was found in footage and what a person decided about it: a JSON document.

A person may write one by hand: a source, and tracks with a few positions, are
enough. Positions are the masks as they will be painted, in stored pixels
(before the rotation that a player applies), at some frames; between two of them
the mask moves evenly. Frames count from 0 in presentation order; every range
names its first and its last frame.

`undecided` is the default of every decision, and nothing undecided is rendered
(`coverage`). The document holds small pictures of people: it is personal data
and goes with the recording.
"""

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from media.sound.spans import MUTE_PATTERN
from media.video.masks import Style


class Verdict(StrEnum):
    """What a person decided."""

    UNDECIDED = "undecided"
    HIDE = "hide"
    KEEP = "keep"  #: stays visible


class Reason(StrEnum):
    """Why something is in the document."""

    FACE = "face"
    HEAD = "head"
    PERSON = "person"
    MOVING = "moving, undecided"  #: something moved, and no detector said what it is
    DRAWN = "drawn"  #: by a person


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Model):
    """Which file the document is about."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    frames: Annotated[int, Field(ge=1)]
    time_base: Annotated[str, Field(pattern=r"^\d+/[1-9]\d*$", description="seconds per tick, as a fraction")]


class Position(_Model):
    """The mask at one frame."""

    frame: Annotated[int, Field(ge=0)]
    left: float
    top: float
    right: float
    bottom: float

    @model_validator(mode="after")
    def _has_size(self) -> "Position":
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError("a position needs width and height")
        return self


class Decision(_Model):
    """What was decided, and by whom."""

    verdict: Verdict = Verdict.UNDECIDED
    by: str = ""
    note: str = ""


class Track(_Model):
    """One thing followed through frames without a gap."""

    id: Annotated[int, Field(ge=1)]
    reason: Reason
    positions: Annotated[tuple[Position, ...], Field(min_length=1)]
    confidence: Annotated[float, Field(ge=0, le=1, description="of the surest sighting")] = 1.0
    decision: Decision = Decision()
    style: Style = Style.FILL
    likeness: Annotated[
        float | None,
        Field(
            description="distance to the face of --keep-face, smaller is more alike; orders, never decides"
        ),
    ] = None
    thumbnail: Annotated[str | None, Field(description="JPEG in base64: the surest sighting")] = None

    @property
    def first(self) -> int:
        """First frame."""
        return self.positions[0].frame

    @property
    def last(self) -> int:
        """Last frame."""
        return self.positions[-1].frame

    @model_validator(mode="after")
    def _in_order(self) -> "Track":
        frames = [position.frame for position in self.positions]
        if frames != sorted(set(frames)):
            raise ValueError(f"the positions of track {self.id} must be in order, one a frame")
        return self


class Gap(_Model):
    """A stretch that the search could not judge: a person has to look."""

    id: Annotated[int, Field(ge=1)]
    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    reason: str
    decision: Annotated[
        Decision,
        Field(
            description="hide paints whole frames; keep says that a person looked and nothing is to be hidden"
        ),
    ] = Decision()

    @model_validator(mode="after")
    def _in_order(self) -> "Gap":
        if self.last < self.first:
            raise ValueError(f"gap {self.id} ends before it begins")
        return self


class Sound(_Model):
    """What becomes of the sound of footage: everybody's voice is on it."""

    decision: Annotated[
        Decision, Field(description="hide leaves it out; keep lets it be heard but for the mutes")
    ] = Decision()
    mutes: Annotated[
        tuple[Annotated[str, Field(pattern=MUTE_PATTERN)], ...],
        Field(description='"START-END" or "START-END@CHANNEL", in seconds; where the sound is kept'),
    ] = ()


class Looker(_Model):
    """A detector that looked."""

    name: str
    version: str
    sha256: str
    finds: Literal["face", "person"]
    threshold: Annotated[float | None, Field(description="the confidence from which it reports")] = None


class Sight(_Model):
    """Whom the other detector saw, in every frame from `first` to `last` at which it looked."""

    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    hits: Annotated[
        tuple[tuple[float, float, float, float, float], ...],
        Field(description="left, top, right, bottom, confidence"),
    ]


class OtherSearch(_Model):
    """What the other detector of faces saw, whatever became of it.

    The look at a copy takes it for what it would see again in pictures that are proved to be the source's own.
    """

    detector: Looker
    every_frames: Annotated[int, Field(ge=1, description="the last frame, too")]
    width_px: Annotated[int, Field(ge=1, description="at which pictures were searched")]
    angles_deg: tuple[int, ...]
    sights: Annotated[tuple[Sight, ...], Field(description="without frames in which nobody was seen")]

    @model_validator(mode="after")
    def _in_order(self) -> "OtherSearch":
        ends = [end for sight in self.sights for end in (sight.first, sight.last)]
        if ends != sorted(ends):
            raise ValueError("the sights of the other detector must be in order")
        return self


class Search(_Model):
    """How the footage was searched."""

    detectors: tuple[Looker, ...]
    angles_deg: Annotated[tuple[int, ...], Field(description="turns, clockwise, searched in every look")]
    angles_why: str
    is_camera_fixed: bool
    camera_why: str
    look_every_frames: int
    seen: Annotated[
        tuple[tuple[int, int], ...],
        Field(description="runs of frames, first and last, each searched or unchanged from one that was"),
    ]
    other: Annotated[
        OtherSearch | None, Field(description="absent where one detector alone looked for faces")
    ] = None


class ReviewDocument(_Model):
    """The whole document."""

    version: Literal[1] = 1
    source: Source
    search: Annotated[Search | None, Field(description="absent where a person wrote the document")] = None
    cuts: Annotated[tuple[int, ...], Field(description="frames at which a new scene begins")] = ()
    tracks: tuple[Track, ...] = ()
    gaps: tuple[Gap, ...] = ()
    sound: Annotated[
        Sound | None, Field(description="absent where there is none, or where it is decided elsewhere")
    ] = None

    @model_validator(mode="after")
    def _fits(self) -> "ReviewDocument":
        for kind, parts in (("track", self.tracks), ("gap", self.gaps)):
            ids = [part.id for part in parts]
            if len(set(ids)) != len(ids):
                raise ValueError(f"two {kind}s have the same id")
            for part in parts:
                if part.last >= self.source.frames:
                    raise ValueError(
                        f"{kind} {part.id} goes on after the last frame, {self.source.frames - 1}"
                    )
        return self

    def track(self, number: int) -> Track:
        """The track with this id; KeyError where there is none."""
        for track in self.tracks:
            if track.id == number:
                return track
        raise KeyError(f"there is no track {number}")


def to_json(document: ReviewDocument) -> str:
    """The document as text; the same document gives the same text."""
    return document.model_dump_json(indent=1, exclude_defaults=False) + "\n"


def from_json(text: str | bytes) -> ReviewDocument:
    """The document that a text holds.

    Raises:
        ValueError: It does not follow the schema; the message names the first place.
    """
    return parsed(ReviewDocument, text)


_Document = TypeVar("_Document", bound=BaseModel)


def parsed(kind: type[_Document], text: str | bytes) -> _Document:
    """A document of this kind.

    Raises:
        ValueError: It is none. The message says where and why, and never which value stands there: it is about people.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {why}" if where else why) from None
