"""What a person may change in the review of footage: everything but to let somebody disappear from it."""

import pytest

from media.review.changes import footage_objections, signed_footage
from media.review.decide import decide, draw, merge, split
from media.review.document import (
    Decision,
    Gap,
    Position,
    Reason,
    ReviewDocument,
    Sound,
    Source,
    Track,
    Verdict,
)

SOURCE = Source(sha256="a" * 64, width=640, height=480, frames=100, time_base="1/25")


def track(number: int, left: float, first: int = 10, last: int = 20) -> Track:
    places = tuple(
        Position(frame=frame, left=left, top=50, right=left + 40, bottom=100) for frame in (first, last)
    )
    return Track(id=number, reason=Reason.FACE, positions=places)


BEFORE = ReviewDocument(
    source=SOURCE,
    tracks=(track(1, 50), track(2, 300)),
    gaps=(Gap(id=1, first=30, last=40, reason="blind"),),
    sound=Sound(),
)


@pytest.mark.parametrize(
    "after",
    [
        decide(BEFORE, [1], Verdict.KEEP),
        split(BEFORE, 1, 15),
        merge(BEFORE, [1, 2]),
        draw(BEFORE, [Position(frame=0, left=0, top=0, right=9, bottom=9)]),
        BEFORE.model_copy(update={"tracks": BEFORE.tracks[::-1]}),
        BEFORE.model_copy(update={"sound": Sound(decision=Decision(verdict=Verdict.KEEP), mutes=("1-2.5",))}),
    ],
    ids=["decided", "cut", "joined", "drawn", "ordered", "sound"],
)
def test_a_person_decides_cuts_joins_and_draws(after: ReviewDocument) -> None:
    assert footage_objections(BEFORE, after) == ()


@pytest.mark.parametrize(
    ("after", "objection"),
    [
        (BEFORE.model_copy(update={"tracks": BEFORE.tracks[1:]}), "track 1 is missing"),
        (
            BEFORE.model_copy(update={"tracks": (BEFORE.tracks[1], track(3, 50, last=19))}),
            "track 1 is missing",
        ),
        (BEFORE.model_copy(update={"tracks": (BEFORE.tracks[1], track(3, 60))}), "track 1 is missing"),
        (BEFORE.model_copy(update={"gaps": ()}), "gap 1 is missing"),
        (
            BEFORE.model_copy(update={"gaps": (Gap(id=1, first=30, last=31, reason="blind"),)}),
            "gap 1 is missing or was moved",
        ),
        (BEFORE.model_copy(update={"sound": None}), "the sound is missing"),
        (BEFORE.model_copy(update={"cuts": (50,)}), "how the recording was searched was changed"),
        (
            BEFORE.model_copy(update={"source": SOURCE.model_copy(update={"frames": 90})}),
            "the document is about another recording",
        ),
    ],
    ids=["gone", "shorter", "beside", "gap gone", "gap shorter", "no sound", "search", "source"],
)
def test_nobody_who_was_found_may_be_missing(after: ReviewDocument, objection: str) -> None:
    (said,) = footage_objections(BEFORE, after)
    assert said.startswith(objection)


def test_a_new_decision_bears_the_name_of_who_gave_it_and_an_old_one_keeps_its_own() -> None:
    first = signed_footage(BEFORE, decide(BEFORE, [1], Verdict.HIDE, by="forged"), "suzuki")
    second = signed_footage(first, decide(first, [2], Verdict.KEEP), "mori")
    assert [one.decision.by for one in second.tracks] == ["suzuki", "mori"]


def test_the_sounds_decision_is_signed_too() -> None:
    kept = BEFORE.model_copy(update={"sound": Sound(decision=Decision(verdict=Verdict.KEEP))})
    signed = signed_footage(BEFORE, kept, "suzuki")
    assert signed.sound is not None
    assert signed.sound.decision.by == "suzuki"
