"""What a second look at a finished copy says."""

from dataclasses import dataclass, field
from enum import StrEnum

from media.note import Note
from media.video.masks import Box

MAX_FINDINGS = 200  #: listed; more than that is no longer read


class Kind(StrEnum):
    """What a finding is about."""

    CONTAINER = "container"  #: something is in the file beside picture and sound
    TIMES = "times"  #: frames are missing, or shown at other times
    UNDER_MASK = "under_mask"  #: something is visible where a mask should be
    OUTSIDE = "outside"  #: the picture outside the masks is not the source's
    SOUND = "sound"  #: the sound is not what it should be
    SEEN = "seen"  #: a detector finds somebody whom no mask covers


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason not to release a copy."""

    kind: Kind
    note: Note
    frame: int | None = None
    box: Box | None = None  #: of somebody who was seen


@dataclass(frozen=True, slots=True)
class SecondLookFacts:
    """With what the finished copy was searched."""

    name: str
    version: str
    sha256: str
    every_frames: int
    angles: tuple[int, ...]
    frames: int  #: of the copy, that were searched
    unchanged: int  #: that were due and equal one that was searched
    hits: int
    covered: int  #: of the hits, by a mask
    kept: int  #: of the hits, on somebody who stays visible by decision
    known: int = 0  #: that were due, and hold the picture in which the same detector looked before


@dataclass(frozen=True, slots=True)
class MovedFacts:
    """What was decided about things that moved and that no detector named."""

    hidden: int
    kept: int  #: visible in the copy


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at, and what was found.

    Attributes:
        source_sha256: Of the source.
        output_sha256: Of the finished copy.
        frames: Pictures of both files, every one.
        proved: Of these, not decoded again, as their compressed pictures are the source's own; see `same`.
        masks: Painted rectangles that were looked at.
        weaker_masks: Of these, mosaics.
        worst_fill_error: Largest mean difference of the inside of a mask from its fill, of 255.
        psnr_db: Outside the masks, over all frames; None where both are equal, or nothing is outside.
        worst_psnr_db: Of the worst frame.
        sound: What became of the sound, in a word: "identical", "converted", "converted and identical", "none",
            "wrong".
        second_look: None where no detector was given.
        moved: None where no review document stood behind the masks.
        findings: Empty where the copy may be released. At most `MAX_FINDINGS` are listed.
    """

    source_sha256: str
    output_sha256: str
    frames: int
    masks: int
    weaker_masks: int
    worst_fill_error: float
    psnr_db: float | None
    worst_psnr_db: float | None
    sound: str
    second_look: SecondLookFacts | None = None
    moved: MovedFacts | None = None
    findings: tuple[Finding, ...] = field(default=())
    proved: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
