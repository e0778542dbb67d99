"""What was asked of a redaction, what was done, and how it was checked: for people and for the case file."""

from dataclasses import asdict, dataclass
from typing import Any

from media.note import Note, note
from media.sound.samples import Style
from media.sound.spans import Mute, Plan, Spans

SCHEMA = "media-mute-report/1"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    mutes: tuple[Mute, ...]
    style: Style = Style.SILENCE
    raw_format: str | None = None  #: what a headerless source is


@dataclass(frozen=True, slots=True)
class Muted:
    """What is silent in the result. Positions are samples, ends are exclusive."""

    channel: int
    asked: tuple[tuple[int, int], ...]  #: whole samples, merged
    silent: tuple[tuple[int, int], ...]  #: what was silenced: the same, or grown to whole packets


@dataclass(frozen=True, slots=True)
class Redacted:
    """A finished redaction."""

    method: str  #: "splice", "packets", "edit" or "copied": see `media.note`
    container: str  #: of the result
    codec: str  #: of the result
    rate: int
    channels: int
    total_samples: int  #: of one channel, before and after
    style: Style
    fade_samples: int  #: outside the spans, where the method fades
    muted: tuple[Muted, ...]
    checked: str  #: how silence was verified, in a sentence
    survives: tuple[Note, ...] = ()  #: what a person must know is still there, or is worse than before
    track: int = 0  #: index of the sound track in the source


def as_json(result: Redacted) -> dict[str, Any]:
    """The report of one track, ready for `json.dumps`. Seconds stand beside samples for people's sake."""
    found = asdict(result)
    for muted in found["muted"]:
        for name in ("asked", "silent"):
            muted[f"{name}_s"] = [[round(at / result.rate, 6) for at in span] for span in muted[name]]
    found["survives"] = [one.as_json() for one in result.survives]
    return {"schema": SCHEMA, **found, "method_means": note(result.method).text}


def muted_of(plan: Plan, silent: tuple[Spans, ...] | None = None) -> tuple[Muted, ...]:
    """What the channels of a plan were asked for, beside what became silent."""
    became = silent or plan.channels
    return tuple(
        Muted(channel, _pairs(asked), _pairs(got))
        for channel, (asked, got) in enumerate(zip(plan.channels, became, strict=True))
        if len(asked)
    )


def _pairs(spans: Spans) -> tuple[tuple[int, int], ...]:
    return tuple((int(start), int(end)) for start, end in spans)
