"""What was found in a call and what a person decided about it: a JSON document, beside the one about footage.

A channel is a speaker. Hidden, it is silent from end to end, and nothing on it
needs a decision of its own; kept, every span on it that was pointed out does.
A person may add spans. Channels count from 0; seconds count from the beginning.

`undecided` is the default of every decision, and nothing undecided is rendered
(`open_points`). What was heard stands in the document: it is as personal as the
recording, and goes with it.
"""

from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from media.errors import Undecided
from media.review.document import Decision, Verdict, parsed
from media.sound.spans import Mute


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SoundSource(_Model):
    """Which file the document is about."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    channels: Annotated[int, Field(ge=1)]
    duration_s: Annotated[float, Field(gt=0)]


class SoundSearch(_Model):
    """How the sound was searched."""

    looked_for: tuple[str, ...]
    not_looked_for: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Channel(_Model):
    """One speaker, as the source says; of a mono recording, everybody."""

    id: Annotated[int, Field(ge=0)]
    side: str = ""
    voice_s: Annotated[float, Field(ge=0, description="how long somebody speaks on it")] = 0.0
    decision: Annotated[
        Decision,
        Field(description="hide silences the whole channel; keep lets it be heard but for its spans"),
    ] = Decision()


class Span(_Model):
    """A stretch that a person should decide about, or that a person added."""

    id: Annotated[int, Field(ge=1)]
    channel: Annotated[int, Field(ge=0)]
    start_s: Annotated[float, Field(ge=0)]
    end_s: float
    kind: str = "drawn"
    rank: Annotated[float, Field(ge=0, le=1, description="how soon a person should look")] = 1.0
    heard: str = ""
    reasons: tuple[str, ...] = ()
    decision: Decision = Decision()

    @model_validator(mode="after")
    def _has_length(self) -> "Span":
        if not self.start_s < self.end_s:
            raise ValueError(f"span {self.id} does not end after it starts")
        return self


class SoundReview(_Model):
    """The whole document."""

    version: Literal[1] = 1
    source: SoundSource
    search: Annotated[SoundSearch | None, Field(description="absent where a person wrote the document")] = (
        None
    )
    channels: tuple[Channel, ...]
    spans: tuple[Span, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> "SoundReview":
        if [channel.id for channel in self.channels] != list(range(self.source.channels)):
            raise ValueError(f"the document must name channels 0 to {self.source.channels - 1}, each once")
        if len({span.id for span in self.spans}) != len(self.spans):
            raise ValueError("two spans have the same id")
        for span in self.spans:
            if span.channel >= self.source.channels:
                raise ValueError(f"span {span.id} names channel {span.channel}, which is not there")
            if span.start_s >= self.source.duration_s:
                raise ValueError(f"span {span.id} starts after the recording ends")
        return self


def open_points(review: SoundReview) -> tuple[str, ...]:
    """Every channel, and every span on a channel that is heard, that nobody has decided about."""
    channels = [
        f"channel {channel.id}{f' ({channel.side})' if channel.side else ''} is undecided:"
        f" somebody speaks for {channel.voice_s:.1f} s"
        for channel in review.channels
        if channel.decision.verdict is Verdict.UNDECIDED
    ]
    spans = [
        f"span {span.id} ({span.kind}) is undecided: {span.start_s:.3f}-{span.end_s:.3f}@{span.channel}"
        for span in heard_spans(review)
        if span.decision.verdict is Verdict.UNDECIDED
    ]
    return (*channels, *spans)


def heard_spans(review: SoundReview) -> Iterator[Span]:
    """The spans on channels that are not hidden as a whole."""
    hidden = {channel.id for channel in review.channels if channel.decision.verdict is Verdict.HIDE}
    return (span for span in review.spans if span.channel not in hidden)


def decide(
    review: SoundReview,
    verdict: Verdict,
    *,
    channels: Collection[int] = (),
    spans: Collection[int] = (),
    by: str = "",
    note: str = "",
) -> SoundReview:
    """Hide these channels and spans, or let them be heard.

    Raises:
        KeyError: There is no such channel or span.
    """
    for kind, wanted, present in (
        ("channel", channels, {each.id for each in review.channels}),
        ("span", spans, {each.id for each in review.spans}),
    ):
        if missing := set(wanted) - present:
            raise KeyError(f"there is no {kind} {min(missing)}")
    update = {"decision": Decision(verdict=verdict, by=by, note=note)}
    return review.model_copy(
        update={
            "channels": tuple(
                each.model_copy(update=update) if each.id in channels else each for each in review.channels
            ),
            "spans": tuple(
                each.model_copy(update=update) if each.id in spans else each for each in review.spans
            ),
        }
    )


def draw(review: SoundReview, mute: Mute, *, by: str = "", note: str = "") -> SoundReview:
    """Add a span that a person wants silent, on its channel or on every one; it is hidden at once.

    Raises:
        ValueError: There is no such channel, or the recording ends before.
    """
    channels = range(review.source.channels) if mute.channel is None else [mute.channel]
    number = max((span.id for span in review.spans), default=0)
    new = tuple(
        Span(
            id=number + place,
            channel=channel,
            start_s=float(mute.start_s),
            end_s=float(mute.end_s),
            decision=Decision(verdict=Verdict.HIDE, by=by, note=note),
        )
        for place, channel in enumerate(channels, start=1)
    )
    return SoundReview.model_validate(review.model_dump() | {"spans": (*review.spans, *new)})


def hide_rest(review: SoundReview, *, by: str = "", note: str = "hide the rest") -> SoundReview:
    """Decide everything that is undecided, so that it is not heard."""
    channels = [each.id for each in review.channels if each.decision.verdict is Verdict.UNDECIDED]
    review = decide(review, Verdict.HIDE, channels=channels, by=by, note=note)
    spans = [each.id for each in heard_spans(review) if each.decision.verdict is Verdict.UNDECIDED]
    return decide(review, Verdict.HIDE, spans=spans, by=by, note=note)


def mutes_of(review: SoundReview) -> tuple[Mute, ...]:
    """What is silenced. A span that is kept never uncovers another that is hidden.

    Raises:
        Undecided: There are open points.
    """
    undecided = open_points(review)
    if undecided:
        raise Undecided(undecided)
    # A second more than its length: a channel is silent to its last sample, however the length was rounded.
    end_s = Fraction(str(review.source.duration_s)) + 1
    channels = [
        Mute(Fraction(0), end_s, channel.id)
        for channel in review.channels
        if channel.decision.verdict is Verdict.HIDE
    ]
    spans = [
        Mute(Fraction(str(span.start_s)), Fraction(str(span.end_s)), span.channel)
        for span in heard_spans(review)
        if span.decision.verdict is Verdict.HIDE
    ]
    return (*channels, *spans)


def to_json(review: SoundReview) -> str:
    """The document as text; the same document gives the same text."""
    return review.model_dump_json(indent=2) + "\n"


def from_json(text: str | bytes) -> SoundReview:
    """The document that a text holds.

    Raises:
        ValueError: It does not follow the schema; the message names the first place.
    """
    return parsed(SoundReview, text)
