"""The one door to content: every opening through a reason that is alive, and on record before the first byte."""

from datetime import date, timedelta

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.kernel.errors import FixityMismatch, KeyMissing, NotFound, NotPermitted, RetentionError
from retention.vault.door import Way
from retention.vault.envelope import SealedReader
from retention.vault.model import ObjectName, object_name
from tests.builders.house import ACTOR, House, local
from tests.builders.night import on_first

DAY = timedelta(days=1)


@pytest.fixture
def call(house: House) -> str:
    """A call that may be used for quality and for an inquiry."""
    house.add_source(purposes=["quality", "inquiry"])
    return house.take_in()


def refused(house: House, recording: str, match: str, purpose: str = "quality", **who: str) -> str:
    """Be refused for a reason, and find the refusal, and no opening, on record; the hint."""
    before = len(house.audit())
    with pytest.raises(NotPermitted, match=match) as caught:
        house.open(recording, purpose, **who)
    (entry,) = house.audit()[before:]
    assert (entry.tag, entry.subject) == (Tag.OPENING_REFUSED, recording)
    assert entry.detail["why"] in caught.value.message
    assert entry.actor == (who.get("actor", ACTOR) or "nobody")
    return caught.value.hint


# --- who may


def test_what_goes_in_comes_out_for_a_purpose_it_carries(house: House, call: str) -> None:
    for purpose in ("quality", "inquiry"):
        assert house.open(call, purpose).startswith(b"call 60")
        entry = house.audit(Tag.OPENED)[-1]
        assert (entry.actor, entry.subject, entry.purpose) == (ACTOR, call, purpose)
        assert entry.detail == {"role": "original"}


def test_a_derivative_goes_through_the_same_door(house: House, call: str) -> None:
    assert house.open(call, "quality", role="peaks") == b"peaks of the call"
    assert house.audit(Tag.OPENED)[-1].detail == {"role": "peaks"}
    with pytest.raises(NotFound, match="no thumbnail"):
        house.open(call, "quality", role="thumbnail")


def test_a_purpose_that_it_does_not_carry_is_refused_and_told_which_it_does(house: House, call: str) -> None:
    hint = refused(house, call, "does not carry the purpose 'marketing'", "marketing")
    assert "inquiry, quality" in hint


def test_a_purpose_of_the_policy_that_this_recording_does_not_carry_is_refused(
    house: House, call: str
) -> None:
    refused(house, call, "does not carry the purpose 'archive'", "archive")


def test_without_a_purpose_nothing_is_opened(house: House, call: str) -> None:
    assert "--purpose" in refused(house, call, "no purpose of use is named", "")


def test_nobody_opens_nothing(house: House, call: str) -> None:
    assert "--as" in refused(house, call, "nobody is named", actor="")


def test_what_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match="no recording"):
        house.open("01M830MZXAGYEW048JPZB8DVN5", "quality")


# --- until when


def test_a_purpose_ends_with_its_day_even_if_no_night_has_come(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    house.clock.set(local("2026-03-12T23:59:59"))
    assert house.open(recording, "quality")
    house.clock.set(local("2026-03-13T00:00"))
    refused(house, recording, "has expired on 2026-03-13")


def test_one_purpose_ends_and_the_other_still_opens(house: House, call: str) -> None:
    house.clock.move(days=11)
    house.night()
    refused(house, call, "'quality' has expired on 2026-03-13")
    assert house.open(call, "inquiry")


def test_a_day_ends_where_the_recording_was_made(house: House) -> None:
    house.add_source(zone="America/New_York", site="new-york")
    recording = house.take_in(ended_at=local("2026-03-02T12:00", "America/New_York"))
    house.clock.set(local("2026-03-13T09:00"))
    assert house.open(recording, "quality")
    house.clock.set(local("2026-03-13T00:00", "America/New_York"))
    refused(house, recording, "has expired")


def test_what_waits_for_an_event_opens_until_the_event_has_come_and_its_time_is_up(house: House) -> None:
    house.add_source(purposes=["dispute"])
    recording = house.take_in(reference="case-7")
    house.clock.move(days=400)
    assert house.open(recording, "dispute")
    house.trigger("case-closed", "case-7", date(2026, 3, 2))
    refused(house, recording, "has expired", "dispute")


@pytest.mark.parametrize("state", [State.DISPOSING, State.DISPOSED])
def test_what_is_going_or_gone_is_refused(house: House, state: State) -> None:
    house.add_source()
    recording = house.take_in()
    house.clock.move(days=11)
    if state is State.DISPOSING:
        vars(house.memory_store)["erase_many"] = lambda names: dict.fromkeys(names, "no")
    house.night()
    refused(house, recording, f"it is {state}")


def test_a_destroyed_key_opens_nothing_whatever_the_catalogue_says(house: House, call: str) -> None:
    """A catalogue that was put back by hand has the wraps; the key is gone."""
    keys = {reason.purpose: reason.key_id for reason in house.find(call).reasons}
    house.memory_keys.destroy([keys["quality"]])
    with pytest.raises(KeyMissing, match=keys["quality"]):
        house.open(call, "quality")
    assert house.open(call, "inquiry"), "each way goes through its own key"


# --- holds


def test_a_hold_opens_what_it_holds_and_nothing_else(house: House, call: str) -> None:
    other = house.take_in()
    hold = house.place(call).hold
    assert house.open(call, hold_id=hold.id)
    assert house.audit(Tag.OPENED)[-1].purpose == f"hold:{hold.id}"
    refused(house, other, f"not under hold {hold.id}", "", hold_id=hold.id)


def test_use_that_is_suspended_is_refused_but_not_to_the_hold_that_suspends_it(
    house: House, call: str
) -> None:
    hold = house.place(call, suspends_use=True).hold
    assert "hold list" in refused(house, call, "its use is suspended")
    assert house.open(call, hold_id=hold.id)


def test_the_key_of_another_hold_is_no_way_in(house: House, call: str) -> None:
    """Whoever says `hold` names one, and goes through its key."""
    hold = house.place(call).hold
    with pytest.raises(KeyMissing):
        house.app.door.open(
            house.app.schedule(), call, Way(hold_id=hold.id, hold_key_id="0" * 16), ACTOR, house.clock.now()
        )


# --- on record first, and verified bytes only


def test_an_opening_is_on_record_before_a_key_is_touched_or_a_byte_is_read(house: House, call: str) -> None:
    seen: list[tuple[str, str]] = []

    def look(what: str) -> None:
        seen.append((what, house.audit()[-1].tag))

    house.memory_keys.before = on_first("unwrap", lambda: look("key"))
    house.memory_store.before = on_first("size_of", lambda: look("byte"))
    house.open(call, "quality")
    assert seen == [("key", Tag.OPENED), ("byte", Tag.OPENED)]


def test_an_opening_that_cannot_be_put_on_record_does_not_happen(sqlite_house: House) -> None:
    sqlite_house.add_source()
    recording = sqlite_house.take_in()
    touched: list[str] = []
    sqlite_house.memory_keys.before = touched.append
    sqlite_house.sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    with pytest.raises(Exception, match="the disk is full"):
        sqlite_house.open(recording, "quality")
    assert touched == []


def large(house: House) -> tuple[str, ObjectName]:
    """A call of several segments, and the name of its object."""
    house.add_source()
    path = house.write("large.rec", b"call 60 2026-03-02T00:00:00+00:00\n" + bytes(300_000))
    (outcome,) = house.ingest(path)
    return str(outcome.id), object_name(str(outcome.id), "original")


def reader_of(house: House, recording: str) -> SealedReader:
    return house.app.door.open(
        house.app.schedule(), recording, Way("quality"), ACTOR, house.clock.now(), "original"
    )


def test_bytes_that_were_changed_in_the_middle_are_not_released(sqlite_house: House) -> None:
    recording, name = large(sqlite_house)
    content = bytearray(sqlite_house.memory_store.objects[name])
    content[150_000] ^= 1
    sqlite_house.memory_store.objects[name] = bytes(content)
    released: list[bytes] = []
    reader = reader_of(sqlite_house, recording)
    with pytest.raises(FixityMismatch):
        released.extend(reader.chunks())
    whole = b"call 60 2026-03-02T00:00:00+00:00\n" + bytes(300_000)
    assert whole.startswith(b"".join(released))
    assert sum(map(len, released)) < 150_000


@pytest.mark.parametrize("change", ["cut", "longer", "another's"])
def test_an_object_that_is_not_the_one_that_was_sealed_is_refused_at_once(
    sqlite_house: House, change: str
) -> None:
    recording, name = large(sqlite_house)
    objects = sqlite_house.memory_store.objects
    other = sqlite_house.take_in()
    objects[name] = {
        "cut": objects[name][:-70_000],
        "longer": objects[name] + bytes(100),
        "another's": objects[object_name(other, "original")],
    }[change]
    with pytest.raises(FixityMismatch):
        reader_of(sqlite_house, recording)


def test_bytes_that_are_gone_are_not_found(sqlite_house: House) -> None:
    recording, name = large(sqlite_house)
    del sqlite_house.memory_store.objects[name]
    with pytest.raises(RetentionError, match="holds no"):
        reader_of(sqlite_house, recording)


def test_nothing_is_destroyed_through_the_door_while_a_hold_keeps_it(house: House, call: str) -> None:
    """Even where the hold came after the plan was made."""
    house.place(call)
    with pytest.raises(NotPermitted, match="under a hold"):
        house.app.door.open(house.app.schedule(), call, Way(destruction="d"), ACTOR, house.clock.now())


def test_particulars_that_nobody_gave_are_none_and_changed_ones_are_not_released(
    house: House, call: str
) -> None:
    def particulars(recording: str) -> bytes:
        return house.app.door.particulars(
            house.app.schedule(), recording, Way("quality"), ACTOR, house.clock.now()
        )

    assert b"native-1" in particulars(call)
    house.sql(f"UPDATE recording SET personal = sha256 WHERE id = '{call}'")
    with pytest.raises(FixityMismatch, match="particulars"):
        particulars(call)
    house.sql(f"UPDATE recording SET personal = NULL WHERE id = '{call}'")
    with pytest.raises(NotFound, match="nothing was said"):
        particulars(call)
