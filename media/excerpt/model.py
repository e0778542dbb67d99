"""What can be cut out of a recording, and what is said of it afterwards. Only values."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self


class Form(StrEnum):
    """What a part is written as."""

    SAMPLES = "samples"  #: uncompressed sound: its own samples, in a WAV or without a header, as they came
    WAV = "wav"  #: any other sound: the samples that it decodes to
    MP4 = "mp4"  #: footage: H.264, and AAC where there is sound


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_s` to before `end_s`, in exact seconds from where a player begins.

    Raises:
        ValueError: It is empty, or begins before the recording does.
    """

    start_s: Fraction
    end_s: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s:
            raise ValueError(f"a part needs 0 <= start < end, in seconds: {self}")

    def __str__(self) -> str:
        """For a person."""
        return f"{float(self.start_s):.3f} s to {float(self.end_s):.3f} s"

    def later(self, shift_s: Fraction) -> tuple[Fraction, Fraction]:
        """Both ends by a clock that shows `shift_s` where a player begins."""
        return self.start_s + shift_s, self.end_s + shift_s

    def as_json(self) -> list[str]:
        """As `parse` reads it."""
        return [str(self.start_s), str(self.end_s)]

    @classmethod
    def parse(cls, said: list[str]) -> Self:
        """The span that `as_json` wrote."""
        start, end = (Fraction(each) for each in said)
        return cls(start, end)


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut out.

    Attributes:
        form: What it was written as.
        frames: Pictures.
        copied_frames: Those of them whose compressed pictures are the source's own, bit for bit.
        samples: Of one channel of the sound; 0 for footage.
        rate: Samples a second; 0 for footage.
        sound_tracks: With sound in the part.
        duration_us: From its first picture or sound to the end of its last.
        size_bytes: Of the file.
        notes: What a person should know, one clause each.
    """

    form: Form
    frames: int = 0
    copied_frames: int = 0
    samples: int = 0
    rate: int = 0
    sound_tracks: int = 0
    duration_us: int = 0
    size_bytes: int = 0
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is worth keeping on record; nothing that is zero."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) or name == "form"}


class NothingThere(Exception):
    """No picture, or no sample, of the recording lies in the span."""
