"""Everything that can happen to people's requests, in any order, with nights, holds, backups and restores between.

After each step: what an open request describes is there; what was erased is
gone, whatever was restored; what is suspended opens for nobody. Nobody approves
an act of their own, and a step that is not possible says why and changes
nothing.
"""

import json
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
from retention.holds.find import find_hold
from retention.kernel.errors import (
    HoldInForce,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    RetentionError,
    StaleApproval,
)
from retention.requests.answer import close
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.correct import code_of, propose
from retention.requests.decide import Decision, approve, decide, send_back, withdraw
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import describe, granted, match
from retention.requests.model import WITHDRAWN, Stage, Step, path_of
from retention.requests.particulars import Change
from retention.requests.print import Printed, Sheet
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.door import Way
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore
from tests.builders.docket import Case, Docket, Truth
from tests.builders.house import ACTOR, SECOND, House
from tests.fixtures.houses import NewHouse

NUMBERS = ("+81355500143", "+81355500177", "+81355500199")
KINDS = (RequestKind.SUSPENSION, RequestKind.ERASURE, RequestKind.CORRECTION)
DECISIONS = {
    Outcome.FULL: Decision(Outcome.FULL),
    Outcome.REFUSED: Decision(Outcome.REFUSED, ("no-breach",), "nothing was found"),
    Outcome.NOTHING_HELD: Decision(Outcome.NOTHING_HELD),
}
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
        self.docket, self.truth = Docket(), Truth()
        self.backups: list[tuple[Path, Docket]] = []
        for kind, number in zip(KINDS, NUMBERS, strict=True):
            self._take_in(number, days_ago=0)
            self._file(kind, number)

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

    @rule()
    @precondition(lambda self: len(self.backups) < 3)
    def back_up(self) -> None:
        path = back_up(self.house, f"backup-{len(self.backups)}")
        self.backups.append((path, deepcopy(self.docket)))

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.backups)
    def restore(self, pick: Random) -> None:
        path, then = pick.choice(self.backups)
        restore(self.house, path)
        self.docket = deepcopy(then)
        for case in self.docket.cases.values():
            case.frozen -= self.truth.gone
            case.freezes = case.freezes and case.receipt not in self.truth.spent
            if case.receipt in self.truth.closed:
                case.stage, case.frozen = Stage.CLOSED, set()
        self._freeze()

    def _living(self) -> set[str]:
        return self.docket.known - self.truth.gone

    def _freeze(self) -> None:
        """Whatever an open request describes is frozen, once and until it is closed."""
        for case in self.docket.cases.values():
            if case.is_open and case.freezes:
                case.frozen |= {each for each in self._living() if self.truth.numbers[each] in case.described}

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
            assert self._living().issuperset(self._granted(case))
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
                self._decide(case, Outcome.FULL if self._granted(case) else Outcome.NOTHING_HELD)
            elif (case.stage, Step.CARRY_OUT) in path_of(case.kind, case.outcome):
                self._carry_out(case)
            elif case.stage in NEXT:
                self._step(case, NEXT[case.stage])

    @rule(outcome=st.sampled_from(sorted(DECISIONS)), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def decide(self, outcome: Outcome, pick: Random) -> None:
        self._decide(self._pick(pick), outcome)

    def _decide(self, case: Case, outcome: Outcome) -> None:
        tools, decision = self.house.app.paper_tools(), DECISIONS[outcome]
        if case.kind is RequestKind.CORRECTION and outcome is Outcome.REFUSED:
            decision = Decision(outcome, ("facts-correct",), "it is right")
        if case.stage is not Stage.MATCHED:
            self._refused(case, lambda: decide(tools, case.receipt, decision, ACTOR))
            return
        living = self._granted(case)
        if outcome is not Outcome.REFUSED and bool(living) is (outcome is Outcome.NOTHING_HELD):
            with pytest.raises(InvalidInput, match="held"):
                decide(tools, case.receipt, decision, ACTOR)
            return
        if case.kind is RequestKind.CORRECTION and not self._propose(case, living, outcome):
            return
        decide(tools, case.receipt, decision, ACTOR)
        case.stage, case.outcome = Stage.DECIDED, outcome

    def _propose(self, case: Case, living: tuple[str, ...], outcome: Outcome) -> bool:
        """Put one correction together, and take back every other; whether there is one, or none is wanted."""
        there = [each for each in living if self._is_sealed(each)]
        if len(there) < len(living):
            return False  # a restore brought the search back, and not what it found
        app = self.house.app
        for each in there:
            propose(app.paper_tools(), app.door, case.receipt, each, [], ACTOR)
        if outcome is not Outcome.FULL:
            return True
        number = next(each for each in NUMBERS if each != self.truth.numbers[there[0]])
        change = Change("caller", "phone", number)
        propose(app.paper_tools(), app.door, case.receipt, there[0], [change], ACTOR)
        return True

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.docket.cases)
    def carry_out(self, pick: Random) -> None:
        self._carry_out(self._pick(pick))

    def _carry_out(self, case: Case) -> None:
        tools, disposal = self.house.app.paper_tools(), self.house.app.disposal_tools()
        if (case.stage, Step.CARRY_OUT) not in path_of(case.kind, case.outcome):
            self._refused(case, lambda: carry_out(tools, disposal, case.receipt, ACTOR))
            return
        before = self._row(case)
        try:
            row = carry_out(tools, disposal, case.receipt, ACTOR)
        except (HoldInForce, StaleApproval) as error:
            refused = error
        else:
            self._done(case, row)
            return
        assert refused.message
        assert refused.hint
        assert self._row(case) == before

    def _done(self, case: Case, row: RequestRow) -> None:
        case.stage = Stage.CARRIED_OUT
        done = set(row.effect["recordings"])
        if case.kind is RequestKind.ERASURE:
            self._erased(case, done)
        elif case.kind is RequestKind.SUSPENSION:
            self.truth.suspended |= done
        else:
            self.truth.numbers |= {each: self._number_of(each) for each in done}
        self._freeze()

    def _erased(self, case: Case, done: set[str]) -> None:
        for each in self.docket.cases.values():
            assert each is case or not each.is_open or each.frozen.isdisjoint(done)
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
            Step.APPROVE: lambda: approve(tools, name, who, self._code(case)),
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
        before = self._row(case)
        with pytest.raises(IllegalTransition) as refused:
            act()
        assert case.receipt in refused.value.message
        assert refused.value.hint
        assert self._row(case) == before

    # --- how it is seen

    def _pick(self, pick: Random) -> Case:
        """One of the requests; those that are closed only where no other is left."""
        cases = [*self.docket.cases.values()]
        return pick.choice([each for each in cases if each.is_open][-4:] or cases)

    def _row(self, case: Case) -> dict[str, Any]:
        with self.house.app.database.read() as session:
            row: RequestRow = find_request(session, case.receipt)
            return row.model_dump()

    def _granted(self, case: Case) -> tuple[str, ...]:
        with self.house.app.database.read() as session:
            return granted(session, find_request(session, case.receipt).id)

    def _code(self, case: Case) -> str:
        with self.house.app.database.read() as session:
            return code_of(session, self.house.app.paper_tools(), find_request(session, case.receipt))

    def _is_sealed(self, recording_id: str) -> bool:
        try:
            return self.house.find(recording_id).state is State.SEALED
        except NotFound:
            return False

    def _number_of(self, recording_id: str) -> str:
        (hold, *_) = self.house.find(recording_id).hold_ids
        with self.house.app.database.read() as session:
            way = Way(hold_id=hold, hold_key_id=find_hold(session, hold).key_id)
        door, now = self.house.app.door, self.house.clock.now()
        note = json.loads(door.particulars(self.house.app.schedule(), recording_id, way, ACTOR, now))
        number: str = note["entry"]["participants"][0]["phone"]
        return number

    # --- what must hold at every moment

    @invariant()
    def a_request_is_where_its_diary_says(self) -> None:
        for case in self.docket.cases.values():
            row = self._row(case)
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
    def what_was_erased_stays_erased(self) -> None:
        for each in self.truth.erased:
            assert not self._is_sealed(each)
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
