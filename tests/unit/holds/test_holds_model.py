"""Which recordings a hold covers, and which criteria are none."""

from datetime import date, datetime, timedelta

import pytest

from retention.holds.model import Criteria, Hold, HoldKind
from retention.kernel.errors import InvalidInput
from tests.fakes.hand_clock import BEGINNING

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALICE, BOB = b"a" * 16, b"b" * 16
FROM, UNTIL = BEGINNING, BEGINNING + HOUR


def hold(criteria: Criteria) -> Hold:
    return Hold(
        id="h",
        kind=HoldKind.LEGAL,
        reason="a dispute",
        owner="sato",
        review_on=date(2030, 1, 1),
        key_id="k",
        suspends_use=False,
        criteria=criteria,
        placed_at=BEGINNING,
        placed_by="sato",
    )


def covers(
    criteria: Criteria,
    started_at: datetime = FROM,
    ended_at: datetime = UNTIL,
    *,
    source_id: str = "lobby",
    clock_error_s: float = 0,
    blinds: frozenset[bytes] = frozenset(),
) -> bool:
    return hold(criteria).matches(source_id, started_at, ended_at, clock_error_s, blinds)


INTERVAL = Criteria(source_id="lobby", from_at=FROM, until_at=UNTIL)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"recording_ids": ("a",), "blinds": frozenset({ALICE})},
        {"recording_ids": ("a",), "source_id": "lobby", "from_at": FROM, "until_at": UNTIL},
        {"blinds": frozenset({ALICE}), "source_id": "lobby", "from_at": FROM, "until_at": UNTIL},
        {"source_id": "lobby"},
        {"source_id": "lobby", "from_at": FROM},
        {"source_id": "lobby", "until_at": UNTIL},
        {"source_id": "lobby", "from_at": UNTIL, "until_at": FROM},
        {"source_id": "lobby", "from_at": FROM, "until_at": FROM},
        {"from_at": FROM, "until_at": UNTIL},
    ],
)
def test_criteria_that_would_cover_nothing_or_too_much_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Criteria(**given)  # type: ignore[arg-type]


def test_a_person_is_covered_by_any_of_her_identifiers() -> None:
    criteria = Criteria(blinds=frozenset({ALICE}))
    assert covers(criteria, blinds=frozenset({ALICE, BOB}))
    assert not covers(criteria, blinds=frozenset({BOB}))
    assert not covers(criteria)


def test_named_recordings_cover_nothing_that_arrives() -> None:
    assert not covers(Criteria(recording_ids=("a",)))


def test_an_interval_covers_its_own_source_alone() -> None:
    assert covers(INTERVAL)
    assert not covers(INTERVAL, source_id="lobby-2")


@pytest.mark.parametrize(
    ("started_at", "ended_at", "is_covered"),
    [
        (FROM - HOUR, FROM, False),  # ended when it began
        (FROM - HOUR, FROM + MINUTE, True),
        (FROM + MINUTE, UNTIL - MINUTE, True),
        (FROM - HOUR, UNTIL + HOUR, True),
        (UNTIL - MINUTE, UNTIL + HOUR, True),
        (UNTIL, UNTIL + HOUR, False),  # started when it was over: the end is exclusive
    ],
)
def test_an_interval_covers_what_was_going_on_in_it(
    started_at: datetime, ended_at: datetime, is_covered: bool
) -> None:
    assert covers(INTERVAL, started_at, ended_at) is is_covered


def test_an_interval_is_as_much_wider_as_the_sources_clock_may_be_wrong() -> None:
    before, after = (FROM - HOUR, FROM - MINUTE), (UNTIL + MINUTE, UNTIL + HOUR)
    assert not covers(INTERVAL, *before, clock_error_s=60)
    assert covers(INTERVAL, *before, clock_error_s=61)
    assert not covers(INTERVAL, *after, clock_error_s=60)
    assert covers(INTERVAL, *after, clock_error_s=61)
