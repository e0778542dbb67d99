"""Redact a call from end to end: point out, let decide, mute, listen again.

    propose(source, …)                     -> the review document
    finish(source, review, target, order)  -> the copy, if nothing is undecided and nothing new is heard

A channel whose side is known not to be the requester's is proposed hidden;
every other waits for a person, and so does every span. The finished copy is
decoded and found silent where it should be, then searched as the source was.
What is heard there, and was not kept by a person, releases nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from media.errors import NotReleased, Unreadable
from media.files import draft_of, settle
from media.models import digest_of
from media.note import Note
from media.review.document import Decision, Verdict
from media.review.sound import Channel, SoundReview, SoundSearch, SoundSource, Span, heard_spans, mutes_of
from media.sound.mute import Report, Request, mute_into
from media.sound.personal import REGIONS
from media.sound.speech import NOT_ASKED, Recogniser
from media.sound.suggest import Suggestion, Suggestions, suggest

_KEPT_SHARE = (
    0.5  #: of what is heard again, that a person has kept: recognisers place words half a second off
)
_PROPOSED = "proposed: another side than the requester's"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ears:
    """With what a call is searched."""

    recogniser: Recogniser | None = None
    why_no_words: Note = NOT_ASKED
    raw_format: str | None = None  #: what a headerless source is
    regions: Sequence[str] = REGIONS

    def listen(self, path: Path, raw_format: str | None, progress: Progress) -> Suggestions:
        """Search one file."""
        return suggest(
            path,
            recogniser=self.recogniser,
            why_no_words=self.why_no_words,
            raw_format=raw_format,
            regions=self.regions,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """A copy under its final name: what was muted, and what was looked for in it."""

    report: Report
    heard_again: Suggestions


class HeardAgain(NotReleased):
    """Something is heard in the copy that nobody has decided about; nothing was kept.

    Attributes:
        review: With what was heard as new spans, undecided.
    """

    def __init__(self, findings: tuple[str, ...], review: SoundReview) -> None:
        super().__init__(findings)
        self.review = review


def propose(
    source: Path,
    ears: Ears,
    *,
    sides: Sequence[str] = (),
    own: Collection[str] = (),
    progress: Progress,
) -> SoundReview:
    """Search a call for what a person should decide about.

    Args:
        source: Only read.
        ears: With what.
        sides: Whom each channel holds, as the recorder's source says; may be empty.
        own: The sides that are the requester's; empty where nobody knows.
        progress: Called with what is done and what there is to do. What it raises ends the work.

    Raises:
        Unreadable: The sound cannot be decoded.
        ToolFailed: Weights are not the ones that are known.
    """
    found = ears.listen(source, ears.raw_format, progress)
    named = sides if len(sides) == found.channels else ("",) * found.channels
    return SoundReview(
        source=SoundSource(
            sha256=digest_of(source), channels=found.channels, duration_s=round(found.duration_s, 6)
        ),
        search=SoundSearch(
            looked_for=_texts(found.looked_for),
            not_looked_for=_texts(found.not_looked_for),
            notes=_texts(found.notes),
        ),
        channels=tuple(
            Channel(
                id=number,
                side=side,
                voice_s=round(
                    sum(turn.end_s - turn.start_s for turn in found.voice if turn.channel == number), 1
                ),
                decision=_proposed(side, own),
            )
            for number, side in enumerate(named)
        ),
        spans=_spans(found.spans, 1),
    )


def _texts(notes: Sequence[Note]) -> tuple[str, ...]:
    return tuple(one.text for one in notes)


def _proposed(side: str, own: Collection[str]) -> Decision:
    if not side or not own or side in own:
        return Decision()
    return Decision(verdict=Verdict.HIDE, note=_PROPOSED)


def _spans(found: Sequence[Suggestion], number: int) -> tuple[Span, ...]:
    return tuple(
        Span(
            id=number + place,
            channel=one.channel,
            start_s=round(one.start_s, 6),
            end_s=round(one.end_s, 6),
            kind=one.kind,
            rank=one.rank,
            heard=one.heard,
            reasons=one.reasons,
        )
        for place, one in enumerate(found)
    )


def finish(source: Path, review: SoundReview, target: Path, ears: Ears, progress: Progress) -> Finished:
    """Mute, decode and check, listen again, and keep the copy only if nothing new is heard.

    Args:
        source: Only read.
        review: Decided.
        target: Its suffix says what is written.
        ears: With what the copy is searched.
        progress: As for `propose`, once for muting and once for listening.

    Raises:
        Undecided: A channel, or a span on one that is heard, is undecided.
        HeardAgain: Something is heard that nobody has decided about.
        NotReleased: A span is not silent.
        Unreadable: The source cannot be used, or the document is of another one.
        ValueError: The result cannot be of that kind.
        OSError: The disk is full, or the folder cannot be written to.
    """
    if digest_of(source) != review.source.sha256:
        raise Unreadable(
            f"the review document was made for another file (SHA-256 {review.source.sha256[:16]}…)"
        )
    request = Request(mutes_of(review), raw_format=ears.raw_format)
    with draft_of(target, target.suffix) as draft:
        report = mute_into(source, draft, target.suffix, request, progress)
        heard = ears.listen(draft, None, progress)
        new = [one for one in heard.spans if not _is_kept(one, review)]
        if new:
            raise HeardAgain(tuple(_sentence(one) for one in new), _with(review, new))
        settle(draft, target)
    return Finished(report, heard)


def _is_kept(found: Suggestion, review: SoundReview) -> bool:
    """Whether a person has decided that what lies there stays."""
    kept = [
        (max(span.start_s, found.start_s), min(span.end_s, found.end_s))
        for span in heard_spans(review)
        if span.channel == found.channel and span.decision.verdict is Verdict.KEEP
    ]
    heard_s = max((end_s - start_s for start_s, end_s in kept), default=0.0)
    return heard_s >= _KEPT_SHARE * (found.end_s - found.start_s)


def _with(review: SoundReview, new: Sequence[Suggestion]) -> SoundReview:
    number = max((span.id for span in review.spans), default=0) + 1
    return review.model_copy(update={"spans": (*review.spans, *_spans(new, number))})


def _sentence(found: Suggestion) -> str:
    return f"{found.kind} is heard at {found.start_s:.3f}-{found.end_s:.3f}@{found.channel}"
