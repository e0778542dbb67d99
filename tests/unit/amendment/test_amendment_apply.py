"""An approved plan is put in force: refused when it must be, finished when it was interrupted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session

from retention.amendment import move
from retention.amendment.alarms import alarms
from retention.amendment.apply import apply, finish
from retention.amendment.approve import find_plan
from retention.amendment.model import PlanState
from retention.amendment.plan import keep, propose
from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.catalogue.lots import move_recordings
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.catalogue.tables import CohortRow, LotRow, StoreRow, WrapRow
from retention.database import Database, table_of
from retention.disposal.plan import make_plan
from retention.kernel.errors import DatabaseBusy, IllegalTransition, NotFound, StaleApproval
from tests.builders.archive import Archive, Take
from tests.builders.oracle import Known, approved_plan, change, check_catalogue, known_recordings, tools_of
from tests.builders.schedules import FILE, Policy, Rule, one_class
from tests.unit.amendment.conftest import NewArchive

DAY = timedelta(days=1)
OLD = Policy(
    (Rule("cctv", "security", "P30D"), Rule("cases", "dispute", "P1Y", "case-closed")), cool_off="PT1H"
)
#: Divides cctv (most leaves, for longer), renames cases, and lays a floor on one area.
DIVIDED = Policy(
    (
        Rule("cctv", "security", "P30D", areas=("lobby",)),
        Rule("desk", "security", "P90D", but_areas=("lobby",)),
        Rule("disputes", "dispute", "P2Y", "case-closed"),
    ),
    floors=(Rule("law", "records", "P3Y", areas=("vault",)),),
    cool_off="PT1H",
)


def fill(archive: Archive, days: int = 4) -> None:
    """Three cameras in two zones, some days each, two with a case, one under a hold."""
    now = archive.clock.now()
    for name, zone in (("lobby", "Asia/Tokyo"), ("desk", "Asia/Tokyo"), ("vault", "America/New_York")):
        archive.add_source(name, "security", area=name, zone=zone)
        archive.add(*(Take(name, now - ago * DAY) for ago in range(days)))
    archive.add(
        Take("desk", now, purposes=("dispute",), reference="case-7"),
        Take("desk", now, purposes=("dispute",), events={"case-closed": now.date()}),
        Take("desk", now, holds=("hold-1",)),
    )


@pytest.fixture
def archive(new_archive: NewArchive) -> Archive:
    archive = new_archive(OLD)
    fill(archive)
    return archive


def applied(archive: Archive, digest: str) -> Any:
    return apply(tools_of(archive), digest, "suzuki")


def version(archive: Archive) -> int:
    with archive.database.read() as session:
        return schedule_row(session).version


def state(archive: Archive, digest: str) -> str:
    with archive.database.read() as session:
        return str(find_plan(session, digest).state)


def entries(archive: Archive, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in archive.journal.entries() if entry["kind"] == kind]


class TestRefusals:
    def test_before_approval(self, archive: Archive) -> None:
        with archive.database.write() as session:
            proposal = propose(session, DIVIDED.text, FILE, archive.clock.now())
            digest = keep(session, proposal, "why", archive.clock.now(), "sato").digest
        with pytest.raises(IllegalTransition):
            applied(archive, digest)
        assert version(archive) == 1

    def test_before_the_cool_off_has_ended_saying_when_it_does(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, DIVIDED)
        archive.clock.move(seconds=-1)
        until = archive.clock.now() + timedelta(seconds=1)
        with pytest.raises(IllegalTransition, match=f"cools off until {until:%Y-%m-%dT%H:%M:%S}"):
            applied(archive, digest)
        archive.clock.move(seconds=1)
        assert applied(archive, digest).state == PlanState.APPLIED

    def test_when_another_version_came_into_force_meanwhile(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, replace(OLD, cool_off="PT2H"))
        change(archive, DIVIDED)
        with pytest.raises(StaleApproval, match="version 2 is in force"):
            applied(archive, digest)

    def test_when_it_was_applied_before(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, DIVIDED)
        applied(archive, digest)
        with pytest.raises(IllegalTransition, match="is applied"):
            applied(archive, digest)

    def test_when_nobody_made_it(self, archive: Archive) -> None:
        with pytest.raises(NotFound):
            applied(archive, "f" * 64)

    def test_while_another_process_applies_one(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, DIVIDED)
        with archive.database.exclusive("schedule"), pytest.raises(DatabaseBusy):
            applied(archive, digest)

    @pytest.mark.parametrize(("more", "is_stale"), [(11, False), (12, True)])
    def test_when_much_more_would_become_due_than_was_foretold(
        self, new_archive: NewArchive, more: int, is_stale: bool
    ) -> None:
        """Five in a hundred, rounded up, and ten more are let pass: archives grow while people decide."""
        archive = new_archive(one_class("P30D", cool_off="PT1H"))
        archive.add_source("lobby", "security")
        old = Take("lobby", archive.clock.now() - 20 * DAY)
        archive.add(*[old] * 20)
        digest, impact = approved_plan(archive, one_class("P14D"))
        assert impact["due_now"]["recordings"] == 20
        archive.add(*[old] * more)
        if is_stale:
            with pytest.raises(StaleApproval, match="32 recordings would become due at once"):
                applied(archive, digest)
        else:
            assert applied(archive, digest).state == PlanState.APPLIED

    def test_time_alone_makes_no_plan_stale(self, new_archive: NewArchive) -> None:
        """What was foretold for each later day is compared, not what was due on the day of the plan."""
        archive = new_archive(one_class("P30D", cool_off="PT1H"))
        archive.add_source("lobby", "security")
        now = archive.clock.now()
        archive.add(*(Take("lobby", now - days * DAY) for days in range(28) for _ in range(5)))
        digest, impact = approved_plan(archive, one_class("P14D"))
        archive.clock.move(days=9)
        assert impact["due_now"]["recordings"] == 5 * 13
        assert applied(archive, digest).state == PlanState.APPLIED


class TestTheSchedule:
    def test_the_new_version_is_in_force_and_the_old_one_is_kept_as_it_was(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, DIVIDED)
        row = applied(archive, digest)
        assert (row.version, row.applied_by) == (2, "suzuki")
        with archive.database.read() as session:
            found = schedule_row(session)
            assert (found.text, found.planned_by, found.approved_by) == (DIVIDED.text, "planner", "approver")
            assert schedule_in_force(session) == DIVIDED.schedule

    def test_nothing_is_disposed_of_what_is_due_goes_the_next_night(self, new_archive: NewArchive) -> None:
        archive = new_archive(one_class("P30D", cool_off="PT1H"))
        archive.add_source("lobby", "security")
        (recording_id,) = archive.add(Take("lobby", archive.clock.now() - 20 * DAY))
        keys = set(archive.keys.keys)
        change(archive, one_class("P14D"))
        assert archive.recording(recording_id).state == "sealed"
        assert set(archive.keys.keys) == keys
        with archive.database.read() as session:
            plan = make_plan(session, schedule_in_force(session), archive.clock.now().date())
            assert plan.recordings == 1

    def test_nights_follow_the_controllers_new_zone(self, archive: Archive) -> None:
        change(archive, replace(DIVIDED, zone="Europe/Berlin"))
        with archive.database.read() as session:
            assert (
                session.execute(select(table_of(StoreRow).c.controller_zone)).scalar_one() == "Europe/Berlin"
            )

    def test_it_is_on_record_and_told_to_the_journal(self, archive: Archive) -> None:
        digest, _ = approved_plan(archive, DIVIDED)
        row = applied(archive, digest)
        table = table_of(AuditRow)
        with archive.database.read() as session:
            rows = session.execute(select(table).where(table.c.subject == digest).order_by(table.c.seq)).all()
        assert [each.tag for each in rows] == [
            Tag.SCHEDULE_PLANNED,
            Tag.SCHEDULE_APPROVED,
            Tag.SCHEDULE_APPLIED,
            Tag.SCHEDULE_MOVED,
        ]
        assert json.loads(rows[-1].detail) == {"version": 2, "rewrapped": row.rewrapped}
        (told,) = entries(archive, "schedule-applied")
        assert (told["version"], told["text"]) == (2, DIVIDED.text)


class TestTheCohorts:
    def test_a_class_of_another_name_takes_its_cohorts_over_with_their_keys(self, archive: Archive) -> None:
        renamed = replace(OLD, classes=(Rule("cameras", "security", "P30D"), OLD.classes[1]))
        before = _cohorts(archive)
        impact, rewrapped = change(archive, renamed)
        assert impact["moved"] == 15
        assert rewrapped == impact["rewraps"] == 0
        after = _cohorts(archive)
        assert [(row.key_id, row.name) for row in after] == [(row.key_id, row.name) for row in before]
        assert {row.class_name for row in after} == {"cameras", "cases"}

    def test_a_name_stays_with_its_key_and_is_not_given_again(self, archive: Archive) -> None:
        """The journal and certificates call cohorts by their names."""
        change(archive, replace(OLD, classes=(Rule("cameras", "security", "P30D"), OLD.classes[1])))
        change(archive, OLD)
        archive.add(Take("lobby", archive.clock.now() + DAY))
        change(archive, DIVIDED)
        archive.add(Take("lobby", archive.clock.now()), Take("desk", archive.clock.now()))
        names = [row.name for row in _cohorts(archive)]
        assert len(names) == len(set(names))

    def test_of_a_cohort_that_is_divided_the_part_that_is_due_first_keeps_the_key(
        self, archive: Archive
    ) -> None:
        lobby = next(each for each, take in archive.takes.items() if take.source == "lobby")
        desk = next(each for each, take in archive.takes.items() if take.source == "desk")
        key_id = archive.recording(lobby).reasons[0].key_id
        assert archive.recording(desk).reasons[0].key_id == key_id
        change(archive, DIVIDED)
        assert archive.recording(lobby).reasons[0].key_id == key_id
        assert archive.recording(desk).reasons[0].key_id != key_id
        assert _wraps(archive, desk).isdisjoint({key_id})

    def test_what_still_waits_for_its_case_keeps_its_reference(self, archive: Archive) -> None:
        change(archive, DIVIDED)
        waiting = [row for row in _cohorts(archive) if row.trigger_on is None]
        assert [(row.class_name, row.reference) for row in waiting] == [("disputes", "case-7")]

    def test_lots_that_were_emptied_are_forgotten(self, archive: Archive) -> None:
        change(archive, DIVIDED)
        with archive.database.read() as session:
            assert (
                session.execute(select(table_of(LotRow)).where(table_of(LotRow).c.recordings == 0)).all()
                == []
            )

    def test_what_finds_no_class_is_kept_and_alarmed_until_it_finds_one(self, archive: Archive) -> None:
        only_cases = Policy((OLD.classes[1],), cool_off="PT1H")
        change(archive, only_cases)
        with archive.database.read() as session:
            found = alarms(session, only_cases.schedule, archive.clock.now())
            assert found == [
                "15 recordings carry the purpose security, for which the schedule has no class: kept"
            ]
            on = archive.clock.now().date() + 9_999 * DAY
            plan = make_plan(session, only_cases.schedule, on)
            assert plan.unknown_classes == ("unclassified~security~recording-ended",)
        impact, _ = change(archive, OLD)
        assert impact["moved"] == 15
        with archive.database.read() as session:
            assert alarms(session, OLD.schedule, archive.clock.now()) == []


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Counts the commits and journal lines of a process, and ends it at one of them, before or after it."""

    def __init__(self, at: int = -1) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        """Die, if the time has come."""
        self.steps += 1
        if self.steps - 1 == self.at:
            raise Killed

    @contextmanager
    def holds(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Everything the archive writes goes past here."""
        write, append = Database.write, archive.journal.documents.append

        @contextmanager
        def mortal_write(database: Database) -> Iterator[Session]:
            with write(database) as session:
                yield session
                self.step()
            self.step()

        def mortal_append(line: bytes) -> None:
            self.step()
            append(line)
            self.step()

        with monkeypatch.context() as patch:
            patch.setattr(Database, "write", mortal_write)
            patch.setattr(archive.journal.documents, "append", mortal_append)
            yield


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that sorting takes many transactions."""
    monkeypatch.setattr(move, "BATCH", 4)


@dataclass(frozen=True)
class Prepared:
    """An archive with an approved plan, to be copied as often as a process is killed."""

    archive: Archive
    digest: str
    known: dict[str, Known]

    def again(self) -> Archive:
        """An archive like it."""
        return self.archive.copy()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    archive = Archive(tmp_path_factory.mktemp("prepared"), OLD)
    fill(archive, days=2)
    known = known_recordings(archive, OLD.schedule, {})
    digest, _ = approved_plan(archive, DIVIDED)
    yield Prepared(archive, digest, known)
    archive.close()


@pytest.mark.usefixtures("small_batches")
class TestInterruption:
    def test_killed_at_every_commit_and_every_line_of_the_journal_it_is_finished_by_the_next(
        self, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Enumerated, not sampled; in between, nothing is due that should not be."""
        digest, counter = prepared.digest, Mortal()
        archive = prepared.again()
        with counter.holds(archive, monkeypatch):
            rewrapped = applied(archive, digest).rewrapped
        archive.close()
        assert counter.steps > 30
        for at in range(counter.steps):
            archive = prepared.again()
            with Mortal(at).holds(archive, monkeypatch), pytest.raises(Killed):
                applied(archive, digest)
            _nothing_is_due(archive)
            if state(archive, digest) != PlanState.APPLIED:
                assert applied(archive, digest).rewrapped == rewrapped
            assert state(archive, digest) == PlanState.APPLIED
            check_catalogue(archive, prepared.known, DIVIDED.schedule)
            archive.close()

    @pytest.fixture
    def interrupted(self, prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
        """The new version is in force, and some recordings are still on their way."""
        archive = prepared.again()
        with Mortal(12).holds(archive, monkeypatch), pytest.raises(Killed):
            applied(archive, prepared.digest)
        yield archive
        archive.close()

    def test_what_was_interrupted_is_alarmed_blocks_plans_and_is_finished_without_its_digest(
        self, prepared: Prepared, interrupted: Archive
    ) -> None:
        with interrupted.database.read() as session:
            found = alarms(session, DIVIDED.schedule, interrupted.clock.now())
            assert found
            assert all("wait to be brought to their classes" in each for each in found)
            with pytest.raises(IllegalTransition, match="still being carried out"):
                propose(session, OLD.text, FILE, interrupted.clock.now())
        assert finish(tools_of(interrupted), "suzuki") > 0
        assert state(interrupted, prepared.digest) == PlanState.APPLIED
        check_catalogue(interrupted, prepared.known, DIVIDED.schedule)
        assert finish(tools_of(interrupted), "suzuki") == 0

    def test_marks_of_which_no_plan_knows_are_sorted_too(
        self, prepared: Prepared, interrupted: Archive
    ) -> None:
        """A restored backup may hold the marks without the plan."""
        with interrupted.database.write() as session:
            session.delete(find_plan(session, prepared.digest))
        assert finish(tools_of(interrupted), "suzuki") > 0
        check_catalogue(interrupted, prepared.known, DIVIDED.schedule)

    def test_what_arrives_and_what_is_held_meanwhile_ends_where_it_belongs(
        self, prepared: Prepared, interrupted: Archive
    ) -> None:
        now = interrupted.clock.now()
        interrupted.add(*(Take(name, now - DAY) for name in ("lobby", "desk", "vault")))
        _hold(interrupted, list(interrupted.takes)[:6])
        applied(interrupted, prepared.digest)
        known = known_recordings(interrupted, DIVIDED.schedule, {})
        for one in known.values():
            assert one.after(DIVIDED.schedule) == one.reasons
        check_catalogue(interrupted, known, DIVIDED.schedule)


def _nothing_is_due(archive: Archive) -> None:
    """A night right now, or in four weeks, would find nothing due that neither schedule lets go."""
    with archive.database.read() as session:
        on = archive.clock.now().date() + 25 * DAY
        assert make_plan(session, schedule_in_force(session), on).recordings == 0


def _hold(archive: Archive, recording_ids: list[str]) -> None:
    held = archive.hold("hold-2")
    with archive.database.write() as session:
        for each in recording_ids:
            wrapped = archive.keys.wrap(held.key_id, archive.data_keys[each], each.encode())
            session.add(WrapRow(recording_id=each, key_id=held.key_id, wrapped=wrapped))
        move_recordings(session, recording_ids, lambda lot: replace(lot, holds=lot.holds | {held.hold_id}))
    for each in recording_ids:
        archive.takes[each] = replace(archive.takes[each], holds=(*archive.takes[each].holds, "hold-2"))


def _cohorts(archive: Archive) -> list[Any]:
    table = table_of(CohortRow)
    with archive.database.read() as session:
        return list(session.execute(select(table).order_by(table.c.id)))


def _wraps(archive: Archive, recording_id: str) -> set[str]:
    table = table_of(WrapRow)
    with archive.database.read() as session:
        return set(
            session.execute(select(table.c.key_id).where(table.c.recording_id == recording_id)).scalars()
        )
