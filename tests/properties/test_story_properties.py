"""Everything that can happen to an archive, in any order, against a ledger kept by hand.

After each step: what must be there is there and opens for what it is kept for
and for nothing else; what is gone is gone; what is held can be read through its
hold; what a night would do is what the ledger says.
"""

import shutil
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from retention.amendment.apply import apply
from retention.amendment.approve import approve as approve_change
from retention.amendment.plan import keep, propose
from retention.amendment.tools import Tools
from retention.catalogue.states import State
from retention.custody.model import Kind as Finding
from retention.disposal.approve import approve, keep_plan
from retention.disposal.model import RunState
from retention.kernel.errors import IllegalTransition, RetentionError
from retention.schedule.model import Kind
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore
from tests.builders.house import ACTOR, SECOND, House
from tests.builders.ledger import Held, Kept, Ledger, Use
from tests.builders.policy import FILE, policy_text
from tests.fixtures.houses import Template

PERIODS = {"quality": 10, "inquiry": 20, "security": 5, "dispute": 30, "contract-record": 40}
CHANGEABLE = ("quality", "inquiry", "security")
NUMBERS = ("+81355500143", "+81355500199", "")
CASES = ("case-1", "case-2")
#: source → kind, zone, area, purposes
SOURCES = {
    "line": (Kind.CALL, "Asia/Tokyo", "", ("quality",)),
    "contracts": (Kind.CALL, "America/New_York", "contract-line", ("quality", "inquiry")),
    "lobby": (Kind.FOOTAGE, "Asia/Tokyo", "", ("security",)),
}


@cache
def template() -> Template:
    return Template(Path(mkdtemp()) / "template")


class Story(RuleBasedStateMachine):
    """A store, its ledger, and what may happen next."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        template().copy(self.folder / "store")
        self.house = House(self.folder)
        self.ledger = Ledger(dict(PERIODS))
        self.offered: set[Path] = set()
        self.backups: list[tuple[Path, set[str]]] = []
        for name, (kind, zone, area, purposes) in SOURCES.items():
            self.house.add_source(name, kind=kind, zone=zone, area=area, purposes=purposes)

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        report = look(self.house, Level.DIGEST)
        assert [found for found in report.findings if found.kind is not Finding.STRANDED] == []
        assert self.house.verify().ok
        self.house.close()
        shutil.rmtree(self.folder)

    # --- what may happen

    @rule(
        source=st.sampled_from(sorted(SOURCES)),
        phone=st.sampled_from(NUMBERS),
        case=st.sampled_from(("", *CASES)),
        days_ago=st.integers(0, 12),
        hours=st.integers(0, 23),
    )
    def take_in(self, source: str, phone: str, case: str, days_ago: int, hours: int) -> None:
        kind, zone, area, purposes = SOURCES[source]
        ended_at = self.house.clock.now() - timedelta(days=days_ago, hours=hours)
        extra: dict[str, Any] = {"purposes": ["dispute"], "reference": case} if case else {}
        new = self.house.take_in(source, kind=kind, ended_at=ended_at, phone=phone, **extra)
        day = ended_at.astimezone(ZoneInfo(zone)).date()
        uses = [Use(purpose, day) for purpose in purposes]
        uses += [Use("dispute", None)] if case else []
        uses += [Use("contract-record", day)] if area == "contract-line" else []
        found = self.house.find(new)
        (written,) = [path for path in self.house.drop.glob("*.rec") if path not in self.offered]
        self.offered.add(written)
        self.ledger.kept[new] = Kept(
            new,
            written.read_bytes(),
            source,
            zone,
            phone,
            case,
            found.started_at,
            found.ended_at,
            tuple(uses),
        )

    @rule(days=st.integers(1, 15))
    def wait(self, days: int) -> None:
        self.house.clock.move(days=days)

    @rule(suspends_use=st.booleans(), pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.ledger.living())
    def hold_some(self, *, suspends_use: bool, pick: Random) -> None:
        living = sorted(one.id for one in self.ledger.living())
        chosen = pick.sample(living, min(2, len(living)))
        self._placed(recording_ids=frozenset(chosen), suspends_use=suspends_use)

    @rule(phone=st.sampled_from(NUMBERS[:2]), suspends_use=st.booleans())
    def hold_a_person(self, phone: str, *, suspends_use: bool) -> None:
        self._placed(phone=phone, suspends_use=suspends_use)

    @rule(source=st.sampled_from(sorted(SOURCES)), begins=st.integers(-10, 5), days=st.integers(1, 6))
    def hold_a_time(self, source: str, begins: int, days: int) -> None:
        from_at = self.house.clock.now() + timedelta(days=begins)
        self._placed(source_id=source, from_at=from_at, until_at=from_at + timedelta(days=days))

    def _placed(self, recording_ids: frozenset[str] = frozenset(), **what: Any) -> None:
        hold = self.house.place(*sorted(recording_ids), **what).hold
        self.ledger.holds[hold.id] = Held(
            hold.id,
            hold.key_id,
            recording_ids=recording_ids,
            **what,
        )

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.ledger.holds)
    def lift(self, pick: Random) -> None:
        chosen = pick.choice(sorted(self.ledger.holds))
        self.house.lift(chosen)
        del self.ledger.holds[chosen]

    @rule(case=st.sampled_from(CASES), days_ago=st.integers(0, 5))
    def close_case(self, case: str, days_ago: int) -> None:
        if not self.ledger.waits(case):
            return
        on = self.house.app.today() - timedelta(days=days_ago)
        self.house.trigger("case-closed", case, on)
        self.ledger.happen("dispute", case, on)

    @rule(purpose=st.sampled_from(CHANGEABLE), days=st.sampled_from((3, 7, 12, 25)))
    def change_the_schedule(self, purpose: str, days: int) -> None:
        wanted = self.ledger.days | {purpose: days}
        if wanted == self.ledger.days:
            return
        text = policy_text(**{name: f"P{wanted[name]}D" for name in CHANGEABLE})
        app, clock = self.house.app, self.house.clock
        with app.database.write() as session:
            proposal = propose(session, text, FILE, clock.now())
            digest = keep(session, proposal, "a reason", clock.now(), ACTOR).digest
        with app.database.write() as session:
            approve_change(session, digest, clock.now(), SECOND)
        clock.move(days=3)
        apply(Tools(app.database, app.keys, app.journal, clock), digest, ACTOR)
        self.ledger.days = wanted

    @rule(is_approved=st.booleans())
    def night(self, *, is_approved: bool) -> None:
        self.house.clock.move(days=1)
        now = self.house.clock.now()
        if self.backups:
            back_up(self.house, "recent", force=True)
        if is_approved:
            self._approve()
        goes = self.ledger.pass_night(now, is_approved=is_approved)
        run = self.house.night()
        assert (run.state, run.tripped, run.failed) == (RunState.DONE, {}, 0)
        assert run.disposed == len(goes)

    def _approve(self) -> None:
        plan = self.house.plan()
        with self.house.app.database.write() as session:
            keep_plan(session, plan, self.house.clock.now(), ACTOR)
        with self.house.app.database.write() as session, suppress(IllegalTransition):  # the same plan again
            approve(session, plan.digest, self.house.clock.now(), SECOND)

    @rule()
    def back_up(self) -> None:
        path = back_up(self.house, f"backup-{len(self.backups)}")
        self.backups.append((path, {one.id for one in self.ledger.kept.values()}))

    @rule(pick=st.randoms(use_true_random=False))
    @precondition(lambda self: self.backups)
    def restore(self, pick: Random) -> None:
        path, known = pick.choice(self.backups)
        restore(self.house, path)
        self.ledger.lose({one.id for one in self.ledger.living()} - known)

    # --- what must hold at every moment

    @invariant()
    def what_is_kept_opens_for_what_it_is_kept_for_and_nothing_else(self) -> None:
        now = self.house.clock.now()
        for one in self.ledger.living():
            assert self.house.find(one.id).state is State.SEALED
            holds = self.ledger.holds_on(one)
            is_restricted = any(hold.suspends_use for hold in holds)
            for purpose in PERIODS:
                use = next((use for use in one.uses if use.purpose == purpose), None)
                may = use is not None and not is_restricted and not self.ledger.has_ended(one, use, now)
                assert self._opens(one, purpose) == may
            for hold in holds:
                assert self._opens(one, hold_id=hold.id)

    def _opens(self, one: Kept, purpose: str = "", hold_id: str = "") -> bool:
        try:
            content = self.house.open(one.id, purpose, hold_id=hold_id)
        except RetentionError:
            return False
        assert content == one.content
        return True

    @invariant()
    def what_is_gone_is_gone(self) -> None:
        for one in self.ledger.kept.values():
            if one.is_gone:
                assert self.house.find(one.id).state is State.DISPOSED
                assert self.house.objects_of(one.id) == []

    @invariant()
    def what_a_night_would_do_is_what_the_ledger_says(self) -> None:
        goes, held = self.ledger.foretell(self.house.clock.now())
        plan = self.house.plan()
        assert (plan.recordings, plan.held) == (len(goes), len(held))

    @invariant()
    def lots_count_what_they_hold(self) -> None:
        assert self.house.recount() == self.house.lot_counts()


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=settings().max_examples // 6, stateful_step_count=25)
