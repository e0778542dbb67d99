"""What must not be recorded, and what was rejected: disposed of at once, with a certificate, and never in anyone's way."""

import pytest

from retention.catalogue.states import State
from retention.disposal.model import RunKind, RunState
from retention.ingest.model import Status
from retention.kernel.errors import KeyServiceUnavailable, NotPermitted
from tests.builders.house import CALLER, House
from tests.builders.night import fails


def refuse(house: House) -> str:
    """A call of somebody who is not to be recorded."""
    house.do_not_record(CALLER)
    sidecar = {"started_at": "2026-03-02T00:00:00Z", "participants": [{"side": "caller", "phone": CALLER}]}
    (outcome,) = house.ingest(house.write("refused.rec", sidecar=sidecar))
    assert (outcome.status, outcome.id is not None) == (Status.DISPOSED, True)
    return str(outcome.id)


def test_who_is_not_to_be_recorded_is_disposed_of_at_once_with_a_certificate(house: House) -> None:
    house.add_source()
    recording = refuse(house)
    assert house.find(recording).state is State.DISPOSED
    assert house.objects_of(recording) == []
    (run,) = house.rows("SELECT kind, state, disposed, certificate FROM disposal_run")
    assert (run.kind, run.state, run.disposed) == ("refused", "done", 1)
    assert run.certificate
    (tombstone,) = house.rows("SELECT leaf FROM tombstone")
    assert '"why":"do not record"' in tombstone.leaf


def test_what_is_rejected_from_quarantine_goes_at_once_with_its_own_key(house: House) -> None:
    (item,) = house.ingest(house.write("noise", b"noise"))
    keys = set(house.memory_keys.keys)
    run = house.reject(str(item.id))
    assert run
    assert (run.kind, run.state, run.disposed) == (RunKind.REFUSED, RunState.DONE, 1)
    assert not keys & set(house.memory_keys.keys)
    assert house.memory_store.objects == {}


def test_taking_in_does_not_stop_for_a_night_and_the_night_takes_what_was_refused(house: House) -> None:
    house.add_source()
    with house.app.database.exclusive("disposal"):
        recording = refuse(house)
    assert house.find(recording).state is State.DISPOSING
    with pytest.raises(NotPermitted, match="it is disposing"):
        house.open(recording, "quality")
    house.night()
    assert house.find(recording).state is State.DISPOSED
    assert house.objects_of(recording) == []


def test_no_guard_stands_between_a_person_who_refuses_and_her_disposal(house: House) -> None:
    """Guards watch what a clock or a schedule lets go. What a person refused goes whatever they say."""
    house.add_source()
    house.memory_store._id = "another"
    recording = refuse(house)
    assert house.find(recording).state is State.DISPOSED


def test_a_refusal_that_was_interrupted_is_finished_by_the_next_without_waiting_for_the_night(
    house: House,
) -> None:
    first, second = (
        str(each.id) for each in house.ingest(*(house.write(n, n.encode()) for n in ("hiss", "hum")))
    )
    vars(house.memory_keys)["before"] = fails(KeyServiceUnavailable("no answer"), "destroy")
    with pytest.raises(KeyServiceUnavailable, match="no answer"):
        house.reject(first)
    house.memory_keys.before = lambda _: None
    assert house.reject(second)
    assert [row.state for row in house.rows("SELECT state FROM disposal_run")] == ["done", "done"]
    assert house.memory_store.objects == {}
