"""What can be said about one file after looking into it.

Only values: the looking is done by `examine`, in a worker that `probe` keeps.
They leave the worker as JSON, written here; `arrival` reads it in the parent.

Durations are integer microseconds. Text from the file is cut and cleaned: it
may be printed, but nothing in it may be trusted.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal

MAX_TEXT = 200  #: characters kept of any text that comes from a file
MAX_WARNINGS = 20


def printable(text: str, longest: int = MAX_TEXT) -> str:
    """`text` on one line, without control characters, cut to `longest`."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text[: 2 * longest])
    return " ".join(clean.split())[:longest]


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One track of a container, in the container's own words."""

    index: int
    type: Literal["audio", "video", "subtitle", "data", "attachment", "unknown"]
    codec: str  #: FFmpeg's name, such as "h264" or "pcm_mulaw"; "unknown" where there is no decoder
    is_cover: bool = False  #: a still picture attached to a recording, such as cover art
    width: int | None = None  #: in pixels, as coded: before any rotation
    height: int | None = None
    rotation: int | None = None  #: clockwise degrees by which a player must turn the picture
    rate_fps: Fraction | None = None  #: average; None where the container does not say
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file that holds a recording which can be decoded, at least in part."""

    kind: Literal["audio", "video"]
    container: str
    duration_us: int
    streams: tuple[StreamFacts, ...]
    started_at_text: str | None  #: the container's claim, untouched
    started_at: datetime | None  #: the claim as an aware UTC instant; None where it names no zone
    warnings: tuple[str, ...] = ()
    thumbnail: bytes | None = None  #: JPEG, upright, at most 480 pixels wide
    peaks: bytes | None = None  #: see `peaks`


def to_json(inspection: Inspection) -> bytes:
    """`inspection` without its thumbnail and peaks."""
    values = asdict(inspection)
    del values["thumbnail"], values["peaks"]
    return json.dumps(values, default=_in_words).encode()


def _in_words(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def parse_start(text: str) -> datetime | None:
    """The instant a container claims, in UTC; None without a zone or out of the calendar."""
    try:
        claimed = datetime.fromisoformat(text)
        return claimed.astimezone(UTC) if claimed.tzinfo else None
    except (ValueError, OverflowError):
        return None
