"""A run: row first, key second, bytes third; what it leaves, and what it goes on with after a failure."""

from datetime import timedelta

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.disposal import carry_out
from retention.disposal.model import RunKind, RunState
from retention.disposal.night import resume, run_disposal, unfinished
from retention.kernel.errors import (
    DatabaseBusy,
    InvalidInput,
    KeyServiceUnavailable,
    NotPermitted,
    StoreUnavailable,
)
from retention.vault.model import object_name
from tests.builders.house import ACTOR, CALLER, SECOND, House
from tests.builders.night import fails, journal, on_first, what_a_night_could_change

DAY = timedelta(days=1)


def overdue(house: House, count: int = 1) -> list[str]:
    """Calls whose time has come."""
    house.add_source()
    found = [house.take_in(phone=CALLER) for _ in range(count)]
    house.clock.move(days=11)
    return found


def states(house: House, recordings: list[str]) -> list[State]:
    return [house.find(each).state for each in recordings]


# --- which night


def test_a_date_in_the_future_is_refused_and_changes_nothing(house: House) -> None:
    overdue(house)
    before = what_a_night_could_change(house)
    with pytest.raises(InvalidInput, match="lies in the future"):
        house.dispose(house.app.today() + DAY)
    assert what_a_night_could_change(house) == before
    assert house.rows("SELECT id FROM disposal_run") == []


def test_a_date_that_has_passed_takes_what_was_due_then_and_no_more(house: House) -> None:
    (first,) = overdue(house)
    house.clock.move(days=-1)
    second = house.take_in(ended_at=house.clock.now() - 9 * DAY)
    house.clock.move(days=5)
    house.dispose(house.app.today() - 4 * DAY)
    assert states(house, [first, second]) == [State.DISPOSED, State.SEALED]
    house.dispose()
    assert states(house, [second]) == [State.DISPOSED]


def test_a_night_that_is_done_is_returned_as_it_is(house: House) -> None:
    overdue(house)
    first, before = house.night(), len(house.audit())
    house.take_in(ended_at=house.clock.now() - 20 * DAY)
    taken_in = len(house.audit())
    assert taken_in > before
    again = house.night()
    assert (again.id, again.disposed, again.certificate) == (first.id, 1, first.certificate)
    assert len(house.audit()) == taken_in


def test_a_run_by_hand_is_a_run_of_its_own_on_any_day(house: House) -> None:
    overdue(house)
    night = house.night()
    late = house.take_in(ended_at=house.clock.now() - 20 * DAY)
    first, second = house.dispose(), house.dispose()
    assert len({night.id, first.id, second.id}) == 3
    assert [(run.kind, run.attempt, run.disposed) for run in (night, first, second)] == [
        (RunKind.NIGHT, 0, 1),
        (RunKind.MANUAL, 0, 1),
        (RunKind.MANUAL, 1, 0),
    ]
    assert states(house, [late]) == [State.DISPOSED]


def test_a_night_with_nothing_to_do_is_done_and_certifies_nothing(house: House) -> None:
    house.add_source()
    house.take_in()
    run = house.night()
    assert (run.state, run.disposed, run.failed, run.certificate) == (RunState.DONE, 0, 0, "")
    assert [entry["run"] for entry in journal(house, "run-done")] == [run.id]


def test_two_processes_do_not_dispose_at_once(house: House) -> None:
    (recording,) = overdue(house)
    with house.app.database.exclusive("disposal"):
        with pytest.raises(DatabaseBusy, match="busy with disposal"):
            house.night()
        with pytest.raises(DatabaseBusy, match="busy with disposal"):
            resume(house.app.disposal_tools(), ACTOR)
    assert states(house, [recording]) == [State.SEALED]
    assert house.night().disposed == 1


# --- in which order


def test_rows_first_keys_second_bytes_third(house: House) -> None:
    (recording,) = overdue(house)
    (key_id,) = [reason.key_id for reason in house.find(recording).reasons]
    steps: list[str] = []

    def keys_go() -> None:
        (cohort,) = house.rows("SELECT state FROM cohort")
        steps.append(f"key: cohort {cohort.state}, run {house.find(recording).run_id is not None}")
        steps.append(f"journal: {[entry['kind'] for entry in journal(house)][-2:]}")
        assert house.objects_of(recording)

    def bytes_go() -> None:
        (cohort,) = house.rows("SELECT state FROM cohort")
        steps.append(f"bytes: cohort {cohort.state}, recording {house.find(recording).state}")
        assert key_id not in house.memory_keys.keys

    house.memory_keys.before = on_first("destroy", keys_go)
    house.memory_store.before = on_first("erase_many", bytes_go)
    run = house.night()
    assert steps == [
        "key: cohort expiring, run True",
        "journal: ['cohorts-expired', 'keys-destroyed']",
        "bytes: cohort expired, recording disposing",
    ]
    tags = [entry.tag for entry in house.audit() if entry.subject in {run.id, recording}]
    assert tags[-4:] == [
        Tag.DISPOSAL_STARTED,
        Tag.KEYS_DESTROYED,
        Tag.RECORDING_DISPOSED,
        Tag.DISPOSAL_FINISHED,
    ]
    assert [entry["kind"] for entry in journal(house)][-1] == "run-certified"


def test_from_its_first_step_on_nobody_opens_or_holds_what_goes(house: House) -> None:
    (recording,) = overdue(house)
    too_late: list[tuple[str, ...]] = []

    def somebody_comes() -> None:
        with pytest.raises(NotPermitted, match="it is disposing"):
            house.open(recording, "quality")
        too_late.append(house.place(recording).too_late)

    house.memory_keys.before = on_first("destroy", somebody_comes)
    assert house.night().disposed == 1
    assert too_late == [(recording,)]


def test_a_hold_placed_a_moment_before_the_run_begins_wins(house: House) -> None:
    (recording,) = overdue(house)
    content = house.memory_store.objects[object_name(recording, "original")]
    placed = house.place(recording)
    run = house.night()
    assert (run.disposed, run.held) == (0, 1)
    assert house.open(recording, hold_id=placed.hold.id)
    assert house.memory_store.objects[object_name(recording, "original")] == content


# --- what is left


def test_nothing_is_left_of_a_recording_but_its_bare_row_and_its_tombstone(house: House) -> None:
    (recording,) = overdue(house)
    key_id = house.find(recording).reasons[0].key_id
    run = house.night()
    assert (run.state, run.disposed, run.failed, run.size_bytes > 0) == (RunState.DONE, 1, 0, True)
    assert house.objects_of(recording) == []
    assert key_id not in house.memory_keys.keys
    for table in ("object", "wrap", "identifier", "hold_match"):
        assert house.rows(f"SELECT * FROM {table} WHERE recording_id = '{recording}'") == []
    (row,) = house.rows("SELECT state, lot_id, personal, facts, claimed_start FROM recording")
    assert (row.state, row.lot_id, row.personal, row.claimed_start) == ("disposed", None, None, "")
    assert str(row.facts) == "{}"
    (tombstone,) = house.rows("SELECT recording_id, run_id, position FROM tombstone")
    assert tuple(tombstone) == (recording, run.id, 0)
    assert CALLER not in house.rows("SELECT leaf FROM tombstone")[0].leaf
    assert house.lot_counts() == house.recount() == {}


def test_a_recording_that_goes_takes_its_derivatives_with_it(house: House) -> None:
    house.add_camera()
    film = house.film()
    assert len(house.objects_of(film)) == 2
    house.clock.move(days=6)
    assert house.night().disposed == 1
    assert house.objects_of(film) == []


def test_it_goes_on_in_batches_and_tells_how_far_it_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_out, "BATCH", 2)
    recordings = overdue(house, 5)
    told: list[int] = []
    run = run_disposal(house.app.disposal_tools(), house.app.today(), ACTOR, progress=told.append)
    assert (run.disposed, told) == (5, [2, 4, 5])
    assert set(states(house, recordings)) == {State.DISPOSED}
    rows = house.rows("SELECT position FROM tombstone ORDER BY position")
    assert [row.position for row in rows] == [0, 1, 2, 3, 4]


# --- when something does not do as it should


def keep(house: House, *recordings: str) -> None:
    """The store refuses to erase these, whoever asks."""
    house.memory_store.held.update(object_name(each, "original") for each in recordings)
    vars(house.memory_store)["protect"] = lambda _names, held: held


def let_go(house: House) -> None:
    house.memory_store.held.clear()


def test_what_the_store_refuses_to_erase_is_left_unreadable_and_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_out, "BATCH", 2)
    recordings = overdue(house, 5)
    stuck = recordings[1]
    keep(house, stuck)
    run = house.night()
    assert (run.state, run.disposed, run.failed) == (RunState.INCOMPLETE, 4, 1)
    assert states(house, [stuck]) == [State.DISPOSING]
    assert house.objects_of(stuck)
    assert not house.memory_keys.keys
    with pytest.raises(NotPermitted, match="it is disposing"):
        house.open(stuck, "quality")
    let_go(house)
    (again,) = resume(house.app.disposal_tools(), SECOND)
    assert (again.id, again.state, again.disposed, again.failed) == (run.id, RunState.DONE, 5, 0)
    assert again.certificate != run.certificate
    assert states(house, [stuck]) == [State.DISPOSED]
    assert house.objects_of(stuck) == []
    assert resume(house.app.disposal_tools(), SECOND) == []


def test_one_object_that_stays_does_not_hold_up_the_nights_that_follow(house: House) -> None:
    (stuck,) = overdue(house)
    keep(house, stuck)
    first = house.night()
    house.clock.move(days=1)
    going = house.take_in(ended_at=house.clock.now() - 20 * DAY)
    second = house.night()
    assert (second.state, second.disposed) == (RunState.DONE, 1)
    assert states(house, [stuck, going]) == [State.DISPOSING, State.DISPOSED]
    assert unfinished(house.app.disposal_tools()) == [first.id]
    let_go(house)
    house.clock.move(days=1)
    house.night()
    assert states(house, [stuck]) == [State.DISPOSED]
    assert unfinished(house.app.disposal_tools()) == []


def test_a_store_that_says_erased_and_has_it_still_is_not_believed(house: House) -> None:
    (recording,) = overdue(house)
    vars(house.memory_store)["erase_many"] = lambda _names: {}
    run = house.night()
    assert (run.state, run.disposed, run.failed, run.certificate) == (RunState.INCOMPLETE, 0, 1, "")
    assert states(house, [recording]) == [State.DISPOSING]
    del vars(house.memory_store)["erase_many"]
    assert [each.disposed for each in resume(house.app.disposal_tools(), ACTOR)] == [1]


def test_a_lock_that_a_crash_left_on_the_store_is_taken_off(house: House) -> None:
    """The catalogue, asked under the writer's lock, knows of no hold: it decides, not the store."""
    (recording,) = overdue(house)
    house.memory_store.held.add(object_name(recording, "original"))
    assert house.night().disposed == 1
    assert house.objects_of(recording) == []


def test_a_store_that_goes_away_half_way_leaves_a_run_that_is_finished_later(house: House) -> None:
    recordings = overdue(house, 2)
    vars(house.memory_store)["before"] = fails(StoreUnavailable("no answer"), "erase_many")
    run = house.night()
    assert (run.state, run.disposed, run.failed) == (RunState.INCOMPLETE, 0, 2)
    assert not house.memory_keys.keys
    with pytest.raises(StoreUnavailable, match="no answer"):
        house.memory_store.erase_many([object_name(recordings[0], "original")])
    house.memory_store.before = lambda *_: None
    house.clock.move(days=1)
    house.night()
    assert set(states(house, recordings)) == {State.DISPOSED}


def test_no_run_begins_without_its_store(house: House) -> None:
    (recording,) = overdue(house)
    vars(house.memory_store)["before"] = fails(StoreUnavailable("no answer"), "store_id")
    with pytest.raises(StoreUnavailable, match="no answer"):
        house.night()
    assert house.rows("SELECT id FROM disposal_run") == []
    assert states(house, [recording]) == [State.SEALED]


def test_a_key_service_that_goes_away_leaves_a_run_that_comes_first_the_next_time(house: House) -> None:
    (recording,) = overdue(house)
    vars(house.memory_keys)["before"] = fails(KeyServiceUnavailable("no answer"), "destroy")
    with pytest.raises(KeyServiceUnavailable, match="no answer"):
        house.night()
    (begun,) = unfinished(house.app.disposal_tools())
    assert house.objects_of(recording)
    assert house.place(recording).too_late == (recording,)
    house.memory_keys.before = lambda _: None
    run = house.dispose()
    assert run.id != begun
    rows = house.rows("SELECT id, state, disposed FROM disposal_run ORDER BY id")
    assert [tuple(row) for row in rows] == [(begun, "done", 1), (run.id, "done", 0)]
