"""A call from its review to its copy: who is heard is decided by a person, and listened to again."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from media.errors import Undecided, Unreadable
from media.review import schema
from media.review.changes import signed_sound, sound_objections
from media.review.document import Decision, Verdict
from media.review.sound import (
    Channel,
    SoundReview,
    SoundSearch,
    SoundSource,
    Span,
    from_json,
    mutes_of,
    open_points,
    to_json,
)
from media.sound.review import Ears, HeardAgain, finish, propose
from media.synthesise.call import make_call
from tests.builders.sound import decode, encode, loud

SIDES = ("agent", "caller")
KEEP, HIDE = Decision(verdict=Verdict.KEEP), Decision(verdict=Verdict.HIDE)
SOURCE = SoundSource(sha256="a" * 64, channels=2, duration_s=60.0)
EARS = Ears()


def ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The caller keys a card number in; the agent speaks before."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    make_call(path, [("agent", "en", "Please enter your number."), ("caller", "dtmf", "4111111111111111#")])
    return path


@pytest.fixture(scope="module")
def proposed(call: Path) -> SoundReview:
    return propose(call, EARS, sides=SIDES, own={"caller"}, progress=ignore)


def with_channels(review: SoundReview, *decisions: Decision) -> SoundReview:
    channels = tuple(
        channel.model_copy(update={"decision": decision})
        for channel, decision in zip(review.channels, decisions, strict=True)
    )
    return review.model_copy(update={"channels": channels})


def with_spans(review: SoundReview, decision: Decision) -> SoundReview:
    spans = tuple(span.model_copy(update={"decision": decision}) for span in review.spans)
    return review.model_copy(update={"spans": spans})


# --- what is proposed


def test_another_side_than_the_requesters_is_proposed_silent_and_the_own_one_waits(
    proposed: SoundReview,
) -> None:
    assert [(channel.side, channel.decision.verdict) for channel in proposed.channels] == [
        ("agent", Verdict.HIDE),
        ("caller", Verdict.UNDECIDED),
    ]
    assert proposed.channels[0].decision.note.startswith("proposed")


@pytest.mark.parametrize(
    ("sides", "own"),
    [(SIDES, ()), ((), {"caller"}), (("agent",), {"caller"}), ((*SIDES, "third"), {"caller"})],
)
def test_where_nobody_knows_whose_a_channel_is_every_channel_waits(
    call: Path, sides: tuple[str, ...], own: set[str]
) -> None:
    found = propose(call, EARS, sides=sides, own=own, progress=ignore)
    assert {channel.decision.verdict for channel in found.channels} == {Verdict.UNDECIDED}


def test_a_span_waits_for_a_person_as_long_as_its_channel_may_be_heard(proposed: SoundReview) -> None:
    assert [span.channel for span in proposed.spans] == [1]
    points = open_points(proposed)
    assert points[0].startswith("channel 1 (caller) is undecided")
    assert points[1].startswith("span 1 (card number) is undecided")
    assert "4111" not in "".join(points)
    assert open_points(with_channels(proposed, HIDE, HIDE)) == ()


# --- the copy


def test_a_silenced_side_is_silent_to_the_sample_and_the_other_is_the_originals_bit_for_bit(
    tmp_path: Path,
) -> None:
    levels = loud(3, channels=2)
    source = encode(tmp_path / "in.wav", levels, "pcm_s16le")
    review = with_channels(propose(source, EARS, progress=ignore), HIDE, KEEP)
    finish(source, review, tmp_path / "out.wav", EARS, ignore)
    (before, rate), (after, same_rate) = decode(source), decode(tmp_path / "out.wav")
    assert (rate, before.shape) == (same_rate, after.shape)
    assert not after[0].any()
    assert np.array_equal(after[1], before[1])


def test_a_span_that_is_hidden_is_silent_and_whatever_lies_outside_stays(
    call: Path, proposed: SoundReview, tmp_path: Path
) -> None:
    review = with_spans(with_channels(proposed, KEEP, KEEP), HIDE)
    finish(call, review, tmp_path / "out.wav", EARS, ignore)
    (before, rate), (after, _) = decode(call), decode(tmp_path / "out.wav")
    (span,) = proposed.spans
    start, end = int(span.start_s * rate), int(span.end_s * rate)
    assert not after[1, start:end].any()
    assert np.array_equal(after[0], before[0])


@pytest.mark.parametrize("name", ["in.wav", "in.flac", "in.mp3"])
def test_a_call_that_is_kept_whole_is_a_copy_of_its_sound_and_of_nothing_else(
    name: str, tmp_path: Path
) -> None:
    levels = loud(2, 44100, channels=1)
    codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "mp3"}[name.partition(".")[2]]
    source = encode(tmp_path / name, levels, codec, 44100)
    review = with_channels(propose(source, EARS, progress=ignore), KEEP)
    out = tmp_path / name.replace("in", "out")
    finish(source, review, out, EARS, ignore)
    assert b"Yamada" in source.read_bytes()
    assert b"Yamada" not in out.read_bytes()
    (before, _), (after, _) = decode(source), decode(out)
    assert np.array_equal(before[:, : after.shape[1]], after[:, : before.shape[1]])


def test_what_is_heard_in_the_copy_and_nobody_decided_about_releases_nothing(
    call: Path, proposed: SoundReview, tmp_path: Path
) -> None:
    """A person took the mute for a word, and made it too short: the keys are heard again."""
    (span,) = proposed.spans
    short = span.model_copy(update={"end_s": span.start_s + 0.05, "decision": HIDE})
    review = with_channels(proposed, HIDE, KEEP).model_copy(update={"spans": (short,)})
    with pytest.raises(HeardAgain, match="card number is heard at") as refused:
        finish(call, review, tmp_path / "out.wav", EARS, ignore)
    assert list(tmp_path.iterdir()) == []
    again = refused.value.review
    assert [each.id for each in again.spans] == [1, 2]
    assert [point.partition(" is ")[0] for point in open_points(again)] == ["span 2 (card number)"]


def test_what_a_person_kept_may_be_heard_again(call: Path, proposed: SoundReview, tmp_path: Path) -> None:
    review = with_spans(with_channels(proposed, HIDE, KEEP), KEEP)
    heard = finish(call, review, tmp_path / "out.wav", EARS, ignore).heard_again
    assert [span.kind for span in heard.spans] == ["card number"]


def test_nothing_undecided_is_rendered(call: Path, proposed: SoundReview, tmp_path: Path) -> None:
    with pytest.raises(Undecided, match="channel 1 \\(caller\\) is undecided"):
        finish(call, proposed, tmp_path / "out.wav", EARS, ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_document_of_another_call_is_refused(call: Path, tmp_path: Path) -> None:
    channels = tuple(Channel(id=number, decision=KEEP) for number in range(2))
    review = SoundReview(source=SOURCE, channels=channels)
    with pytest.raises(Unreadable, match="made for another file"):
        finish(call, review, tmp_path / "out.wav", EARS, ignore)


# --- the document

seconds = st.integers(0, 59_000).map(lambda value: value / 1000)


@st.composite
def documents(draw: st.DrawFn) -> SoundReview:
    decisions = st.sampled_from([Decision(), KEEP, HIDE])
    channels = tuple(Channel(id=number, side=SIDES[number], decision=draw(decisions)) for number in range(2))
    starts = draw(st.lists(st.tuples(seconds, st.integers(0, 1), decisions), max_size=5))
    spans = tuple(
        Span(id=number, channel=channel, start_s=start, end_s=start + 1, decision=decision)
        for number, (start, channel, decision) in enumerate(starts, start=1)
    )
    return SoundReview(source=SOURCE, channels=channels, spans=spans)


@given(documents())
def test_a_document_is_the_same_after_it_was_written_and_read(review: SoundReview) -> None:
    assert from_json(to_json(review)) == review


@given(documents())
def test_what_a_document_lets_be_heard_was_kept_by_a_decision(review: SoundReview) -> None:
    if open_points(review):
        with pytest.raises(Undecided):
            mutes_of(review)
        return
    muted = mutes_of(review)
    silent = {mute.channel for mute in muted if mute.start_s == 0 and mute.end_s > SOURCE.duration_s}
    assert {channel.id for channel in review.channels if channel.decision == KEEP} == {0, 1} - silent
    for span in review.spans:
        is_muted = any(
            mute.channel == span.channel and float(mute.start_s) <= span.start_s < mute.end_s
            for mute in muted
        )
        assert is_muted or span.decision == KEEP


def test_documents_follow_the_schema(proposed: SoundReview) -> None:
    (text,) = [schema.schema_text(model) for model in schema.DOCUMENTS.values() if model is SoundReview]
    jsonschema.Draft202012Validator(json.loads(text)).validate(json.loads(to_json(proposed)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "Input should be 1"),
        ({"channels": [{"id": 0}]}, "must name channels 0 to 1"),
        ({"channels": [{"id": 0}, {"id": 0}]}, "must name channels 0 to 1"),
        ({"spans": [{"id": 1, "channel": 2, "start_s": 1, "end_s": 2}]}, "channel 2, which is not there"),
        ({"spans": [{"id": 1, "channel": 0, "start_s": 2, "end_s": 2}]}, "does not end after it starts"),
        ({"spans": [{"id": 1, "channel": 0, "start_s": 60, "end_s": 61}]}, "starts after the recording ends"),
        ({"spans": 2 * [{"id": 1, "channel": 0, "start_s": 1, "end_s": 2}]}, "two spans have the same id"),
    ],
)
def test_a_document_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    whole = {"version": 1, "source": SOURCE.model_dump(), "channels": [{"id": 0}, {"id": 1}]}
    with pytest.raises(ValidationError, match=said):
        SoundReview.model_validate(whole | change)


# --- what a person may change

BEFORE = SoundReview(
    source=SOURCE,
    channels=(Channel(id=0, side="agent", decision=HIDE), Channel(id=1, side="caller")),
    spans=(Span(id=1, channel=1, start_s=5, end_s=6), Span(id=2, channel=1, start_s=8, end_s=9)),
)


def test_a_span_that_was_found_may_not_be_missing_unless_another_holds_it() -> None:
    _, second = BEFORE.spans
    without = BEFORE.model_copy(update={"spans": (second,)})
    assert sound_objections(BEFORE, without) == (
        "span 1 is missing: decide keep about it if it is to be heard",
    )
    wide = second.model_copy(update={"start_s": 4.5})
    assert sound_objections(BEFORE, BEFORE.model_copy(update={"spans": (wide,)})) == ()
    other_side = wide.model_copy(update={"channel": 0})
    assert sound_objections(BEFORE, BEFORE.model_copy(update={"spans": (other_side, second)})) != ()


def test_sides_cannot_be_swapped_in_the_document() -> None:
    agent, caller = BEFORE.channels
    swapped = (agent.model_copy(update={"side": "caller"}), caller.model_copy(update={"side": "agent"}))
    (objection,) = sound_objections(BEFORE, BEFORE.model_copy(update={"channels": swapped}))
    assert "sides" in objection


def test_the_document_of_another_call_does_not_take_its_place() -> None:
    other = BEFORE.model_copy(update={"source": SOURCE.model_copy(update={"sha256": "b" * 64})})
    assert sound_objections(BEFORE, other) == ("the document is about another recording",)


def test_how_a_call_was_searched_is_not_a_persons_to_say() -> None:
    searched = SoundSearch(looked_for=("keys",), not_looked_for=())
    said = sound_objections(BEFORE, BEFORE.model_copy(update={"search": searched}))
    assert said == ("how the recording was searched was changed",)


def test_a_new_decision_bears_the_name_of_who_gave_it_whatever_the_document_says() -> None:
    forged = Decision(verdict=Verdict.KEEP, by="somebody else")
    after = with_channels(BEFORE, HIDE, forged)
    signed = signed_sound(BEFORE, with_spans(after, HIDE), "suzuki")
    assert [channel.decision.by for channel in signed.channels] == ["", "suzuki"]
    assert {span.decision.by for span in signed.spans} == {"suzuki"}
    again = signed_sound(signed, signed, "mori")
    assert again == signed
