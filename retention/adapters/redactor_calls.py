"""Calls through the toolbox: what to point out, and a copy in which only what a person kept is heard."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.models import digest_of
from media.note import Language, Note, note
from media.page import as_html
from media.review.by_hand import numbered
from media.review.document import Verdict
from media.review.sound import SoundReview, decide, draw, heard_spans, hide_rest, open_points, to_json
from media.sound.page import page_of
from media.sound.review import Ears, Finished, HeardAgain, finish, propose
from media.sound.spans import Mute
from media.sound.speech import not_heard, open_recogniser
from media.sound.weights import WeightsMissing
from retention.kernel.errors import InvalidInput
from retention.redaction.model import raw_format_of
from retention.redaction.redactor import Choice, Copy, FoundAgain, Original, Progress, Review

SCHEMA = "call-rendition-report/1"
#: By the container of the original: how a copy is called whose packets or samples can stay as they are.
SAME = {"wav": ".wav", "ogg": ".ogg", "mp3": ".mp3", "aac": ".aac", "flac": ".flac", "mp4": ".m4a"}
ANYWHERE = ".wav"  #: what everything else becomes: it plays anywhere, and loses nothing more
_ROUNDS = 4  #: copies that are made while something is heard again; then a person is needed


@dataclass(frozen=True, slots=True)
class Speech:
    """With what spoken words are heard."""

    model: Path | None = None  #: an operator's own folder; None takes the one of the extra
    language: str = ""  #: "en" or "ja"; empty lets it be found out for each stretch


def point_out(original: Original, speech: Speech, *, words: bool, progress: Progress) -> SoundReview:
    """The review document of a call."""
    return propose(
        original.path,
        _ears(original, speech, words=words),
        sides=original.sides,
        own=original.own_sides,
        progress=progress,
    )


def review_of(review: SoundReview) -> Review:
    """The document as the service keeps it."""
    return Review(to_json(review).encode(), open_points(review))


def choose(review: SoundReview, choice: Choice, by: str) -> SoundReview:
    """The document with what a person decided by name."""
    if choice.splits or choice.merges or choice.carries:
        raise InvalidInput(
            "a call has no tracks that could be split, merged or carried on",
            hint="Decide about its channels and spans; --draw START-END@CHANNEL adds a span.",
        )
    for text in choice.draws:
        review = draw(review, Mute.parse(text), by=by)
    for verdict, names in ((Verdict.KEEP, choice.keep), (Verdict.HIDE, choice.hide)):
        numbers = numbered(names, ("channel", "span"))
        review = decide(review, verdict, channels=numbers["channel"], spans=numbers["span"], by=by)
    return hide_rest(review, by=by) if choice.hides_rest else review


def copy(
    original: Original,
    review: SoundReview,
    folder: Path,
    progress: Progress,
    hide_found_for: str,
    speech: Speech,
    language: Language,
) -> Copy:
    """A muted copy that was listened to again."""
    for _ in range(_ROUNDS):
        try:
            return _copy(original, review, folder, progress, speech, language)
        except HeardAgain as found:
            if not hide_found_for:
                raise FoundAgain(found.findings, review_of(found.review)) from found
            review, last = hide_rest(found.review, by=hide_found_for, note="found again"), found
    raise FoundAgain(last.findings, review_of(last.review)) from last


def _copy(
    original: Original,
    review: SoundReview,
    folder: Path,
    progress: Progress,
    speech: Speech,
    language: Language,
) -> Copy:
    ears = _ears(original, speech, words=review.search is not None and not review.search.not_looked_for)
    target = folder / f"copy{SAME.get(original.facts['container'], ANYWHERE)}"
    try:
        done = finish(original.path, review, target, ears, progress)
    except ValueError:
        if target.suffix == ANYWHERE:
            raise
        # One side of a codec whose channels share packets, or a codec with memory.
        target = target.with_suffix(ANYWHERE)
        done = finish(original.path, review, target, ears, progress)
    report = {"schema": SCHEMA, "muted": done.report.as_json(), **_heard(done)}
    page = page_of(
        done.report.tracks,
        language,
        source_sha256=review.source.sha256,
        copy_sha256=digest_of(target),
        again=done.heard_again,
        remains=_remains(review, done),
    )
    return Copy(
        target,
        review_of(review),
        json.dumps(report, ensure_ascii=False, indent=1).encode(),
        as_html(page).encode(),
        _summary(review, done),
    )


def _ears(original: Original, speech: Speech, *, words: bool) -> Ears:
    raw_format = raw_format_of(original.facts) or None
    if not words:
        return Ears(raw_format=raw_format)
    try:
        return Ears(open_recogniser(speech.model, speech.language or None), raw_format=raw_format)
    except WeightsMissing as missing:
        if speech.model is not None:  # whoever names a model wants words to be looked for
            raise
        return Ears(why_no_words=not_heard(missing), raw_format=raw_format)


def _heard(done: Finished) -> dict[str, Any]:
    """What was listened for in the copy; what was heard is not repeated."""
    again = done.heard_again
    spans = [
        {"kind": one.kind, "channel": one.channel, "start_s": one.start_s, "end_s": one.end_s}
        for one in again.spans
    ]
    return {
        "looked_for": [each.as_json() for each in again.looked_for],
        "not_looked_for": [each.as_json() for each in again.not_looked_for],
        "kept_by_decision": spans,
    }


def _summary(review: SoundReview, done: Finished) -> Mapping[str, Any]:
    channels = [channel.decision.verdict for channel in review.channels]
    verdicts = [*channels, *(span.decision.verdict for span in heard_spans(review))]
    return {
        "hidden": verdicts.count(Verdict.HIDE),
        "kept": verdicts.count(Verdict.KEEP),
        "muted_ms": round(1000 * _muted_s(done)),
        "styles": ["silence"],
        "looked_with": [each.text for each in done.heard_again.looked_for],
        "sound": "kept" if Verdict.KEEP in channels else "silenced",
        "remains": [each.text for each in _remains(review, done)],
    }


def _remains(review: SoundReview, done: Finished) -> list[Note]:
    """What a person must know is still there, or was not looked for."""
    verdicts = [channel.decision.verdict for channel in review.channels]
    return [
        *done.heard_again.not_looked_for,
        *done.heard_again.notes,
        *(each for track in done.report.tracks for each in track.survives),
        *([note("echo")] if {*verdicts} == {Verdict.HIDE, Verdict.KEEP} else []),
        *([note("one_channel")] if len(verdicts) == 1 else []),
    ]


def _muted_s(done: Finished) -> float:
    return sum(
        (end - start) / track.rate
        for track in done.report.tracks
        for muted in track.muted
        for start, end in muted.silent
    )
