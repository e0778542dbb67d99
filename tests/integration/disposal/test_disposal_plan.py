"""What a night would do: who goes, who is held, whose purpose ends early, what nobody may decide alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from retention.catalogue.explain import explain
from retention.disposal.model import DisposalPlan, PlannedCohort
from retention.disposal.plan import make_plan
from retention.holds.place import Placed
from retention.schedule.model import Schedule
from tests.builders.house import House, local
from tests.builders.night import change_schedule
from tests.builders.policy import policy_text

DAY = timedelta(days=1)
FAR_OFF = date(2099, 1, 1)


def cohort_of(plan: DisposalPlan, class_name: str) -> PlannedCohort:
    (found,) = [cohort for cohort in plan.cohorts if cohort.class_name == class_name]
    return found


def due_on(house: House, recording_id: str, purpose: str) -> date:
    (found,) = [reason for reason in house.find(recording_id).reasons if reason.purpose == purpose]
    assert found.due_on
    return found.due_on


# --- what goes


def test_a_recording_goes_on_its_day_and_not_a_day_before(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    day = due_on(house, recording, "quality")
    assert day == date(2026, 3, 13)
    before, after = house.plan(day - DAY), house.plan(day)
    assert (before.recordings, before.cohorts) == (0, ())
    assert (after.recordings, after.size_bytes) == (1, house.find(recording).size_bytes)
    cohort = cohort_of(after, "calls.quality")
    assert (cohort.due_on, cohort.trigger_on) == (day, date(2026, 3, 2))
    assert (cohort.recordings, cohort.purpose_ends, cohort.held) == (1, 1, 0)


def test_what_comes_late_is_planned_with_its_own_day_not_the_day_it_came(house: House) -> None:
    house.add_source()
    house.take_in(ended_at=house.clock.now() - 30 * DAY)
    assert house.plan().recordings == 1


def test_a_purpose_that_ends_before_the_recording_ends_takes_no_recording_with_it(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in()
    plan = house.plan(due_on(house, recording, "quality"))
    cohort = cohort_of(plan, "calls.quality")
    assert plan.recordings == 0
    assert (cohort.purpose_ends, cohort.recordings, cohort.size_bytes) == (1, 0, 0)
    assert house.plan(due_on(house, recording, "inquiry")).recordings == 1


def test_a_recording_whose_purposes_end_in_one_night_is_counted_once(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in()
    plan = house.plan(due_on(house, recording, "inquiry"))
    assert [cohort.recordings for cohort in plan.cohorts] == [1, 1]
    assert (plan.recordings, plan.size_bytes) == (1, house.find(recording).size_bytes)


def test_the_longest_reason_keeps_a_recording_and_so_does_the_law(house: House) -> None:
    """A floor is a reason like any other, for whatever the source's own purposes are."""
    house.add_source(area="contract-line")
    recording = house.take_in()
    assert house.plan(date(2026, 4, 11)).recordings == 0
    floor = due_on(house, recording, "contract-record")
    assert floor == date(2026, 4, 12)
    assert house.plan(floor).recordings == 1


def test_what_waits_for_an_event_is_in_no_plan_until_the_event(house: House) -> None:
    house.add_source(purposes=["dispute"])
    recording = house.take_in(reference="case-7")
    assert house.plan(FAR_OFF).cohorts == ()
    house.trigger("case-closed", "case-7", date(2026, 3, 2))
    day = due_on(house, recording, "dispute")
    assert day == date(2026, 4, 2)
    assert [house.plan(each).recordings for each in (day - DAY, day)] == [0, 1]


def test_a_ceiling_makes_nothing_due_it_is_a_conflict_that_explain_reports(house: House) -> None:
    ceiling = (
        "{longest: {applies_to: {kind: call}, keep: P25D, unless: [archive, contract-record],"
        " basis: A law, source: S, reviewed_on: 2026-01-01}}"
    )
    house.add_source(purposes=["dispute"])
    recording = house.take_in(reference="case-7")
    change_schedule(house, policy_text().replace("ceilings: {}", f"ceilings: {ceiling}"))
    house.clock.move(days=26)
    assert house.plan().recordings == 0
    decision = explain(house.app.schedule(), house.find(recording), house.clock.now())
    assert decision.ceilings_passed == ("longest",)
    assert any("conflict" in reason for reason in decision.reasons)


# --- what stays


def test_what_is_held_is_told_and_neither_goes_nor_is_counted_as_going(house: House) -> None:
    house.add_source()
    kept, going = house.take_in(duration_s=30), house.take_in()
    house.place(kept)
    plan = house.plan(due_on(house, going, "quality"))
    assert (plan.recordings, plan.held) == (1, 1)
    cohort = cohort_of(plan, "calls.quality")
    assert (cohort.recordings, cohort.held, cohort.purpose_ends) == (1, 1, 2)
    assert plan.size_bytes == cohort.size_bytes == house.find(going).size_bytes


def held_past_its_day(house: House) -> tuple[str, Placed]:
    house.add_source()
    recording = house.take_in()
    placed = house.place(recording)
    house.clock.move(days=11)
    house.night()
    return recording, placed


def test_what_a_hold_alone_keeps_stays_in_every_plan_as_held(house: House) -> None:
    held_past_its_day(house)
    plan = house.plan()
    assert (plan.recordings, plan.held, plan.spent) == (0, 1, 0)
    assert cohort_of(plan, "calls.quality").is_expired


def test_what_its_last_hold_let_go_is_the_next_plans_and_is_told_apart(house: House) -> None:
    _, placed = held_past_its_day(house)
    house.lift(placed.hold.id)
    plan = house.plan()
    assert (plan.recordings, plan.held, plan.spent) == (1, 0, 1)


def without(schedule: Schedule, class_name: str) -> Schedule:
    kept = {name: rule for name, rule in schedule.classes.items() if name != class_name}
    return replace(schedule, classes=kept)


def test_what_the_schedule_does_not_know_is_kept_and_alarmed(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    house.take_in()
    with house.app.database.read() as session:
        plan = make_plan(session, without(house.app.schedule(), "calls.inquiry"), FAR_OFF)
    assert (plan.recordings, plan.unknown_classes) == (0, ("calls.inquiry",))
    assert [cohort.class_name for cohort in plan.cohorts] == ["calls.quality"]


def test_a_night_never_runs_ahead_of_a_sites_own_calendar(house: House) -> None:
    """In Tokyo it is already the day; in New York, where the recording was made, it is still the day before."""
    house.add_source(zone="America/New_York", site="new-york")
    recording = house.take_in(ended_at=local("2026-03-02T12:00", "America/New_York"))
    day = due_on(house, recording, "quality")
    house.clock.move_to(day)
    assert house.plan(day).recordings == 1
    assert house.dispose(day).disposed == 0
    house.clock.move(hours=13)
    assert house.dispose(day).disposed == 1


# --- what a second person decides, and what she reads


def test_a_plan_says_which_cohorts_need_a_second_person(house: House) -> None:
    house.add_source(area="contract-line")
    house.take_in()
    plan = house.plan(date(2026, 4, 12))
    assert plan.needs_approval
    assert {cohort.class_name: cohort.needs_approval for cohort in plan.cohorts} == {
        "calls.quality": False,
        "calls.contract-line": True,
    }


def test_the_digest_is_of_what_would_happen(house: House) -> None:
    house.add_source()
    first = house.take_in()
    day = due_on(house, first, "quality")
    digests = [house.plan(day).digest]
    assert house.plan(day).digest == digests[0]
    digests.append(house.plan(day + DAY).digest)
    house.take_in()
    digests.append(house.plan(day).digest)
    placed = house.place(first)
    digests.append(house.plan(day).digest)
    assert len(set(digests)) == 4
    house.lift(placed.hold.id)
    assert house.plan(day).digest == digests[2]


PLANNED = PlannedCohort(
    1, "a", "class", "UTC", date(2026, 3, 2), date(2026, 3, 12), 3, 300, 1, 4, needs_approval=True
)
PLAN = DisposalPlan(date(2026, 3, 12), (PLANNED,), 3, 300, 1, 0, ())


@pytest.mark.parametrize("field", ["name", "recordings", "size_bytes", "held", "purpose_ends"])
def test_whatever_changes_for_a_cohort_changes_the_digest(field: str) -> None:
    before = getattr(PLANNED, field)
    other = replace(PLANNED, **{field: before + before})
    assert replace(PLAN, cohorts=(other,)).digest != PLAN.digest


def test_an_approval_given_does_not_change_the_digest_it_was_given_to() -> None:
    assert replace(PLAN, cohorts=(replace(PLANNED, needs_approval=False),)).digest == PLAN.digest
