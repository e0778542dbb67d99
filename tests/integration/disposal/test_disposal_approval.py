"""A second person approves what was printed: as it stood, once, and never her own."""

from datetime import date, timedelta

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.disposal.tables import RunRow
from retention.kernel.errors import IllegalTransition, NotFound, NotPermitted
from tests.builders.house import ACTOR, SECOND, House
from tests.builders.night import approve_plan, print_plan

DUE = 41


@pytest.fixture
def contract(house: House) -> str:
    """A recording that nothing keeps any more, and that nobody may let go alone."""
    return overdue(house)


def overdue(house: House) -> str:
    house.add_source("contracts", area="contract-line")
    recording = house.take_in("contracts")
    house.clock.move(days=DUE)
    return recording


def goes(house: House, recording: str) -> bool:
    """Whether the next run takes it."""
    house.dispose()
    return house.find(recording).state is State.DISPOSED


def counts(run: RunRow) -> tuple[int, int]:
    return run.disposed, run.awaiting_approval


def test_without_approval_the_cohort_is_left_out_and_the_run_says_how_many_wait(
    house: House, contract: str
) -> None:
    run = house.dispose()
    assert counts(run) == (0, 1)
    assert house.objects_of(contract)
    assert house.find(contract).state is State.SEALED


def test_the_rest_of_the_night_does_not_wait(house: House, contract: str) -> None:
    house.add_camera()
    film = house.film(ended_at=house.clock.now() - timedelta(days=DUE))
    assert counts(house.dispose()) == (1, 1)
    assert house.find(film).state is State.DISPOSED
    reasons = {reason.purpose: reason.state for reason in house.find(contract).reasons}
    assert reasons == {"quality": "expired", "contract-record": "active"}


def test_once_another_person_agreed_it_goes(house: House, contract: str) -> None:
    approve_plan(house, print_plan(house))
    assert counts(house.dispose()) == (1, 0)
    assert house.find(contract).state is State.DISPOSED
    planned, approved = house.audit(Tag.DISPOSAL_PLANNED, Tag.DISPOSAL_APPROVED)
    assert planned.subject == approved.subject
    assert (planned.actor, approved.actor) == (ACTOR, SECOND)
    assert approved.detail == {"planned_by": ACTOR}


def test_who_printed_the_plan_cannot_approve_it_whoever_prints_it_again(house: House, contract: str) -> None:
    plan = print_plan(house, ACTOR)
    assert print_plan(house, SECOND).digest == plan.digest
    with pytest.raises(NotPermitted, match=f"{ACTOR} made plan"):
        approve_plan(house, plan, ACTOR)
    assert not goes(house, contract)


def test_nobody_approves_what_was_never_printed(house: House, contract: str) -> None:
    with pytest.raises(NotFound, match="no plan has the digest"):
        approve_plan(house, house.plan())
    assert not goes(house, contract)


def test_a_plan_is_approved_once(house: House, contract: str) -> None:
    plan = print_plan(house)
    approve_plan(house, plan)
    with pytest.raises(IllegalTransition, match=f"approved by {SECOND} before"):
        approve_plan(house, plan, "ito")
    assert goes(house, contract)


def test_one_recording_more_and_the_cohort_asks_again(house: House, contract: str) -> None:
    approve_plan(house, print_plan(house))
    late = house.take_in("contracts", ended_at=house.clock.now() - timedelta(days=DUE))
    assert counts(house.dispose()) == (0, 2)
    approve_plan(house, print_plan(house))
    assert counts(house.dispose()) == (2, 0)
    assert {house.find(each).state for each in (contract, late)} == {State.DISPOSED}


def test_a_hold_that_takes_one_out_makes_the_cohort_ask_again(house: House, contract: str) -> None:
    late = house.take_in("contracts", ended_at=house.clock.now() - timedelta(days=DUE))
    approve_plan(house, print_plan(house))
    house.place(late)
    assert counts(house.dispose()) == (0, 1)
    assert house.find(contract).state is State.SEALED


def test_an_approval_is_for_the_cohorts_in_the_plan_and_no_others(house: House, contract: str) -> None:
    approve_plan(house, print_plan(house))
    house.take_in("contracts", ended_at=house.clock.now() - timedelta(days=DUE + 1))
    assert counts(house.dispose()) == (1, 1)
    assert house.find(contract).state is State.DISPOSED


def test_a_plan_for_a_day_to_come_can_be_approved_before_it(house: House) -> None:
    house.add_source("contracts", area="contract-line")
    recording = house.take_in("contracts")
    approve_plan(house, print_plan(house, on=date(2026, 4, 12)))
    assert not goes(house, recording)
    house.clock.move_to(date(2026, 4, 12))
    assert goes(house, recording)


def test_a_printed_plan_no_longer_asks_for_what_was_approved(house: House, contract: str) -> None:
    assert print_plan(house).needs_approval
    approve_plan(house, print_plan(house))
    assert not print_plan(house).needs_approval
    assert goes(house, contract)
