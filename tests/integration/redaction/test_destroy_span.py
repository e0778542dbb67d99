"""A span that may not be kept goes from the original, and nothing of it is left: not here, not in a backup."""

import pytest

from retention.disposal.model import RunKind
from retention.disposal.start import start_run
from retention.kernel.errors import (
    DatabaseBusy,
    HoldInForce,
    IllegalTransition,
    InvalidInput,
    KeyMissing,
    NotFound,
    NotPermitted,
    StaleApproval,
    StoreUnavailable,
    ToolFailed,
)
from retention.redaction.destroy import LOCK, destroy, finish
from retention.redaction.model import check_inside
from retention.redaction.plan import approve, destructions
from retention.redaction.tables import DestructionRow
from retention.vault.fixity import Level
from retention.vault.model import object_name
from retention.vault.note import open_note
from retention.vault.reasons import data_keys
from tests.builders.custody import back_up, look, restore
from tests.builders.house import ACTOR, SECOND, House

SILENT = b"silent: 1-2@1"


@pytest.fixture
def call(house: House) -> str:
    """A call of a minute, on each database."""
    house.add_source()
    return house.take_in(customer_id="C-1")


def key_of(house: House, recording_id: str) -> bytes:
    with house.app.database.read() as session:
        ((_, key),) = data_keys(session, house.app.keys, [recording_id])
    return key


def approved(house: House, row: DestructionRow, actor: str = SECOND) -> None:
    with house.app.database.write() as session:
        approve(session, row.digest, house.clock.now(), actor)


def carry_out(house: House, row: DestructionRow) -> DestructionRow:
    return destroy(house.app.redaction_tools(), house.app.redaction_means(), row.digest, ACTOR)


def untouched(house: House, recording_id: str, before: bytes) -> bool:
    """The old version, and not one byte or row of a new one."""
    names = {object_name(recording_id, role) for role in ("original", "peaks")}
    return house.open(recording_id, "quality") == before and set(house.objects_of(recording_id)) == names


# --- what it does


def test_the_recording_opens_to_what_is_left_of_it(house: House, call: str) -> None:
    assert b"content" in house.open(call, "quality")
    house.destroy_span(call)
    assert house.open(call, "quality").endswith(SILENT)


def test_no_object_of_the_old_version_is_left(house: House, call: str) -> None:
    house.destroy_span(call)
    assert set(house.objects_of(call)) == {object_name(call, role, 2) for role in ("original", "peaks")}
    assert look(house, Level.DIGEST).ok


def test_the_old_data_key_stands_nowhere_any_more(house: House, call: str) -> None:
    old = key_of(house, call)
    wraps = house.rows("SELECT key_id, wrapped FROM wrap WHERE recording_id = :id", id=call)
    house.destroy_span(call)
    now = house.rows("SELECT key_id, wrapped FROM wrap WHERE recording_id = :id", id=call)
    assert not {row.key_id for row in now} & {row.key_id for row in wraps}
    assert not {row.wrapped for row in now} & {row.wrapped for row in wraps}
    assert key_of(house, call) != old


def test_no_wrap_that_a_backup_kept_opens_the_old_version(house: House, call: str) -> None:
    other = house.take_in()
    wraps = house.rows("SELECT key_id, wrapped FROM wrap WHERE recording_id = :id", id=call)
    house.destroy_span(call)
    for row in wraps:
        with pytest.raises(KeyMissing):
            house.app.keys.unwrap(row.key_id, bytes(row.wrapped), call.encode())
    assert house.open(other, "quality")


def test_what_the_source_said_of_it_is_kept_under_the_new_key(house: House, call: str) -> None:
    (before,) = house.rows("SELECT personal FROM recording")
    said = open_note(key_of(house, call), call, before.personal)
    house.destroy_span(call)
    (after,) = house.rows("SELECT personal FROM recording")
    assert open_note(key_of(house, call), call, after.personal) == said


def test_its_sound_may_be_destroyed_again_and_again(house: House, call: str) -> None:
    house.destroy_span(call)
    row = house.destroy_span(call, "5-6@0")
    assert row.version == 3
    assert house.open(call, "quality").endswith(b"5-6@0")
    assert look(house, Level.DIGEST).ok


def test_the_trail_says_who_when_where_and_never_what(house: House, call: str) -> None:
    before = house.open(call, "quality")
    row = house.destroy_span(call)
    tags = ("vault:recording:open", "redaction:span:plan", "redaction:span:destroy", "redaction:span:finish")
    _, planned, opened, done, finished = house.audit(*tags)
    assert {each.subject for each in (planned, opened, done, finished)} == {call}
    assert opened.purpose == f"destruction:{row.digest}"
    assert done.actor == ACTOR
    assert done.detail["spans"] == ["1-2@1"]
    assert done.detail["old_sha256"] == row.old_sha256.hex() != done.detail["sha256"]
    assert row.old_size_bytes == len(before)
    assert house.verify().ok


def test_the_same_line_again_changes_nothing(house: House, call: str) -> None:
    first = house.destroy_span(call)
    again = house.destroy_span(call)
    assert (again.digest, again.version, again.state) == (first.digest, 2, "finished")
    assert len(house.audit("redaction:span:destroy")) == 1


def test_the_file_that_came_in_is_still_a_duplicate(house: House, call: str) -> None:
    """A recorder that offers it again must not bring the span back."""
    house.destroy_span(call)
    (outcome,) = house.ingest(next(house.drop.glob("*.rec")))
    assert (outcome.id, str(outcome.status)) == (call, "duplicate")


def test_its_disposal_leaves_nothing_of_any_version(house: House, call: str) -> None:
    house.destroy_span(call)
    house.clock.move(days=11)
    assert house.night().disposed == 1
    assert house.objects_of(call) == []
    assert look(house).ok


# --- who may, and what forbids it


def test_a_hold_forbids_it(house: House, call: str) -> None:
    before = house.open(call, "quality")
    house.place(call)
    with pytest.raises(HoldInForce, match=call):
        house.destroy_span(call)
    assert untouched(house, call, before)


def test_a_hold_placed_in_the_middle_of_it_wins(house: House, call: str) -> None:
    before = house.open(call, "quality")
    house.silencer.before = lambda _: void(house.place(call))
    with pytest.raises(HoldInForce):
        house.destroy_span(call)
    assert untouched(house, call, before)
    assert look(house, Level.DIGEST).ok


def test_a_disposal_that_has_begun_forbids_it(house: House, call: str) -> None:
    house.clock.move(days=11)
    with house.app.database.write() as session:
        tools = house.app.disposal_tools()
        start_run(
            session,
            on=house.app.today(),
            kind=RunKind.MANUAL,
            now=house.clock.now(),
            actor=ACTOR,
            limits=tools.limits,
            journal=tools.journal,
            witness=tools.witness,
            store_id_in_store=tools.store.store_id(),
        )
    with pytest.raises(IllegalTransition, match="disposing"):
        house.destroy_span(call)


def test_a_recording_that_is_gone_has_no_span(house: House, call: str) -> None:
    house.clock.move(days=11)
    house.night()
    with pytest.raises(IllegalTransition, match="disposed"):
        house.destroy_span(call)


def test_more_than_a_minute_needs_a_second_person(house: House) -> None:
    house.add_source()
    call = house.take_in(duration_s=600)
    row = house.plan_span(call, "0-61")
    with pytest.raises(NotPermitted, match="second person"):
        carry_out(house, row)
    with pytest.raises(NotPermitted, match="cannot approve"):
        approved(house, row, ACTOR)
    approved(house, row)
    assert carry_out(house, row).approved_by == SECOND
    (done,) = house.audit("redaction:span:destroy")
    assert done.detail["approved_by"] == SECOND


def test_many_small_spans_are_one_large_one(house: House) -> None:
    house.add_source()
    call = house.take_in(duration_s=600)
    house.destroy_span(call, "0-55")
    again = house.plan_span(call, "55-61")
    with pytest.raises(NotPermitted, match="second person"):
        carry_out(house, again)
    approved(house, again)
    carry_out(house, again)
    assert not house.plan_span(call, "61-65").needs_approval  # what two people agreed to is not counted


def test_so_does_what_the_schedule_has_approved_for_each_run(house: House) -> None:
    house.add_source(area="contract-line")
    call = house.take_in()
    assert house.plan_span(call).needs_approval


def test_a_plan_is_for_the_bytes_it_was_made_for(house: House, call: str) -> None:
    stale = house.plan_span(call, "3-4")
    house.destroy_span(call)
    with pytest.raises(StaleApproval):
        carry_out(house, stale)


@pytest.mark.parametrize(
    ("spans", "says"),
    [
        (["2-1"], "does not end"),
        (["x"], "not a span"),
        (["61-62"], "after the end"),
        (["1-2@2"], "names a channel"),
    ],
)
def test_a_span_that_is_none_is_refused(house: House, call: str, spans: list[str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        house.plan_span(call, *spans)


def test_pictures_have_no_span_to_destroy(house: House) -> None:
    house.add_camera()
    with pytest.raises(InvalidInput, match="no sound"):
        house.plan_span(house.film())


def test_it_needs_a_reason(house: House, call: str) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        house.plan_span(call, reason=" ")


def test_only_one_process_at_a_time(house: House, call: str) -> None:
    row = house.plan_span(call)
    with house.app.database.exclusive(LOCK), pytest.raises(DatabaseBusy):
        carry_out(house, row)


def test_what_was_never_planned_cannot_be_done_or_approved(house: House, call: str) -> None:
    assert call
    with house.app.database.read() as session, pytest.raises(NotFound):
        approve(session, "0" * 64, house.clock.now(), SECOND)


# --- what goes wrong


def test_sound_that_cannot_be_silenced_stays_as_it_was(house: House, call: str) -> None:
    before = house.open(call, "quality")

    def fail(_: object) -> None:
        raise ToolFailed("no")

    house.silencer.before = fail
    with pytest.raises(ToolFailed):
        house.destroy_span(call)
    assert untouched(house, call, before)
    assert [row.state for row in planned(house)] == ["planned"]


def test_a_store_that_fails_leaves_the_old_version(house: House, call: str) -> None:
    before = house.open(call, "quality")

    def fail(act: str, name: str) -> None:
        if act == "put_new" and name.endswith("2.peaks"):
            raise StoreUnavailable("no")

    house.memory_store.before = fail
    with pytest.raises(StoreUnavailable):
        house.destroy_span(call)
    assert untouched(house, call, before)


def test_old_bytes_that_cannot_be_erased_are_erased_later(house: House, call: str) -> None:
    def fail(act: str, _: str) -> None:
        if act == "erase_many":
            raise StoreUnavailable("no")

    house.memory_store.before = fail
    with pytest.raises(StoreUnavailable):
        house.destroy_span(call)
    house.memory_store.before = lambda _act, _name: None
    assert house.open(call, "quality").endswith(SILENT)
    assert [str(each.kind) for each in look(house).findings] == ["unfinished-run", "undead", "undead"]
    assert finish(house.app.redaction_tools(), ACTOR) == 1
    assert look(house, Level.DIGEST).ok
    assert [row.state for row in planned(house)] == ["finished"]


def test_a_lock_that_a_lifted_hold_left_on_the_bytes_is_taken_away(house: House, call: str) -> None:
    house.memory_store.held.add(object_name(call, "original"))
    house.destroy_span(call)
    assert object_name(call, "original") not in house.objects_of(call)


# --- backups


def test_a_backup_from_before_brings_back_what_is_left_of_it(house: House, call: str) -> None:
    path = back_up(house)
    house.destroy_span(call)
    found = restore(house, path)
    assert found.replayed.spans_destroyed == 1
    assert house.open(call, "quality").endswith(SILENT)
    assert finish(house.app.redaction_tools(), ACTOR) == 1
    assert look(house, Level.DIGEST).ok


def test_old_bytes_that_came_back_with_a_copy_of_the_vault_are_erased(house: House, call: str) -> None:
    path = back_up(house)
    snapshot = dict(house.memory_store.objects), dict(house.memory_store.stored_at)
    house.destroy_span(call)
    house.memory_store.objects |= snapshot[0]
    house.memory_store.stored_at |= snapshot[1]
    assert restore(house, path).objects_erased == 2
    assert set(house.objects_of(call)) == {object_name(call, role, 2) for role in ("original", "peaks")}


def test_with_an_old_vault_alone_the_recording_is_missing_and_the_span_is_not_readable(
    house: House, call: str
) -> None:
    path = back_up(house)
    snapshot = dict(house.memory_store.objects), dict(house.memory_store.stored_at)
    house.destroy_span(call)
    house.memory_store.objects, house.memory_store.stored_at = snapshot
    found = restore(house, path)
    assert {str(each.kind) for each in found.findings} >= {"missing-bytes"}
    assert house.objects_of(call) == []
    with pytest.raises(NotFound):
        house.open(call, "quality")


def test_a_backup_from_the_middle_knows_the_end(house: House, call: str) -> None:
    """Taken while the new version was being written."""
    made = []
    house.silencer.before = lambda _: made.append(back_up(house))
    house.destroy_span(call)
    restore(house, made[0])
    assert house.open(call, "quality").endswith(SILENT)
    finish(house.app.redaction_tools(), ACTOR)
    assert look(house, Level.DIGEST).ok


def test_what_was_told_and_never_committed_is_not_done_by_a_restore(house: House, call: str) -> None:
    """Its bytes are gone: nothing could be put in the place of the old version."""
    before = house.open(call, "quality")
    path = back_up(house)
    journal = house.app.journal
    write = journal.write

    def die(kind: str, *rest: object) -> None:
        write(kind, *rest)  # type: ignore[arg-type]
        if kind == "span-destroyed":
            raise StoreUnavailable("killed")

    vars(journal)["write"] = die
    with pytest.raises(StoreUnavailable):
        house.destroy_span(call)
    del vars(journal)["write"]
    assert restore(house, path).replayed.spans_destroyed == 0
    assert untouched(house, call, before)


def test_a_hold_that_came_after_it_holds_the_new_version_after_a_restore(house: House, call: str) -> None:
    path = back_up(house)
    house.destroy_span(call)
    hold = house.place(call).hold
    restore(house, path)
    assert house.open(call, hold_id=hold.id).endswith(SILENT)


def planned(house: House) -> list[DestructionRow]:
    with house.app.database.read() as session:
        return list(destructions(session))


def void(_: object) -> None:
    """For a lambda that returns nothing."""


def test_a_later_version_that_the_ledger_does_not_know_is_found(house: House, call: str) -> None:
    house.destroy_span(call)
    house.sql("UPDATE destruction SET new_size_bytes = new_size_bytes + 1")
    assert [str(each.kind) for each in look(house).findings] == ["rows-disagree"]


def test_a_call_of_which_nothing_was_said_loses_its_span_too(house: House) -> None:
    house.add_source("line-2")
    (outcome,) = house.ingest(house.write("bare.rec"), source_id="line-2", started_at="2026-03-01T10:00")
    assert outcome.id
    house.sql(f"UPDATE recording SET personal = NULL WHERE id = '{outcome.id}'")
    assert house.destroy_span(outcome.id).finished_at
    assert look(house, Level.DIGEST).ok


def test_a_plan_without_a_span_is_refused(house: House, call: str) -> None:
    with pytest.raises(InvalidInput, match="no span"):
        check_inside(house.find(call), [])
