"""What can be asked of a renderer, and what it says afterwards."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

#: Quantiser: nobody is recognised by a copy that is worse than this; a starved source costs more bytes instead.
QP_WORST = 36


class Audio(StrEnum):
    """What becomes of the sound."""

    KEEP = "keep"  #: every track, its packets as they are
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class ReplaceAudio:
    """Sound that was redacted elsewhere takes the place of the source's."""

    path: Path


class Smart(StrEnum):
    """Whether stretches that hide nothing may be copied instead of encoded again."""

    AUTO = "auto"  #: where it is proved safe; see `smart`
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Frames from `first` to before `end`, of which every one was looked at by a detector and by the motion net."""

    first: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.end:
            raise ValueError(f"a range of frames needs 0 <= first < end: {self}")


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written.

    Attributes:
        frames: Pictures in the output, as many as in the source.
        masked_frames: Those with at least one mask.
        copied_frames: Those whose compressed pictures are the source's own, bit for bit.
        sound_tracks: In the output.
        duration_us: From the first picture to the end of the last one.
        size_bytes: Of the output.
        source_bytes: Of the source.
        video_bytes: Of the output's compressed pictures alone.
        source_video_bytes: Of the source's.
        notes: What a person should know, one sentence each.
    """

    frames: int
    masked_frames: int
    copied_frames: int
    sound_tracks: int
    duration_us: int
    size_bytes: int
    source_bytes: int
    video_bytes: int
    source_video_bytes: int
    notes: tuple[str, ...] = ()
