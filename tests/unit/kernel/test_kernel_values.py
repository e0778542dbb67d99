"""Canonical bytes, identifiers, errors: the words that every room uses."""

import inspect
import json
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from retention.kernel import errors
from retention.kernel.canonical import canonical_json, digest_of, isoformat
from retention.kernel.clock import SystemClock, local_date
from retention.kernel.ids import is_id, new_id, new_key_id
from tests.fakes.hand_clock import HandClock

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_bytes_say_the_same_value_again(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_in_which_keys_were_put_in_makes_no_difference(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(turned) == canonical_json(value)
    assert digest_of(turned) == digest_of(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ({"名": "受付"}, '{"名":"受付"}'.encode()),
        (date(2026, 3, 2), b'"2026-03-02"'),
        (datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Asia/Tokyo")), b'"2026-03-02T01:00:00.000000Z"'),
    ],
)
def test_values_have_one_written_form(value: object, expected: bytes) -> None:
    assert canonical_json(value) == expected


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object()])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json({"value": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


@given(st.timedeltas(timedelta(0), timedelta(days=40_000)), st.timezones())
def test_one_instant_has_one_text_in_whatever_zone_it_is_said(passed: timedelta, zone: ZoneInfo) -> None:
    at = (datetime(1990, 1, 1, tzinfo=UTC) + passed).astimezone(zone)
    assert isoformat(at) == isoformat(at.astimezone(UTC))
    assert datetime.fromisoformat(isoformat(at)) == at


def test_identifiers_are_in_the_order_of_their_instants_and_never_the_same() -> None:
    clock = HandClock()
    made = []
    for _ in range(50):
        made.append(new_id(clock.now()))
        clock.move(seconds=0.001)
    assert made == sorted(made)
    assert all(map(is_id, made))
    assert len({new_id(clock.now()) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "text",
    ["", "01JPSA0000000000000000000", "01jpsa0000000000000000000c", "81JPSA0000000000000000000C", "x" * 26],
)
def test_what_has_not_the_form_of_an_identifier_is_told(text: str) -> None:
    assert not is_id(text)


def test_a_keys_name_is_hex_without_meaning() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", new_key_id())
    assert new_key_id() != new_key_id()


def test_the_date_is_that_of_the_place() -> None:
    at = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    assert local_date(at, "Asia/Tokyo") == date(2026, 3, 2)
    assert local_date(at, "America/New_York") == date(2026, 3, 1)


def test_the_machines_clock_tells_aware_time_in_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


# --- errors

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.RetentionError) and found is not errors.RetentionError
]
TENS = {errors.RequestError: 10, errors.DependencyError: 20, errors.IntegrityError: 30, errors.MediaError: 40}


def test_every_error_has_an_exit_code_of_its_own_in_the_ten_of_its_family() -> None:
    codes = [found.exit_code for found in CLASSES]
    assert len(set(codes)) == len(codes)
    for found in CLASSES:
        family = next(base for base in TENS if issubclass(found, base))
        assert TENS[family] <= found.exit_code < TENS[family] + 10


@pytest.mark.parametrize("found", CLASSES)
def test_every_error_says_something_without_being_told_what(found: type[errors.RetentionError]) -> None:
    assert str(found()) == found().message
    assert found().message.endswith(".")
    assert found("this happened").message == "this happened"
    assert found("x", hint="do that").hint == "do that"


def test_an_error_has_a_stable_word_for_machines() -> None:
    assert errors.HoldInForce().code == "hold-in-force"
    assert errors.NotFound().code == "not-found"


def test_the_tree_at_the_top_of_the_file_is_the_tree_there_is() -> None:
    drawn = dict(re.findall(r"[├└] (\w+) +(\d\d)$", errors.__doc__ or "", re.MULTILINE))
    leaves = {found.__name__: str(found.exit_code) for found in CLASSES if found not in TENS}
    assert {name: drawn.get(name) for name in leaves} == leaves


# --- the tests' own clock keeps the contract


def test_a_clock_that_is_set_back_does_not_take_the_monotonic_clock_with_it() -> None:
    clock = HandClock()
    clock.move(hours=1)
    before = clock.monotonic()
    clock.set(datetime(2020, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")))
    assert clock.now() == datetime(2019, 12, 31, 15, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() == before


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_an_identifier_tells_its_instant_to_the_millisecond_in_whatever_zone_it_was_said(
    at: datetime,
) -> None:
    found = ULID.from_str(new_id(at)).datetime
    assert abs(found - at) < timedelta(milliseconds=1)
