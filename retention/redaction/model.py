"""Spans that must go from an original, and the port to what silences them. Pure.

Card security codes may not be stored after authorisation, not even encrypted
(PCI DSS 4.0.1, 3.3.1). A recorder that was not paused leaves them in the sound.

Times are seconds from the beginning of the recording, as decimals; channels
count from 0.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from retention.catalogue.find import Recording
from retention.catalogue.states import State
from retention.kernel.canonical import digest_of
from retention.kernel.errors import HoldInForce, IllegalTransition, InvalidInput
from retention.schedule.model import Approval, Schedule

#: Somebody alone may destroy no more than this: a code is said in seconds, evidence takes longer.
ALONE_S = Decimal(60)

_DECIMAL = r"\d{1,9}(?:\.\d{1,12})?"
_SPAN = re.compile(rf"(?P<start>{_DECIMAL})-(?P<end>{_DECIMAL})(?:@(?P<channel>\d{{1,2}}))?", re.ASCII)

#: Telephone sound without a header → whether rate and channels have to be said, too.
RAW = {"mulaw": True, "alaw": True, "s16le": True, "gsm": False, "g722": False, "g729": False}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original that nobody may hear again."""

    start_s: Decimal
    end_s: Decimal
    channel: int | None = None  #: None: every channel

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read "START-END" or "START-END@CHANNEL".

        Raises:
            InvalidInput: It is not of this form, or does not end after it starts.
        """
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise InvalidInput(f"not a span: {text!r}", hint="Write START-END in seconds: 38.1-50.7@1.")
        start, end = Decimal(found["start"]), Decimal(found["end"])
        if start >= end:
            raise InvalidInput(f"span {text} does not end after it starts")
        return cls(start, end, int(found["channel"]) if found["channel"] else None)

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.start_s}-{self.end_s}" + (f"@{self.channel}" if self.channel is not None else "")


class Silencer(Protocol):
    """Writes a recording anew in which spans are silent."""

    def silence(
        self,
        source: Path,
        new: Path,
        spans: Sequence[Span],
        facts: Mapping[str, Any],
        progress: Progress,
    ) -> Mapping[str, Any]:
        """Write `source`, with the spans silent, into `new`; how it was done.

        `new` is an empty file whose name says nothing of its kind; nothing else is written.
        `facts` are what inspection found in `source`.
        The result was decoded again and found silent, or NotReleased.
        Length, and whatever lies outside the spans, stays.
        InvalidInput if a span or its channel lies outside the recording.
        UnsupportedCodec or Unreadable if it cannot be done.
        """


def raw_format_of(facts: Mapping[str, Any]) -> str:
    """What a headerless recording is, as a source's particulars say it; "" for one that has a header."""
    container = facts.get("container", "")
    if container not in RAW:
        return ""
    track = next(iter(facts["streams"]))
    return f"{container} {track['sample_rate']} {track['channels']}ch" if RAW[container] else container


def digest_of_plan(recording: Recording, sha256: bytes, spans: Sequence[Span], reason: str) -> str:
    """What a second person approves: these spans of these bytes, for this reason."""
    asked = [str(span) for span in spans]
    return digest_of({"recording": recording.id, "sha256": sha256.hex(), "spans": asked, "reason": reason})


def refuse(recording: Recording) -> None:
    """Refuse to change what must stay as it is.

    Raises:
        HoldInForce: It is under a hold.
        IllegalTransition: It is not sealed, or a disposal is letting it go.
    """
    if recording.hold_ids:
        raise HoldInForce(
            f"recording {recording.id} is under hold {', '.join(recording.hold_ids)}: nothing of it may be destroyed",
            hint="`retention hold show ID` says who decides about it.",
        )
    if recording.state != State.SEALED or recording.run_id is not None:
        state = State.DISPOSING if recording.run_id is not None else recording.state
        raise IllegalTransition(f"recording {recording.id} is {state}: no span of it is left to destroy")


def check_inside(recording: Recording, spans: Sequence[Span]) -> None:
    """Refuse spans of which the catalogue knows that they lie outside the recording.

    Raises:
        InvalidInput: There is none, or one ends after the recording, or names a channel that it lacks.
    """
    if not spans:
        raise InvalidInput("there is no span to destroy", hint="Give --span START-END[@CHANNEL].")
    length_s = Decimal(recording.facts.get("duration_us") or 0) / 1_000_000
    tracks = [each for each in recording.facts.get("streams", ()) if each.get("type") == "audio"]
    if not tracks:
        raise InvalidInput(
            f"recording {recording.id} has no sound", hint="A span of pictures cannot be destroyed yet."
        )
    channels = max(each.get("channels") or 1 for each in tracks)
    for span in spans:
        if length_s and span.start_s >= length_s:
            raise InvalidInput(
                f"span {span} lies after the end of {recording.id}, which is {length_s} s long"
            )
        if span.channel is not None and span.channel >= channels:
            raise InvalidInput(f"span {span} names a channel; {recording.id} has 0 to {channels - 1}")


def needs_approval(schedule: Schedule, recording: Recording, spans: Sequence[Span]) -> bool:
    """Whether a second person must agree: where each disposal of its class is approved, or much goes in all."""
    rules = [schedule.classes.get(reason.class_name) for reason in recording.reasons]
    asked = any(rule is not None and rule.approval is Approval.EACH_RUN for rule in rules)
    return asked or sum((span.end_s - span.start_s for span in spans), Decimal()) > ALONE_S
