"""Everything that can happen to people's requests, in any order, with nights, legal holds, backups and restores between.

After each step: what an open request describes is there, and so is what a legal
hold covers; what was erased is gone, whatever was restored; what is suspended
opens for nobody; what was stopped is given to nobody, nor what arrives later
about this person, whatever was agreed to before; and what was given stays on the
ledger. Nobody approves an act of their own, and a step that is not possible says
why and changes nothing.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from retention.catalogue.identifiers import Identifier
from retention.catalogue.states import State
from retention.custody.model import Kind as Finding
from retention.disclosure.deliver import hand_over
from retention.disclosure.package import package
from retention.disposal.model import RunState
from retention.kernel.errors import (
    HoldInForce,
    IllegalTransition,
    InvalidInput,
    NotPermitted,
    RetentionError,
    StaleApproval,
)
from retention.provision.model import Stage as GiftStage
from retention.requests.answer import close
from retention.requests.carry_out import carry_out
from retention.requests.correct import propose
from retention.requests.decide import approve, decide, send_back, withdraw
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import describe, match
from retention.requests.model import ACTING, WITHDRAWN, Stage, Step, path_of
from retention.requests.particulars import Change
from retention.requests.print import Printed, Sheet
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import OUTCOMES, Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore
from tests.builders.disclosure import Copy, redacted
from tests.builders.docket import Case, Docket, Truth, decision_on
from tests.builders.gifts import Gift, proposed, stage_of, take_further
from tests.builders.house import ACTOR, SECOND, House
from tests.builders.register import Register
from tests.fixtures.houses import NewHouse

NUMBERS = ("+81355500143", "+81355500177", "+81355500199")
#: What is filed at first, one about each number, beside a stop for the last; a provision of each is agreed to.
FIRST = (RequestKind.SUSPENSION, RequestKind.ERASURE, RequestKind.CORRECTION)
#: What may be filed later: mostly what changes something.
KINDS = (*RequestKind, *sorted(ACTING))
ENDS = (Outcome.FULL, Outcome.REFUSED, Outcome.NOTHING_HELD, Outcome.ANSWERED)
#: The steps that a request can be asked to take; `decide` and `carry out` have rules of their own.
ASKED = (
    Step.IDENTIFY, Step.MATCH, Step.APPROVE, Step.SEND_BACK, Step.PACKAGE, Step.DELIVER, Step.CLOSE, Step.WITHDRAW,
)  # fmt: skip

NEXT = {
    Stage.FILED: Step.IDENTIFY,
    Stage.IDENTIFIED: Step.MATCH,
    Stage.DECIDED: Step.APPROVE,
    Stage.APPROVED: Step.PACKAGE,
    Stage.CARRIED_OUT: Step.PACKAGE,
    Stage.PACKAGED: Step.DELIVER,
    Stage.DELIVERED: Step.CLOSE,
}


def _plain_paper(sheet: Sheet) -> Printed:
    """A letter that is not set in type, which takes longer than everything else here."""
    return Printed(sheet.subject.encode(), ())


class Office(RuleBasedStateMachine):
    """A store, its docket, and what may happen next."""

    new_house: ClassVar[Callable[..., House]]

    @initialize()
    def begin(self) -> None:
        self.house = self.new_house()
        self.house.add_source()
        self.register = Register(self.house)
        self.docket, self.truth = Docket(), Truth()
        self.gifts: dict[str, Gift] = {}
        self.backups: list[tuple[Path, Docket, dict[str, Gift]]] = []
        for kind, number in zip(FIRST, NUMBERS, strict=True):
            self._take_in(number, days_ago=0)
            self._file(kind, number)
        self._file(RequestKind.STOP_PROVISION, NUMBERS[-1])
        for recording in sorted(self.docket.known):
            self._propose_to_give(recording)
        for gift in self.gifts.values():
            take_further(self.house, self.truth, gift)

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        report = look(self.house, Level.DIGEST)
        assert [found for found in report.findings if found.kind is not Finding.STRANDED] == []
        assert self.house.verify().ok
        self.house.close()

    # --- what may happen around requests

    @rule(number=st.sampled_from(NUMBERS), days_ago=st.integers(0, 9))
    def take_in(self, number: str, days_ago: int) -> None:
        self._take_in(number, days_ago)

    def _take_in(self, number: str, days_ago: int) -> None:
        ended_at = self.house.clock.now() - timedelta(days=days_ago)
        new = self.house.take_in(ended_at=ended_at, phone=number)
        self.docket.known.add(new)
        self.truth.numbers[new] = number
        self._freeze()

    @rule(days=st.integers(1, 6))
    def night(self, days: int) -> None:
        self.house.clock.move(days=days)
        if self.backups:
            back_up(self.house, "recent", force=True)
        run = self.house.night()
        assert (run.state, run.tripped, run.failed) == (RunState.DONE, {}, 0)
        found = {each: self.house.find(each) for each in self._living()}
        self.truth.gone |= {each for each, about in found.items() if about.state is State.DISPOSED}
        today = self.house.app.today()
        for each in self._living():
            is_due = all(reason.due_on and reason.due_on <= today for reason in found[each].reasons)
            assert found[each].hold_ids or not is_due

    @rule(number=st.sampled_from(NUMBERS))
    @precondition(lambda self: len(self.truth.holds) < 2)
    def place_a_legal_hold(self, number: str) -> None:
        placed = self.house.place(phone=number)
        self.truth.holds[placed.hold.id], self.truth.held[placed.hold.id] = number, set()
        self._freeze()
        assert set(placed.recording_ids) == self.truth.held[placed.hold.id]

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.truth.holds)
    def lift_a_legal_hold(self, pick: Random) -> None:
        hold = pick.choice(sorted(self.truth.holds))
        self.house.lift(hold)
        del self.truth.holds[hold], self.truth.held[hold]

    @rule()
    @precondition(lambda self: len(self.backups) < 3)
    def back_up(self) -> None:
        path = back_up(self.house, f"backup-{len(self.backups)}")
        self.backups.append((path, deepcopy(self.docket), deepcopy(self.gifts)))

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.backups)
    def restore(self, pick: Random) -> None:
        path, then, gifts = pick.choice(self.backups)
        restore(self.house, path)
        self.docket = deepcopy(then)
        handed_over = {
            digest: Gift(digest, recording, GiftStage.HANDED_OVER)
            for digest, recording in self.truth.given.items()
        }
        self.gifts = deepcopy(gifts) | handed_over
        for case in self.docket.cases.values():
            case.frozen -= self.truth.gone
            case.freezes = case.freezes and case.receipt not in self.truth.spent
            if case.receipt in self.truth.closed:
                case.stage, case.frozen = Stage.CLOSED, set()
        self._freeze()

    @rule(pick=st.randoms(use_true_random=False))
    def propose_a_provision(self, pick: Random) -> None:
        self._propose_to_give(pick.choice(sorted(self.docket.known)))

    def _propose_to_give(self, recording: str) -> None:
        gift = proposed(self.house, self.truth, recording)
        if gift is not None:
            self.gifts[gift.digest] = gift

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.gifts)
    def take_a_provision_further(self, pick: Random) -> None:
        on_their_way = [each for each in self.gifts.values() if each.stage is not GiftStage.HANDED_OVER]
        take_further(self.house, self.truth, pick.choice(on_their_way or [*self.gifts.values()]))

    def _living(self) -> set[str]:
        return self.docket.known - self.truth.gone

    def _freeze(self) -> None:
        """Whatever an open request describes is frozen, once and until it is closed; so is what a legal hold is about."""
        for case in self.docket.cases.values():
            if case.is_open and case.freezes:
                case.frozen |= self._of(*case.described)
        for hold, number in self.truth.holds.items():
            self.truth.held[hold] |= self._of(number)
        self.truth.stopped |= self._of(*self.truth.stopped_numbers)

    def _of(self, *numbers: str) -> set[str]:
        return {each for each in self._living() if self.truth.numbers[each] in numbers}

    # --- what may happen to a request

    @rule(kind=st.sampled_from(KINDS), number=st.sampled_from(NUMBERS))
    def file(self, kind: RequestKind, number: str) -> None:
        self._file(kind, number)

    def _file(self, kind: RequestKind, number: str) -> None:
        described = Described((Identifier("phone", number),))
        now = self.house.clock.now()
        received = Received(kind, Person("高橋 花子", "東京都"), now, "ja", described=described)
        receipt = file(self.house.app.paper_tools(), received, ACTOR).receipt
        self.docket.cases[receipt] = Case(receipt, kind, {number})
        self._freeze()

    @rule(number=st.sampled_from(NUMBERS), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def describe(self, number: str, pick: Random) -> None:
        case = self._pick(pick)
        more = Described((Identifier("phone", number),))
        tools = self.house.app.paper_tools()
        if case.stage in (Stage.FILED, Stage.IDENTIFIED, Stage.MATCHED):
            describe(tools, case.receipt, more, ACTOR)
            case.described.add(number)
            self._freeze()
        else:
            self._refused(case, lambda: describe(tools, case.receipt, more, ACTOR))

    @rule(step=st.sampled_from(ASKED), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def take_a_step(self, step: Step, pick: Random) -> None:
        self._step(self._pick(pick), step)

    def _step(self, case: Case, step: Step) -> None:
        path = path_of(case.kind, case.outcome)
        if (case.stage, step) not in path:
            self._refused(case, lambda: self._do(case, step))
            return
        if step in (Step.APPROVE, Step.SEND_BACK):
            with pytest.raises(NotPermitted, match="nobody approves"):
                self._do(case, step, who=ACTOR)
        self._do(case, step)
        case.stage = path[case.stage, step]
        if step in (Step.SEND_BACK, Step.WITHDRAW):
            case.outcome = None
        if step is Step.MATCH:
            case.freezes = True
            assert self._living().issuperset(self.register.granted(case.receipt))
        if step is Step.CLOSE:
            case.frozen = set()
            self.truth.closed.add(case.receipt)
        self._freeze()

    @rule(steps=st.integers(2, 8), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def go_on(self, steps: int, pick: Random) -> None:
        """As an office does that is not disturbed."""
        case = self._pick(pick)
        for _ in range(steps):
            if case.stage is Stage.MATCHED:
                self._step(case, Step.MATCH)
                self._decide(case, self._best(case))
            elif (case.stage, Step.DECIDE) in path_of(case.kind):
                self._decide(case, Outcome.ANSWERED)
            elif (case.stage, Step.CARRY_OUT) in path_of(case.kind, case.outcome):
                self._carry_out(case)
            elif case.stage in NEXT:
                self._step(case, NEXT[case.stage])

    def _best(self, case: Case) -> Outcome:
        """What she would like to hear."""
        return Outcome.FULL if self._can_be_granted(case) else Outcome.NOTHING_HELD

    def _can_be_granted(self, case: Case) -> bool:
        if case.kind is RequestKind.PROVISION_RECORDS:
            return self.register.was_given(case.receipt)
        return bool(self.register.granted(case.receipt))

    @rule(outcome=st.sampled_from(ENDS), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def decide(self, outcome: Outcome, pick: Random) -> None:
        self._decide(self._pick(pick), outcome)

    def _decide(self, case: Case, outcome: Outcome) -> None:
        tools, decision = self.house.app.paper_tools(), decision_on(case.kind, outcome)
        if (case.stage, Step.DECIDE) not in path_of(case.kind):
            self._refused(case, lambda: decide(tools, case.receipt, decision, ACTOR))
            return
        if why := self._why_not(case, outcome):
            with pytest.raises(InvalidInput, match=why):
                decide(tools, case.receipt, decision, ACTOR)
            return
        if not self._prepare(case, outcome):
            return
        decide(tools, case.receipt, decision, ACTOR)
        case.stage, case.outcome = Stage.DECIDED, outcome

    def _why_not(self, case: Case, outcome: Outcome) -> str:
        """Why it cannot end so, by what is held; "" where it can."""
        if outcome not in OUTCOMES[case.kind]:
            return "cannot end"
        if outcome in (Outcome.REFUSED, Outcome.ANSWERED):
            return ""
        if self._can_be_granted(case) is not (outcome is Outcome.NOTHING_HELD):
            return ""
        return "provision" if case.kind is RequestKind.PROVISION_RECORDS else "held"

    def _prepare(self, case: Case, outcome: Outcome) -> bool:
        """What a decision is about: copies, or corrections. Whether there is all that it needs."""
        if case.kind not in (RequestKind.DISCLOSURE, RequestKind.CORRECTION):
            return True
        living = self.register.granted(case.receipt)
        if not all(self.register.is_sealed(each) for each in living):
            return False  # a restore brought the search back, and not what it found
        if case.kind is RequestKind.CORRECTION:
            self._propose(case, living, outcome)
        elif outcome is Outcome.FULL:
            missing = set(living) - self.register.copied(case.receipt)
            redacted(self.house, case.receipt, {each: Copy(b"a copy") for each in missing})
        return True

    def _propose(self, case: Case, living: tuple[str, ...], outcome: Outcome) -> None:
        """Put one correction together where it is granted, and take back every other."""
        app = self.house.app
        for each in living:
            propose(app.paper_tools(), app.door, case.receipt, each, [], ACTOR)
        if outcome is Outcome.FULL:
            number = next(each for each in NUMBERS if each != self.truth.numbers[living[0]])
            change = Change("caller", "phone", number)
            propose(app.paper_tools(), app.door, case.receipt, living[0], [change], ACTOR)

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def carry_out(self, pick: Random) -> None:
        self._carry_out(self._pick(pick))

    def _carry_out(self, case: Case) -> None:
        tools, disposal = self.house.app.paper_tools(), self.house.app.disposal_tools()
        if (case.stage, Step.CARRY_OUT) not in path_of(case.kind, case.outcome):
            self._refused(case, lambda: carry_out(tools, disposal, case.receipt, ACTOR))
            return
        before = self.register.row(case.receipt)
        try:
            row = carry_out(tools, disposal, case.receipt, ACTOR)
        except (HoldInForce, StaleApproval) as error:
            refused = error
        else:
            self._done(case, row)
            return
        assert refused.message
        assert refused.hint
        assert self.register.row(case.receipt) == before

    def _done(self, case: Case, row: RequestRow) -> None:
        case.stage = Stage.CARRIED_OUT
        done = set(row.effect["recordings"])
        if case.kind is RequestKind.ERASURE:
            self._erased(case, done)
        elif case.kind is RequestKind.SUSPENSION:
            self.truth.suspended |= done
        elif case.kind is RequestKind.STOP_PROVISION:
            self.truth.stopped |= done
            self.truth.stopped_numbers |= case.described
        else:
            self.truth.numbers |= {each: self.register.number_of(each) for each in done}
        self._freeze()

    def _erased(self, case: Case, done: set[str]) -> None:
        for each in self.docket.cases.values():
            assert each is case or not each.is_open or each.frozen.isdisjoint(done)
        assert all(each.isdisjoint(done) for each in self.truth.held.values())
        self.truth.erased |= done
        self.truth.gone |= done
        self.truth.spent.add(case.receipt)
        case.frozen -= done
        case.freezes = False

    def _do(self, case: Case, step: Step, who: str = SECOND) -> None:
        app, name = self.house.app, case.receipt
        tools = app.paper_tools()
        acts: dict[Step, Any] = {
            Step.IDENTIFY: lambda: identify(tools, name, ["drivers-licence"], [], "", ACTOR),
            Step.MATCH: lambda: match(tools, name, ACTOR),
            Step.APPROVE: lambda: approve(tools, name, who, self.register.code(case.receipt)),
            Step.SEND_BACK: lambda: send_back(tools, name, "look again", who),
            Step.PACKAGE: lambda: self._package(case),
            Step.DELIVER: lambda: hand_over(tools, app.outbox, name, "post", "", ACTOR),
            Step.CLOSE: lambda: close(tools, app.hold_tools(), name, ACTOR),
            Step.WITHDRAW: lambda: withdraw(tools, name, "she called", ACTOR),
        }
        acts[step]()

    def _package(self, case: Case) -> None:
        app = self.house.app
        package(app.paper_tools(), replace(app.package_house, printer=_plain_paper), case.receipt, ACTOR)

    def _refused(self, case: Case, act: Any) -> None:
        """The step is not possible, says what is, and changes nothing."""
        before = self.register.row(case.receipt)
        with pytest.raises(IllegalTransition) as refused:
            act()
        assert case.receipt in refused.value.message
        assert refused.value.hint
        assert self.register.row(case.receipt) == before

    # --- how it is seen

    def _pick(self, pick: Random) -> Case:
        """One of the requests; those that are closed only where no other is left."""
        cases = [*self.docket.cases.values()]
        return pick.choice([each for each in cases if each.is_open][-4:] or cases)

    # --- what must hold at every moment

    @invariant()
    def a_request_is_where_its_diary_says(self) -> None:
        for case in self.docket.cases.values():
            row = self.register.row(case.receipt)
            assert row["stage"] == case.stage
            if case.is_open:
                assert row["outcome"] in ((case.outcome or ""), WITHDRAWN)

    @invariant()
    def nothing_that_an_open_request_describes_is_disposed_of(self) -> None:
        for case in self.docket.cases.values():
            for each in case.frozen:
                found = self.house.find(each)
                assert found.state is State.SEALED
                assert found.hold_ids

    @invariant()
    def nothing_that_a_legal_hold_covers_is_disposed_of(self) -> None:
        for hold, covered in self.truth.held.items():
            for each in covered & self.docket.known:
                assert hold in self.house.find(each).hold_ids

    @invariant()
    def what_was_stopped_is_given_to_nobody(self) -> None:
        for each in self.truth.stopped & self._living():
            assert self.register.is_stopped(each)

    @invariant()
    def what_was_given_stays_on_the_ledger_and_nothing_else_is_there_as_given(self) -> None:
        for gift in self.gifts.values():
            assert stage_of(self.house, gift.digest) is gift.stage
        given = "SELECT count(*) AS n FROM provision WHERE stage = 'handed-over'"
        assert self.house.rows(given)[0].n == len(self.truth.given)

    @invariant()
    def what_was_erased_stays_erased(self) -> None:
        for each in self.truth.erased:
            assert not self.register.is_sealed(each)
            assert self.house.objects_of(each) == []

    @invariant()
    def what_is_suspended_opens_for_nobody(self) -> None:
        for each in self.truth.suspended & self._living():
            with pytest.raises(RetentionError, match="suspended"):
                self.house.open(each, "quality")

    @invariant()
    def lots_count_what_they_hold(self) -> None:
        assert self.house.recount() == self.house.lot_counts()


@pytest.mark.slow
def test_requests_nights_holds_and_restores_in_any_order(new_house: NewHouse) -> None:
    class Here(Office):
        pass

    Here.new_house = staticmethod(new_house)
    run_state_machine_as_test(
        Here, settings=settings(max_examples=max(settings().max_examples // 16, 1), stateful_step_count=25)
    )
