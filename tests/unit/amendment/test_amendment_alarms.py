"""What the schedule in force does not provide for is kept, and alarmed."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from retention.amendment.alarms import alarms
from retention.catalogue.tables import CohortRow
from retention.database import table_of
from tests.builders.archive import Archive, Take
from tests.builders.schedules import Policy, Rule
from tests.unit.amendment.conftest import NewArchive

DAY = timedelta(days=1)
POLICY = Policy(
    (
        Rule("cctv", "security", "P30D"),
        Rule("cases", "dispute", "P1Y", "case-closed"),
    ),
    ceilings={"most": ("footage", "P60D")},
)


def found(archive: Archive, policy: Policy = POLICY) -> list[str]:
    with archive.database.read() as session:
        return alarms(session, policy.schedule, archive.clock.now())


def test_when_all_is_well_nothing_is_alarmed(new_archive: NewArchive) -> None:
    archive = new_archive(POLICY)
    archive.add_source("lobby", "security")
    archive.add(Take("lobby", archive.clock.now() - 90 * DAY))
    assert found(archive) == [], "what is overdue goes the next night"


def test_a_class_that_the_schedule_does_not_know_is_named_with_what_it_holds(new_archive: NewArchive) -> None:
    archive = new_archive(POLICY)
    archive.add_source("lobby", "security")
    archive.add(*[Take("lobby", archive.clock.now())] * 3)
    with archive.database.write() as session:
        session.execute(update(table_of(CohortRow)).values(class_name="of-old"))
    assert found(archive) == ["3 recordings are in the class of-old, which the schedule does not know: kept"]


def test_a_case_that_stays_open_beyond_a_ceiling_is_alarmed_from_the_first_day_after_it(
    new_archive: NewArchive,
) -> None:
    """Sixty days from the day after the recording ended; the sixty-first is the first beyond."""
    archive = new_archive(POLICY)
    archive.add_source("lobby", "security", "dispute")
    archive.add(Take("lobby", archive.clock.now(), reference="case-7"))
    archive.clock.move(days=60)
    assert found(archive) == []
    archive.clock.move(days=1)
    assert found(archive) == [
        (
            "1 recordings are kept beyond the ceiling most (P60D):"
            " they wait for an event, count from a late one, or have no class"
        )
    ]


def test_a_case_that_was_closed_late_is_alarmed_until_it_is_due(new_archive: NewArchive) -> None:
    archive = new_archive(POLICY)
    archive.add_source("lobby", "dispute")
    now = archive.clock.now()
    archive.add(Take("lobby", now - 200 * DAY, events={"case-closed": now.date()}))
    assert len(found(archive)) == 1
    archive.clock.move(days=366)
    assert found(archive) == []


def test_a_purpose_that_a_ceiling_exempts_is_left_alone(new_archive: NewArchive) -> None:
    text = POLICY.text.replace("keep: P60D", "keep: P60D\n    unless: [dispute]")
    assert text != POLICY.text
    archive = new_archive(POLICY)
    archive.add_source("lobby", "dispute")
    archive.add(Take("lobby", archive.clock.now() - 200 * DAY, reference="case-7"))
    exempt = replace(POLICY)
    exempt.__dict__["text"] = text
    assert len(found(archive)) == 1
    assert found(archive, exempt) == []
