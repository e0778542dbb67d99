"""What a person may not do to a review document, and whose its decisions are. Pure.

A person decides, moves masks, cuts and joins tracks, and adds what nobody
found. Nothing that was found may be missing afterwards, as that would show
somebody without a decision; and which file it is about, and how that was
searched, is not a person's to say.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from media.review.document import Decision, Gap, ReviewDocument, Track
from media.review.masks import boxes_of
from media.review.sound import Channel, SoundReview, Span
from media.video.masks import Box

#: Of a missing track's mask in each of its frames, by one other: joined tracks hold each other.
_COVERED = 0.9
_ANOTHER = "the document is about another recording"
_SEARCHED_OTHERWISE = "how the recording was searched was changed"

Part = TypeVar("Part", Track, Gap, Channel, Span)


def footage_objections(before: ReviewDocument, after: ReviewDocument) -> tuple[str, ...]:
    """Why `after` cannot take the place of `before`, one sentence each; empty where it can."""
    if after.source != before.source:
        return (_ANOTHER,)
    if after.search != before.search or after.cuts != before.cuts:
        return (_SEARCHED_OTHERWISE,)
    return (*_lost_tracks(before, after), *_changed_footage(before, after))


def sound_objections(before: SoundReview, after: SoundReview) -> tuple[str, ...]:
    """As `footage_objections`, of a call."""
    if after.source != before.source:
        return (_ANOTHER,)
    if after.search != before.search:
        return (_SEARCHED_OTHERWISE,)
    return tuple(_lost_spans(before, after))


def signed_footage(before: ReviewDocument, after: ReviewDocument, by: str) -> ReviewDocument:
    """`after` with every decision that `before` lacks in the name of `by`, whatever it says itself."""
    sound = after.sound
    if sound is not None and sound != before.sound:
        sound = sound.model_copy(update={"decision": _by(sound.decision, by)})
    return after.model_copy(
        update={
            "tracks": _signed(before.tracks, after.tracks, by),
            "gaps": _signed(before.gaps, after.gaps, by),
            "sound": sound,
        }
    )


def signed_sound(before: SoundReview, after: SoundReview, by: str) -> SoundReview:
    """As `signed_footage`, of a call."""
    return after.model_copy(
        update={
            "channels": _signed(before.channels, after.channels, by),
            "spans": _signed(before.spans, after.spans, by),
        }
    )


def _signed(before: Sequence[Part], after: Sequence[Part], by: str) -> tuple[Part, ...]:
    known = {part.id: part.decision for part in before}
    return tuple(
        part
        if part.decision == known.get(part.id, Decision())
        else part.model_copy(update={"decision": _by(part.decision, by)})
        for part in after
    )


def _by(decision: Decision, by: str) -> Decision:
    return decision.model_copy(update={"by": by})


def _changed_footage(before: ReviewDocument, after: ReviewDocument) -> Iterator[str]:
    places = {gap.id: (gap.first, gap.last) for gap in after.gaps}
    for gap in before.gaps:
        if places.get(gap.id) != (gap.first, gap.last):
            yield f"gap {gap.id} is missing or was moved: decide about it as it is"
    if (before.sound is None) != (after.sound is None):
        yield "the sound is missing: decide hide or keep about it"


def _lost_tracks(before: ReviewDocument, after: ReviewDocument) -> Iterator[str]:
    present = {track.id for track in after.tracks}
    lost = [track for track in before.tracks if track.id not in present]
    if not lost:
        return
    others = [dict(boxes_of(track.positions)) for track in after.tracks]
    for track in lost:
        if not any(_holds(other, track) for other in others):
            yield f"track {track.id} is missing: decide keep about it if it is to stay visible"


def _holds(other: Mapping[int, Box], track: Track) -> bool:
    return all(
        frame in other and other[frame].overlap(box) >= _COVERED * box.area
        for frame, box in boxes_of(track.positions)
    )


def _lost_spans(before: SoundReview, after: SoundReview) -> Iterator[str]:
    if [channel.side for channel in after.channels] != [channel.side for channel in before.channels]:
        yield "the sides of the channels were changed: the recorder's source says whom each holds"
    present = {span.id for span in after.spans}
    for span in before.spans:
        if span.id not in present and not any(_contains(other, span) for other in after.spans):
            yield f"span {span.id} is missing: decide keep about it if it is to be heard"


def _contains(other: Span, span: Span) -> bool:
    return other.channel == span.channel and other.start_s <= span.start_s and other.end_s >= span.end_s
