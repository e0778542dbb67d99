"""Whether a file may be sealed, and into which classes; what cannot be decided is a fault."""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.catalogue.model import Assigned, Source
from retention.ingest.admit import (
    AHEAD,
    EARLIEST,
    admit,
    check_times,
    identifiers_of,
    must_not_be_recorded,
    parse_time,
    resolve_times,
)
from retention.ingest.manifest import Entry
from retention.ingest.model import Admission, Code, Fault, Seen, Times
from retention.ingest.prepare import modified_at
from retention.kernel.errors import InvalidInput
from retention.schedule.model import Kind
from tests.builders.house import local
from tests.builders.policy import schedule

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULE = schedule()


def source(**changes: Any) -> Source:
    given: dict[str, Any] = {
        "id": "line-1",
        "kind": Kind.CALL,
        "site": "tokyo",
        "zone": "Asia/Tokyo",
        "area": "",
        "owner": "",
        "notice": "",
        "purposes": ("quality",),
        "clock_error_s": 0.0,
        "channels": (),
        "mount": "",
        "raw_format": "",
    }
    return Source(**(given | changes))


def seen(duration_s: float = 3_600, started_at: datetime | None = None, kind: Kind = Kind.CALL) -> Seen:
    text = started_at.isoformat() if started_at else ""
    return Seen(kind, "wav", round(duration_s * 1_000_000), {}, started_at, text, {})


def entry(**said: Any) -> Entry:
    return Entry.model_validate(said)


# --- times


def test_the_manifests_word_comes_first_then_the_operators_the_containers_the_files() -> None:
    said = entry(started_at="2026-03-01T10:00")
    by_container = seen(started_at=NOW - 5 * HOUR)
    expected = {
        "manifest": (said, "2026-03-01T11:00", by_container),
        "operator": (None, "2026-03-01T11:00", by_container),
        "container": (None, "", by_container),
        "file": (None, "", seen()),
    }
    found = {}
    for basis, (manifest, given_at, looked) in expected.items():
        times = resolve_times(source(), manifest, given_at, looked, NOW)
        assert isinstance(times, Times)
        found[times.basis] = times.started_at
        assert times.basis == basis
        assert times.ended_at - times.started_at == HOUR
    assert found == {
        "manifest": local("2026-03-01 10:00"),
        "operator": local("2026-03-01 11:00"),
        "container": NOW - 5 * HOUR,
        "file": NOW - HOUR,
    }


def test_a_time_without_a_zone_is_the_sources_local_time_and_the_claim_stays_as_written() -> None:
    times = resolve_times(source(zone="Europe/Berlin"), entry(started_at="2026-03-02T10:00"), "", seen(), NOW)
    assert isinstance(times, Times)
    assert times.started_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert times.claimed == "2026-03-02T10:00"


def test_an_end_that_is_stated_wins_over_the_length() -> None:
    said = entry(started_at="2026-03-02T09:00", ended_at="2026-03-02T09:10+09:00")
    times = resolve_times(source(), said, "", seen(), NOW)
    assert isinstance(times, Times)
    assert times.ended_at - times.started_at == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:00+09:00", datetime(2026, 3, 2, 1, tzinfo=UTC)),
        ("2026-03-02T10:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (" 2026-03-02 10:00:00.5 ", datetime(2026, 3, 2, 1, 0, 0, 500_000, tzinfo=UTC)),
        ("20260302T100000", datetime(2026, 3, 2, 1, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 1, 15, tzinfo=UTC)),
    ],
)
def test_times_are_iso_8601(text: str, expected: datetime) -> None:
    assert parse_time(text, "Asia/Tokyo") == expected


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    assert parse_time("2026-10-25T02:30", "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "02/03/2026", "1451649600", "2026-03-02\x0010:00", "0001-01-01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no time"):
        parse_time(text, "Asia/Tokyo")


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert parse_time(text, "Asia/Tokyo").tzinfo is UTC
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("started_at", "ended_at", "is_fault"),
    [
        (NOW - HOUR, NOW, False),
        (NOW, NOW, False),
        (NOW, NOW - timedelta(microseconds=1), True),
        (NOW, NOW + AHEAD, False),
        (NOW, NOW + AHEAD + timedelta(microseconds=1), True),
        (EARLIEST, NOW, False),
        (EARLIEST - timedelta(microseconds=1), NOW, True),
    ],
)
def test_times_that_cannot_be_true_are_faults(
    started_at: datetime, ended_at: datetime, is_fault: bool
) -> None:
    fault = check_times(Times(started_at, ended_at, "", "file"), NOW)
    assert (fault is not None) is is_fault
    assert fault is None or fault.code is Code.BAD_TIME


@pytest.mark.parametrize(
    ("manifest", "looked", "modified_at"),
    [
        (entry(started_at="soon"), seen(), NOW),
        (entry(started_at="2026-03-02T09:00", ended_at="late"), seen(), NOW),
        (None, seen(duration_s=1e13), NOW),
        (None, seen(duration_s=1e11), datetime(1, 1, 2, tzinfo=UTC)),
        (entry(started_at="9999-12-31T23:59Z"), seen(), NOW),
        (None, seen(), None),
    ],
)
def test_times_outside_the_calendar_are_faults_not_crashes(
    manifest: Entry | None, looked: Seen, modified_at: datetime | None
) -> None:
    found = resolve_times(source(), manifest, "", looked, modified_at)
    fault = found if isinstance(found, Fault) else check_times(found, NOW)
    assert fault
    assert fault.code is Code.BAD_TIME


@pytest.mark.parametrize("mtime", [10**17, -(10**17)])
def test_a_files_time_that_is_no_date_is_none(mtime: int) -> None:
    assert modified_at(os.stat_result((0,) * 8 + (mtime, 0))) is None
    assert modified_at(os.stat_result((0,) * 8 + (0, 0))) == datetime(1970, 1, 1, tzinfo=UTC)


# --- classes


def assigned(manifest: Entry | None = None, **particulars: Any) -> tuple[Assigned, ...] | Fault:
    found = admit(SCHEDULE, source(**particulars), manifest, "", seen(started_at=NOW - 2 * HOUR), NOW, NOW)
    return found.assigned if isinstance(found, Admission) else found


def test_a_recording_carries_its_sources_purposes_and_those_its_entry_adds() -> None:
    today = date(2026, 3, 2)
    assert assigned(entry(purposes=["inquiry", "quality"])) == (
        Assigned("inquiry", "calls.inquiry", today),
        Assigned("quality", "calls.quality", today),
    )


def test_a_floor_applies_whether_or_not_anybody_names_it() -> None:
    found = assigned(area="contract-line")
    assert not isinstance(found, Fault)
    assert "calls.contract-line" in {each.class_name for each in found}


def test_an_open_trigger_keeps_its_reference_and_one_that_has_happened_its_day() -> None:
    waiting = assigned(entry(purposes=["dispute"], reference=" case-1 "))
    assert not isinstance(waiting, Fault)
    assert Assigned("dispute", "dispute", None, "case-1") in waiting
    closed = assigned(entry(purposes=["dispute"], reference="case-1", events={"case-closed": "2026-02-01"}))
    assert not isinstance(closed, Fault)
    assert Assigned("dispute", "dispute", date(2026, 2, 1), "") in closed


@pytest.mark.parametrize(
    ("manifest", "particulars", "code"),
    [
        (entry(purposes=["marketing"]), {}, Code.UNKNOWN_PURPOSE),
        (entry(purposes=["security"]), {}, Code.NO_CLASS),
        (None, {"purposes": ("security",)}, Code.NO_CLASS),
        (None, {"kind": Kind.FOOTAGE, "purposes": ("security",)}, Code.WRONG_KIND),
    ],
)
def test_what_no_class_keeps_is_a_fault(
    manifest: Entry | None, particulars: dict[str, Any], code: Code
) -> None:
    found = assigned(manifest, **particulars)
    assert isinstance(found, Fault)
    assert found.code is code


# --- people


@pytest.mark.parametrize("tag", ["do-not-record", "DO-NOT-RECORD", " Opt-Out "])
def test_a_tag_that_says_so_refuses_the_recording(tag: str) -> None:
    assert must_not_be_recorded(SCHEDULE, entry(tags=["vip", tag]))


def test_no_other_tag_does() -> None:
    assert not must_not_be_recorded(SCHEDULE, entry(tags=["vip", "record"]))
    assert not must_not_be_recorded(SCHEDULE, None)


def test_every_identifier_of_every_participant_is_found_once() -> None:
    people = [{"phone": "03-5550-0143", "customer_id": "C1"}, {"phone": "+81355500143"}, {"phone": "非通知"}]
    found = identifiers_of(entry(participants=people), "JP")
    assert not isinstance(found, Fault)
    assert [(each.kind, each.value) for each in found] == [("phone", "+81355500143"), ("customer", "C1")]


def identified(**said: Any) -> list[tuple[str, str]]:
    found = identifiers_of(entry(**said), "JP")
    assert not isinstance(found, Fault)
    return [(each.kind, each.value) for each in found]


def test_an_agent_is_found_by_every_name_of_theirs_and_a_caller_by_none() -> None:
    agent = {"side": "agent", "agent_id": "A17", "name": "係 一郎", "login": "Kakari", "extension": 1001}
    caller = {"side": "caller", "name": "髙橋 花子", "agent_id": "A99", "login": "hanako"}
    assert identified(participants=[agent, caller]) == [
        ("call-agent", each) for each in ("a17", "kakari", "1001", "係一郎")
    ]


@pytest.mark.parametrize("side", ["agent", "Agent", "AGENT ", "operator", "オペレーター", "ｵﾍﾟﾚｰﾀｰ"])
def test_the_agents_side_is_known_by_the_words_of_recorders(side: str) -> None:
    assert identified(participants=[{"side": side, "id": "A17"}]) == [("call-agent", "a17")]


@pytest.mark.parametrize("odd", [None, True, {"first": "I"}, ["A17"], "", "unknown"])
def test_an_agent_of_whom_nothing_legible_is_said_is_no_fault_and_not_found(odd: object) -> None:
    assert identified(participants=[{"side": "agent", "login": odd}]) == []


def test_an_agents_number_and_the_recorders_own_id_are_found_too() -> None:
    people = [{"side": "agent", "phone": "1001", "name": "1001"}]
    assert identified(native_id=1774069500.49, participants=people) == [
        ("native", "1774069500.49"),
        ("phone", "1001"),
        ("call-agent", "1001"),
    ]


def test_a_fault_about_a_person_does_not_repeat_what_was_written() -> None:
    found = identifiers_of(entry(participants=[{"phone": "Hanako Sato"}]), "JP")
    assert isinstance(found, Fault)
    assert found.code is Code.BAD_IDENTIFIER
    assert "Hanako" not in found.reason
