"""A change is planned, printed, approved by a second person, or cancelled."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from retention.amendment.approve import all_plans, approve, cancel, find_plan
from retention.amendment.model import PlanState
from retention.amendment.plan import Proposal, keep, propose
from retention.amendment.tables import SchedulePlanRow
from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.database import table_of
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted, StaleApproval
from retention.schedule.model import Kind
from retention.schedule.parse import PolicyError
from tests.builders.archive import Archive, Take
from tests.builders.oracle import change
from tests.builders.schedules import FILE, Policy, Rule, one_class
from tests.unit.amendment.conftest import NewArchive

HOUR = timedelta(hours=1)


@pytest.fixture
def archive(new_archive: NewArchive) -> Archive:
    """One camera, one recording a day for 25 days."""
    archive = new_archive(one_class("P30D"))
    archive.add_source("lobby", "security")
    now = archive.clock.now()
    archive.add(*(Take("lobby", now - timedelta(days=days)) for days in range(25)))
    return archive


def proposal(archive: Archive, policy: Policy) -> Proposal:
    with archive.database.read() as session:
        return propose(session, policy.text, FILE, archive.clock.now())


def planned(archive: Archive, policy: Policy, actor: str = "sato", reason: str = "") -> str:
    with archive.database.write() as session:
        return keep(session, proposal(archive, policy), reason, archive.clock.now(), actor).digest


def approved(archive: Archive, digest: str, actor: str = "tanaka") -> SchedulePlanRow:
    with archive.database.write() as session:
        return approve(session, digest, archive.clock.now(), actor)


def acts(archive: Archive) -> list[tuple[str, str]]:
    table = table_of(AuditRow)
    with archive.database.read() as session:
        return [(row.tag, row.actor) for row in session.execute(select(table).order_by(table.c.seq))]


class TestPlanning:
    def test_a_plan_says_what_would_become_due_and_changes_nothing(self, archive: Archive) -> None:
        found = proposal(archive, one_class("P14D"))
        assert found.base_version == 1
        assert found.impact["due_now"] == {"recordings": 10, "bytes": 10_000, "held": 0}
        assert found.impact["sooner"]["recordings"] == 15
        assert found.impact["moved"] == found.impact["rewraps"] == 0
        assert acts(archive) == []

    def test_everything_that_is_wrong_with_the_text_is_said_at_once(self, archive: Archive) -> None:
        broken = (
            one_class("P30D").text.replace("P30D", "thirty days").replace("recording-ended", "whenever it is")
        )
        with archive.database.read() as session, pytest.raises(PolicyError) as caught:
            propose(session, broken, FILE, archive.clock.now())
        assert len(caught.value.findings) == 2

    def test_the_text_in_force_is_no_change(self, archive: Archive) -> None:
        with pytest.raises(InvalidInput, match="nothing would change"):
            proposal(archive, one_class("P30D"))

    def test_keeping_longer_needs_a_reason(self, archive: Archive) -> None:
        with pytest.raises(InvalidInput, match="keep cctv longer") as caught:
            planned(archive, one_class("P60D"), reason=" ")
        assert "Art. 22" in caught.value.hint
        with archive.database.read() as session:
            assert find_plan(session, planned(archive, one_class("P60D"), reason="a law")).reason == "a law"

    def test_recordings_that_lose_their_end_are_kept_longer_and_need_a_reason_too(
        self, archive: Archive
    ) -> None:
        with pytest.raises(InvalidInput, match="25 recordings longer"):
            planned(archive, Policy((Rule("calls", "quality"),)))

    def test_keeping_shorter_needs_none(self, archive: Archive) -> None:
        assert planned(archive, one_class("P14D"))

    def test_the_digest_covers_who_planned_what_why_and_when(self, archive: Archive) -> None:
        first = planned(archive, one_class("P14D"))
        second = planned(archive, one_class("P14D"), actor="ito")
        third = planned(archive, one_class("P14D"), reason="because")
        archive.clock.move(seconds=1)
        fourth = planned(archive, one_class("P14D"))
        assert len({first, second, third, fourth}) == 4

    def test_a_plan_is_found_by_the_beginning_of_its_digest_and_survives_as_json(
        self, archive: Archive
    ) -> None:
        digest = planned(archive, one_class("P14D"))
        with archive.database.read() as session:
            row = find_plan(session, digest[:8])
            assert row.digest == digest
            assert json.loads(json.dumps(row.impact)) == proposal(archive, one_class("P14D")).impact
            for unknown in ("", digest[:7], "f" * 64, "%" * 8):
                with pytest.raises(NotFound):
                    find_plan(session, unknown)

    def test_sources_whose_purpose_would_be_gone_are_named(self, archive: Archive) -> None:
        found = proposal(archive, Policy((Rule("calls", "quality"),)))
        assert any("source lobby names the purpose security" in each for each in found.impact["conflicts"])
        assert found.impact["purposes"] == {"added": ["quality"], "removed": ["security"]}
        assert found.impact["unclassified"] == 25

    def test_a_shorter_cool_off_is_told(self, archive: Archive) -> None:
        found = proposal(archive, one_class("P14D", cool_off="PT1H"))
        assert any("cool off" in each for each in found.impact["conflicts"])

    def test_a_notice_without_a_new_text_is_told(self, new_archive: NewArchive) -> None:
        archive = new_archive(one_class("P30D", states={"cctv": "P30D"}))
        found = proposal(archive, one_class("P14D", states={"cctv": "P14D"}))
        assert [each["notice"] for each in found.impact["notices"]] == ["notice"]
        assert any("the notice notice (version 1)" in each for each in found.impact["conflicts"])

    def test_floors_and_ceilings_that_stand_in_the_way_are_told(self, new_archive: NewArchive) -> None:
        floors = (Rule("law", "records", "P1Y"),)
        rules = (Rule("cctv", "security"), Rule("cases", "dispute", "P30D", "case-closed"))
        archive = new_archive(Policy(rules, floors))
        archive.add_source("lobby", "security", "dispute")
        archive.add(Take("lobby", archive.clock.now() - timedelta(days=20)))
        shorter = (replace(rules[0], keep="P14D"), rules[1])
        found = proposal(archive, Policy(shorter, floors, ceilings={"most": ("footage", "P2Y")})).impact
        assert any("ceiling most" in each for each in found["conflicts"])

        closed = Take(
            "lobby",
            archive.clock.now() - timedelta(days=20),
            events={"case-closed": archive.clock.now().date()},
        )
        archive.add(closed)
        found = proposal(archive, Policy(shorter, floors)).impact
        assert any("the floor law (P1Y) keeps 1 of its recordings" in each for each in found["conflicts"])


class TestApproving:
    def test_a_second_person_approves_and_the_cool_off_begins(self, archive: Archive) -> None:
        row = approved(archive, planned(archive, one_class("P14D")))
        assert (row.state, row.approved_by) == (PlanState.APPROVED, "tanaka")
        assert row.cool_off_until == archive.clock.now() + 72 * HOUR

    def test_nobody_approves_a_plan_of_their_own(self, archive: Archive) -> None:
        digest = planned(archive, one_class("P14D"))
        with pytest.raises(NotPermitted, match="sato made plan"):
            approved(archive, digest, actor="sato")

    def test_a_change_cannot_shorten_its_own_cool_off(self, archive: Archive) -> None:
        row = approved(archive, planned(archive, one_class("P14D", cool_off="PT1H")))
        assert row.cool_off_until == archive.clock.now() + 72 * HOUR

    def test_a_plan_is_approved_once(self, archive: Archive) -> None:
        digest = planned(archive, one_class("P14D"))
        approved(archive, digest)
        with pytest.raises(IllegalTransition):
            approved(archive, digest, actor="ito")

    def test_a_plan_for_a_version_that_is_no_longer_in_force_is_stale(self, new_archive: NewArchive) -> None:
        archive = new_archive(one_class("P30D", cool_off="PT1H"))
        digest = planned(archive, one_class("P14D"))
        change(archive, one_class("P20D"))
        with pytest.raises(StaleApproval, match="version 2 is in force"):
            approved(archive, digest)


class TestCancelling:
    def test_anybody_cancels_a_plan_before_it_is_in_force_and_it_is_on_record(self, archive: Archive) -> None:
        digest = planned(archive, one_class("P14D"))
        approved(archive, digest)
        with archive.database.write() as session:
            cancel(session, digest, archive.clock.now(), "ito")
        with archive.database.read() as session:
            (row,) = all_plans(session)
            assert (row.state, row.cancelled_by) == (PlanState.CANCELLED, "ito")
        assert acts(archive) == [
            (Tag.SCHEDULE_PLANNED, "sato"),
            (Tag.SCHEDULE_APPROVED, "tanaka"),
            (Tag.SCHEDULE_CANCELLED, "ito"),
        ]

    def test_a_cancelled_plan_is_never_approved(self, archive: Archive) -> None:
        digest = planned(archive, one_class("P14D"))
        with archive.database.write() as session:
            cancel(session, digest, archive.clock.now(), "sato")
        with pytest.raises(IllegalTransition):
            approved(archive, digest)


def test_a_preview_of_many_kinds_of_change_names_sites_and_classes(new_archive: NewArchive) -> None:
    """Sites are told apart; a recording stands under the class that keeps it longest."""
    old = Policy(
        (Rule("short", "quality", "P10D", kind="call"), Rule("long", "inquiry", "P40D", kind="call")),
        kinds={"quality": ("call",), "inquiry": ("call",)},
    )
    archive = new_archive(old)
    now = archive.clock.now()
    for site in ("osaka", "tokyo"):
        archive.add_source(f"line-{site}", "quality", "inquiry", kind=Kind.CALL, site=site)
        archive.add(Take(f"line-{site}", now - timedelta(days=15)))
    new = replace(old, classes=(old.classes[0], replace(old.classes[1], keep="P12D")))
    found = proposal(archive, new).impact
    today = found["on"]
    assert [(row["class"], row["site"], row["on"], row["direction"]) for row in found["changes"]] == [
        ("long", "osaka", today, "now"),
        ("long", "tokyo", today, "now"),
    ]
