"""Where every reason goes under a new schedule, and what that amounts to: no database."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from retention.amendment.compare import class_changes, in_words, may_keep_longer, notice_changes
from retention.amendment.impact import NEVER, Impact, Preview
from retention.amendment.model import (
    TRANSITIONS,
    Days,
    Lot,
    Member,
    Place,
    PlanState,
    Reasons,
    marked,
    purpose_without_class,
    step,
    trigger_of,
    unclassified,
    unmarked,
)
from retention.amendment.routes import (
    Route,
    Routes,
    count_rewraps,
    heir,
    rename_cohorts,
    touched_classes,
)
from retention.kernel.errors import IllegalTransition
from retention.schedule.model import Facts, Kind
from tests.builders.schedules import Policy, Rule, one_class

TODAY = date(2026, 3, 31)
DAY = timedelta(days=1)


def a_lot(
    *members: tuple[str, str, date | None],
    kind: Kind = Kind.FOOTAGE,
    area: str = "",
    is_held: bool = False,
    recordings: int = 10,
    expired: frozenset[str] = frozenset(),
    lot_id: int = 1,
) -> Lot:
    """A lot with (purpose, class, trigger day) as its members; cohorts are numbered from 1."""
    return Lot(
        lot_id,
        Facts(kind, "tokyo", area, "Asia/Tokyo"),
        is_held,
        recordings,
        recordings * 100,
        Reasons(
            tuple(
                Member(purpose, number, Place(name, day))
                for number, (purpose, name, day) in enumerate(members, 1)
            ),
            expired,
        ),
    )


def route(old: Policy, new: Policy, lot: Lot) -> Route:
    return Routes(old.schedule, new.schedule).of(lot)


def impact(old: Policy, new: Policy, *lots: Lot) -> Impact:
    preview = Preview(Routes(old.schedule, new.schedule), lambda _: TODAY)
    preview.add((lot, None) for lot in lots)
    return preview.impact


class TestWhereReasonsGo:
    def test_another_period_moves_nothing(self) -> None:
        found = route(one_class("P30D"), one_class("P14D"), a_lot(("security", "cctv", TODAY)))
        assert not found.is_move
        assert found.places((Member("security", 1, Place("cctv", TODAY)),), None) == [Place("cctv", TODAY)]

    def test_a_class_of_another_name_for_the_same_purpose_takes_over_with_the_same_day(self) -> None:
        lot = a_lot(("security", "cctv", TODAY))
        found = route(one_class("P30D"), Policy((Rule("cameras", "security"),)), lot)
        assert found.is_move
        assert found.places(lot.members, None) == [Place("cameras", TODAY)]

    def test_a_class_for_one_area_takes_the_recordings_of_that_area_only(self) -> None:
        new = Policy(
            (Rule("cctv", "security", but_areas=("desk",)), Rule("desk", "security", "P90D", areas=("desk",)))
        )
        desk, lobby = (a_lot(("security", "cctv", TODAY), area=area) for area in ("desk", ""))
        assert route(one_class("P30D"), new, desk).steps[0].class_name == "desk"
        assert not route(one_class("P30D"), new, lobby).is_move

    def test_a_purpose_that_is_gone_leaves_its_recordings_unclassified_with_their_day(self) -> None:
        old = Policy((Rule("cctv", "security"), Rule("dispute", "dispute", trigger="case-closed")))
        lot = a_lot(("dispute", "dispute", TODAY), ("security", "cctv", TODAY))
        found = route(old, one_class("P30D"), lot)
        assert found.lost == ("dispute",)
        assert found.places(lot.members, None)[0] == Place("unclassified~dispute~case-closed", TODAY)

    def test_what_was_unclassified_finds_a_class_again_without_losing_its_day(self) -> None:
        new = Policy((Rule("cctv", "security"), Rule("cases", "dispute", trigger="case-closed")))
        lot = a_lot(("dispute", "unclassified~dispute~case-closed", TODAY), ("security", "cctv", TODAY))
        assert route(one_class("P30D"), new, lot).places(lot.members, None)[0] == Place("cases", TODAY)

    def test_what_stays_unclassified_does_not_move(self) -> None:
        lot = a_lot(("dispute", "unclassified~dispute~case-closed", TODAY), ("security", "cctv", TODAY))
        found = route(one_class("P30D"), one_class("P14D"), lot)
        assert not found.is_move
        assert found.lost == ()

    def test_a_class_that_counts_from_the_other_end_needs_each_recordings_days(self) -> None:
        new = Policy((Rule("cctv", "security", trigger="recording-started"),))
        lot = a_lot(("security", "cctv", TODAY))
        found = route(one_class("P30D"), new, lot)
        assert found.needs_days
        assert found.places(lot.members, Days(TODAY - DAY, TODAY)) == [Place("cctv", TODAY - DAY)]

    def test_a_class_that_waits_for_an_event_opens_what_had_a_day(self) -> None:
        new = Policy((Rule("cctv", "security", trigger="case-closed"),))
        lot = a_lot(("security", "cctv", TODAY))
        assert route(one_class("P30D"), new, lot).places(lot.members, None) == [Place("cctv", None)]

    def test_a_new_floor_reaches_what_is_here_with_the_day_of_a_reason_that_counts_alike(self) -> None:
        new = replace(one_class("P30D"), floors=(Rule("law", "records", "P1Y"),))
        lot = a_lot(("security", "cctv", TODAY))
        found = route(one_class("P30D"), new, lot)
        assert found.places(lot.members, None) == [Place("cctv", TODAY), Place("law", TODAY)]

    def test_a_new_floor_that_counts_otherwise_takes_each_recordings_own_day(self) -> None:
        floor = Rule("law", "records", "P1Y", trigger="recording-started")
        lot = a_lot(("security", "cctv", TODAY))
        found = route(one_class("P30D"), replace(one_class("P30D"), floors=(floor,)), lot)
        assert found.needs_days
        places = found.places(lot.members, Days(TODAY - DAY, TODAY))
        assert places == [Place("cctv", TODAY), Place("law", TODAY - DAY)]

    def test_a_new_floor_that_waits_for_an_event_begins_open(self) -> None:
        floor = Rule("law", "records", "P1Y", trigger="case-closed")
        lot = a_lot(("security", "cctv", TODAY))
        found = route(one_class("P30D"), replace(one_class("P30D"), floors=(floor,)), lot)
        assert found.places(lot.members, None) == [Place("cctv", TODAY), Place("law", None)]

    def test_a_floor_that_was_outlived_does_not_come_back(self) -> None:
        policy = replace(one_class("P30D"), floors=(Rule("law", "records", "P1D"),))
        new = replace(policy, floors=(Rule("law", "records", "P1Y"),))
        lot = a_lot(("security", "cctv", TODAY), expired=frozenset({"records"}))
        assert route(policy, new, lot).added == ()

    def test_while_sorting_only_what_is_marked_moves(self) -> None:
        new = Policy((Rule("cameras", "security"),)).schedule
        here = Member("security", 1, Place("elsewhere", TODAY))
        waiting = Member("security", 2, Place("cctv", TODAY), mark="recording-ended")
        lot = a_lot()._replace(reasons=Reasons((here, waiting)))
        found = Routes(new, new, is_sorting=True).of(lot)
        assert [step.class_name for step in found.steps] == ["elsewhere", "cameras"]
        assert not found.needs_days


class TestCohorts:
    OLD = one_class("P30D")
    SPLIT = Policy(
        (Rule("cctv", "security", but_areas=("desk",)), Rule("desk", "security", "P90D", areas=("desk",)))
    )

    def test_a_cohort_whose_recordings_all_go_one_way_goes_with_them(self) -> None:
        routes = Routes(self.OLD.schedule, Policy((Rule("cameras", "security"),)).schedule)
        assert rename_cohorts(routes, [a_lot(("security", "cctv", TODAY))]) == {1: Place("cameras", TODAY)}

    def test_a_cohort_whose_recordings_stay_is_left_alone(self) -> None:
        routes = Routes(self.OLD.schedule, one_class("P14D").schedule)
        assert rename_cohorts(routes, [a_lot(("security", "cctv", TODAY))]) == {}

    def test_a_cohort_that_is_divided_is_marked_and_remembers_its_event(self) -> None:
        routes = Routes(self.OLD.schedule, self.SPLIT.schedule)
        lots = [a_lot(("security", "cctv", TODAY), area=area) for area in ("desk", "")]
        assert rename_cohorts(routes, lots) == {1: Place("moving~recording-ended~cctv", TODAY)}

    def test_a_cohort_that_gains_a_floor_is_marked(self) -> None:
        new = replace(self.OLD, floors=(Rule("law", "records", "P1Y"),))
        routes = Routes(self.OLD.schedule, new.schedule)
        marks = rename_cohorts(routes, [a_lot(("security", "cctv", TODAY))])
        assert unmarked(marks[1].class_name) == ("cctv", "recording-ended")

    def test_the_key_stays_with_the_part_that_is_due_first_so_that_it_never_outlives_what_it_opens(
        self,
    ) -> None:
        parts = {Place("desk", TODAY): 900, Place("cctv", TODAY): 1, Place("unclassified~x~", TODAY): 500}
        assert heir(parts, self.SPLIT.schedule) == Place("cctv", TODAY)

    def test_of_parts_due_alike_the_largest_keeps_the_key(self) -> None:
        schedule = Policy((Rule("a", "x"), Rule("b", "y"))).schedule
        assert heir({Place("a", TODAY): 1, Place("b", TODAY): 2}, schedule) == Place("b", TODAY)

    def test_only_the_recordings_that_leave_are_wrapped_anew(self) -> None:
        routes = Routes(self.OLD.schedule, self.SPLIT.schedule)
        lots = [
            a_lot(("security", "cctv", TODAY), area="desk", recordings=3),
            a_lot(("security", "cctv", TODAY), recordings=40),
        ]
        assert count_rewraps(routes, [(lot, None) for lot in lots]) == 3

    def test_marks_can_be_read_back_whatever_the_class(self) -> None:
        for name, trigger in (("cctv", "recording-ended"), ("unclassified~x~case-closed", "case-closed")):
            assert unmarked(marked(Place(name, None), trigger).class_name) == (name, trigger)
        assert unmarked(marked(Place("lost", None), None).class_name) == ("lost", "")
        assert unmarked("cctv") == ("cctv", None)

    def test_labels_tell_their_purpose_and_event_and_no_policy_can_have_such_a_class(self) -> None:
        label = unclassified("dispute", "case-closed")
        assert purpose_without_class(label) == "dispute"
        assert trigger_of(self.OLD.schedule, label) == "case-closed"
        assert purpose_without_class("cctv") is None
        assert trigger_of(self.OLD.schedule, "nobody-knows") is None
        with pytest.raises(Exception, match="is not a name"):
            _ = Policy((Rule(label, "dispute"),)).schedule


class TestTouchedClasses:
    def test_only_classes_whose_rules_differ_are_looked_at(self) -> None:
        rules = (Rule("a", "x"), Rule("b", "y"))
        new = Policy((replace(rules[0], keep="P5D"), rules[1]))
        assert touched_classes(Policy(rules).schedule, new.schedule, {"a", "b"}) == {"a"}

    def test_another_basis_or_approval_touches_nothing(self) -> None:
        new = Policy((Rule("cctv", "security", "P30D", approval="each-run"),))
        assert touched_classes(one_class("P30D").schedule, new.schedule, {"cctv"}) == set()

    def test_classes_that_neither_schedule_knows_are_looked_at_again(self) -> None:
        policies = one_class("P30D").schedule, one_class("P14D").schedule
        assert touched_classes(*policies, {"unclassified~x~", "gone"}) == {"unclassified~x~", "gone"}

    def test_a_new_floor_touches_the_classes_it_overlaps(self) -> None:
        old = Policy((Rule("calls", "x", kind="call"), Rule("cctv", "x", kind="footage")))
        new = replace(old, floors=(Rule("law", "records", "P1Y", kind="call"),))
        assert touched_classes(old.schedule, new.schedule, {"calls", "cctv"}) == {"calls"}

    def test_a_lower_ceiling_touches_what_waits_for_an_event(self) -> None:
        rules = (Rule("a", "x"), Rule("b", "y", trigger="case-closed"))
        old = Policy(rules, ceilings={"most": ("call", "P2Y")})
        new = Policy(rules, ceilings={"most": ("call", "P1Y")})
        assert touched_classes(old.schedule, new.schedule, {"a", "b"}) == {"b"}


class TestImpact:
    def test_a_shorter_period_makes_due_at_once_what_is_older_and_the_rest_sooner(self) -> None:
        lots = [a_lot(("security", "cctv", TODAY - days * DAY), recordings=days) for days in (20, 14, 13, 1)]
        found = impact(one_class("P30D"), one_class("P14D"), *lots)
        # The day of the trigger does not count: 14 days after it, a fifteenth day begins.
        assert (found.due_now.recordings, found.due_now.size_bytes) == (20, 2_000)
        assert found.sooner.recordings == 14 + 13 + 1
        assert found.later.recordings == 0
        assert found.changes["cctv", "tokyo", TODAY + DAY, "sooner"].recordings == 14

    def test_what_a_hold_keeps_is_counted_apart(self) -> None:
        found = impact(
            one_class("P30D"), one_class("P14D"), a_lot(("security", "cctv", TODAY - 20 * DAY), is_held=True)
        )
        assert (found.due_now.recordings, found.due_now.size_bytes, found.due_now.held) == (0, 0, 10)
        assert not found.curve

    def test_what_is_overdue_anyway_is_no_consequence_of_the_change(self) -> None:
        found = impact(one_class("P30D"), one_class("P14D"), a_lot(("security", "cctv", TODAY - 99 * DAY)))
        assert found == Impact()

    def test_a_recording_stays_as_long_as_its_longest_reason_but_loses_the_use_that_ends(self) -> None:
        old = Policy((Rule("a", "x", "P30D"), Rule("b", "y", "P90D")))
        new = Policy((Rule("a", "x", "P5D"), Rule("b", "y", "P90D")))
        day = TODAY - 10 * DAY
        found = impact(old, new, a_lot(("x", "a", day), ("y", "b", day)))
        assert found.due_now.recordings == 0
        assert not found.changes
        assert found.uses == {("a", "now"): 10}

    def test_a_longer_period_keeps_later_and_an_event_keeps_without_an_end(self) -> None:
        lot = a_lot(("security", "cctv", TODAY))
        longer = impact(one_class("P30D"), one_class("P60D"), lot)
        assert longer.later.recordings == 10
        forever = impact(one_class("P30D"), Policy((Rule("cctv", "security", trigger="case-closed"),)), lot)
        assert forever.changes["cctv", "tokyo", NEVER, "later"].recordings == 10

    def test_what_comes_sooner_beyond_a_year_is_told_apart(self) -> None:
        found = impact(one_class("P3Y"), one_class("P2Y"), a_lot(("security", "cctv", TODAY)))
        assert (found.sooner.recordings, found.sooner_after_horizon.recordings) == (0, 10)

    def test_a_floor_that_keeps_what_its_class_would_let_go_is_named(self) -> None:
        floor = (Rule("law", "records", "P1Y"),)
        old, new = replace(one_class("P30D"), floors=floor), replace(one_class("P14D"), floors=floor)
        day = TODAY - 20 * DAY
        found = impact(old, new, a_lot(("records", "law", day), ("security", "cctv", day)))
        assert found.kept_by_floor == {("cctv", "law"): 10}
        assert found.due_now.recordings == 0

    def test_recordings_without_an_end_under_a_ceiling_are_counted(self) -> None:
        old = Policy((Rule("a", "x"), Rule("b", "y")), ceilings={"most": ("footage", "P1Y")})
        new = Policy((Rule("a", "x"),), ceilings={"most": ("footage", "P1Y")})
        found = impact(old, new, a_lot(("y", "b", TODAY)))
        assert found.without_end == {"most": 10}
        assert found.unclassified == {"y": 10}
        assert found.lost_class == 10


class TestWords:
    def test_a_rule_reads_as_a_sentence(self) -> None:
        rule = Policy(
            (
                Rule("a", "x", "P1M", but_areas=("desk", ""), approval="each-run"),
                Rule("b", "x", areas=("desk", "")),
            )
        ).schedule.classes["a"]
        assert in_words(rule) == (
            "P1M (jp-civil-code-143) from recording-ended, approved for each run"
            " for x: call and footage, area not desk or none"
        )

    def test_classes_that_differ_are_named_with_both_rules_and_whether_they_keep_longer(self) -> None:
        old = Policy((Rule("a", "x", "P5D"), Rule("b", "y", "P5D"), Rule("c", "z")))
        new = Policy((Rule("a", "x", "P6D"), Rule("b", "y", "P4D"), Rule("d", "z")))
        found = {each.name: each for each in class_changes(old.schedule, new.schedule)}
        assert [name for name, each in found.items() if each.is_longer] == ["a"]
        assert (found["c"].new, found["d"].old) == ("", "")

    @pytest.mark.parametrize(
        ("before", "after", "longer"),
        [
            (("P30D", "recording-ended"), ("P29D", "recording-ended"), False),
            (("P30D", "recording-ended"), ("P1M", "recording-ended"), True),  # from 31 days' months
            (("P30D", "recording-started"), ("P30D", "recording-ended"), True),
            (("P30D", "recording-ended"), ("P30D", "recording-started"), False),
            (("P30D", "recording-ended"), ("P1D", "case-closed"), True),
            (("P30D", "case-closed"), ("P30D", "case-closed"), False),
            (("P30D", "case-closed"), ("P30D", "recording-ended"), False),
        ],
    )
    def test_any_recording_that_may_be_kept_longer_makes_a_class_longer(
        self, before: tuple[str, str], after: tuple[str, str], longer: bool
    ) -> None:
        rules = [Policy((Rule("a", "x", *each),)).schedule.classes["a"] for each in (before, after)]
        assert may_keep_longer(*rules) is longer

    def test_a_notice_that_tells_another_period_must_change_its_text_and_version(self) -> None:
        old = one_class("P30D", states={"cctv": "P30D"}, notice=("1", "Kept for thirty days."))
        same_text = one_class("P14D", states={"cctv": "P14D"}, notice=("2", "Kept for thirty days."))
        new_text = one_class("P14D", states={"cctv": "P14D"}, notice=("2", "Kept for fourteen days."))
        for new, is_replaced in ((same_text, False), (new_text, True)):
            (found,) = notice_changes(old.schedule, new.schedule)
            assert (found.states, found.keeps, found.is_replaced) == ("P30D", "P14D", is_replaced)
        assert notice_changes(old.schedule, old.schedule) == ()


class TestStates:
    def test_a_plan_goes_its_way_and_no_other(self) -> None:
        actions = {action for _, action in TRANSITIONS}
        for state in PlanState:
            for action in actions:
                if (state, action) in TRANSITIONS:
                    assert step("digest", state, action) is TRANSITIONS[state, action]
                else:
                    with pytest.raises(IllegalTransition):
                        step("digest", state, action)

    def test_what_is_in_force_cannot_be_cancelled(self) -> None:
        for state in (PlanState.MOVING, PlanState.APPLIED):
            with pytest.raises(IllegalTransition):
                step("digest", state, "cancel")
