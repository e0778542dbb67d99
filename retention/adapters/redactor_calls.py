"""Calls through the toolbox: what to point out, and a copy in which only what a person kept is heard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media.review.document import Verdict
from media.review.sound import SoundReview, heard_spans, open_points, to_json
from media.sound.review import Ears, Finished, HeardAgain, finish, propose
from media.sound.speech import open_recogniser
from media.sound.weights import WeightsMissing
from retention.redaction.model import raw_format_of
from retention.redaction.redactor import Copy, FoundAgain, Original, Progress, Review

SCHEMA = "call-rendition-report/1"
#: By the container of the original: how a copy is called whose packets or samples can stay as they are.
SAME = {"wav": ".wav", "ogg": ".ogg", "mp3": ".mp3", "aac": ".aac", "flac": ".flac", "mp4": ".m4a"}
ANYWHERE = ".wav"  #: what everything else becomes: it plays anywhere, and loses nothing more
_ECHO = (
    "a side that is silenced may be heard faintly on the other as echo: a person listens to the whole copy"
)
_ALL_TOGETHER = "everybody is on one channel: a person listens to the whole copy"


def point_out(original: Original, *, words: bool, progress: Progress) -> SoundReview:
    """The review document of a call."""
    return propose(
        original.path,
        _ears(original, words=words),
        sides=original.sides,
        own=original.own_sides,
        progress=progress,
    )


def review_of(review: SoundReview) -> Review:
    """The document as the service keeps it."""
    return Review(to_json(review).encode(), open_points(review))


def copy(original: Original, review: SoundReview, folder: Path, progress: Progress) -> Copy:
    """A muted copy that was listened to again."""
    ears = _ears(original, words=review.search is not None and not review.search.not_looked_for)
    target = folder / f"copy{SAME.get(original.facts['container'], ANYWHERE)}"
    try:
        try:
            done = finish(original.path, review, target, ears, progress)
        except ValueError:
            if target.suffix == ANYWHERE:
                raise
            # One side of a codec whose channels share packets, or a codec with memory.
            target = target.with_suffix(ANYWHERE)
            done = finish(original.path, review, target, ears, progress)
    except HeardAgain as found:
        raise FoundAgain(found.findings, review_of(found.review)) from found
    report = {"schema": SCHEMA, "muted": done.report.as_json(), **_heard(done)}
    return Copy(target, json.dumps(report, ensure_ascii=False, indent=1).encode(), _summary(review, done))


def _ears(original: Original, *, words: bool) -> Ears:
    raw_format = raw_format_of(original.facts) or None
    if not words:
        return Ears(why_no_words="--no-words was given", raw_format=raw_format)
    try:
        return Ears(open_recogniser(None, None), raw_format=raw_format)
    except WeightsMissing as missing:
        return Ears(why_no_words=str(missing), raw_format=raw_format)


def _heard(done: Finished) -> dict[str, Any]:
    """What was listened for in the copy; what was heard is not repeated."""
    again = done.heard_again
    spans = [
        {"kind": one.kind, "channel": one.channel, "start_s": one.start_s, "end_s": one.end_s}
        for one in again.spans
    ]
    return {
        "looked_for": list(again.looked_for),
        "not_looked_for": list(again.not_looked_for),
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
        "looked_with": list(done.heard_again.looked_for),
        "sound": "kept" if Verdict.KEEP in channels else "silenced",
        "remains": [
            *done.heard_again.not_looked_for,
            *done.heard_again.notes,
            *(note for track in done.report.tracks for note in track.survives),
            *([_ECHO] if {*channels} == {Verdict.HIDE, Verdict.KEEP} else []),
            *([_ALL_TOGETHER] if len(channels) == 1 else []),
        ],
    }


def _muted_s(done: Finished) -> float:
    return sum(
        (end - start) / track.rate
        for track in done.report.tracks
        for muted in track.muted
        for start, end in muted.silent
    )
