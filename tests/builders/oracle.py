"""What a change of the schedule must do, looked at recording by recording.

The oracle knows no cohort and no lot: it takes each recording with its reasons,
asks the schedules about it, and adds up.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from retention.amendment.apply import apply
from retention.amendment.approve import approve
from retention.amendment.impact import HORIZON
from retention.amendment.plan import keep, propose
from retention.amendment.tools import Tools
from retention.catalogue.states import State
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, RecordingRow, WrapRow
from retention.database import table_of
from retention.kernel.clock import local_date
from retention.schedule.evaluate import Membership, Outcome, evaluate
from retention.schedule.model import Facts, Schedule
from tests.builders.archive import Archive
from tests.builders.schedules import FILE, Policy

NEVER = date.max


@dataclass(frozen=True)
class Reason:
    """A living reason to keep one recording, as the oracle sees it."""

    purpose: str
    class_name: str
    event: str  #: that its day is of
    day: date | None


@dataclass
class Known:
    """One recording, as the oracle sees it."""

    id: str
    facts: Facts
    started_at: datetime
    ended_at: datetime
    size_bytes: int
    holds: tuple[str, ...]
    reasons: list[Reason]
    outlived: set[str]

    def after(self, new: Schedule) -> list[Reason]:
        """Its reasons under another schedule."""
        found = new.classify(self.facts, {reason.purpose for reason in self.reasons})
        classes = {each.purpose: each.class_name for each in found.assigned}
        reasons = [self._moved(reason, new, classes.get(reason.purpose)) for reason in self.reasons]
        added = classes.keys() - {reason.purpose for reason in self.reasons} - self.outlived
        floors = [Reason(purpose, "", "", None) for purpose in sorted(added)]
        return reasons + [self._moved(floor, new, classes[floor.purpose]) for floor in floors]

    def _moved(self, reason: Reason, new: Schedule, target: str | None) -> Reason:
        if target is None:
            name = f"unclassified~{reason.purpose}~{reason.event}"
            return replace(reason, class_name=name)
        event = new.classes[target].trigger
        if event == reason.event:
            return replace(reason, class_name=target)
        events = {known.event: known.day for known in self.reasons if known.day} if not reason.event else {}
        day = new.trigger_on(
            target, started_at=self.started_at, ended_at=self.ended_at, zone=self.facts.zone, events=events
        )
        return Reason(reason.purpose, target, event, day)

    def end(self, schedule: Schedule, reasons: list[Reason], now: datetime) -> tuple[date, str]:
        """The day from which nothing but a hold keeps it, today at the earliest; and the class that ends last."""
        decision = evaluate(
            schedule,
            [Membership(r.purpose, r.class_name, self.facts.zone, r.day) for r in reasons],
            self.holds,
            now,
            local_date(self.ended_at, self.facts.zone),
            self.facts,
        )
        today = local_date(now, self.facts.zone)
        on = decision.due_on or NEVER
        if not self.holds:
            assert (decision.outcome is Outcome.DUE) == (on <= today)
        days = [self._due(schedule, reason) for reason in reasons]
        last = max(max(day, today) for day in days)
        assert last == max(on, today)
        return last, next(r.class_name for r, d in zip(reasons, days, strict=True) if max(d, today) == last)

    def _due(self, schedule: Schedule, reason: Reason) -> date:
        if reason.day is None or reason.class_name not in schedule.classes:
            return NEVER
        return schedule.due_on(reason.class_name, reason.day)


def known_recordings(archive: Archive, schedule: Schedule, before: dict[str, Known]) -> dict[str, Known]:
    """Every recording that has a living reason, one by one; events come from what was known before."""
    found: dict[str, Known] = {}
    for recording_id, take in archive.takes.items():
        recording = archive.recording(recording_id)
        reasons = [r for r in recording.reasons if r.state == "active"]
        if recording.state != State.SEALED or not reasons:
            continue
        assert recording.place is not None
        events = {r.purpose: r.event for r in before[recording_id].reasons} if recording_id in before else {}
        found[recording_id] = Known(
            recording_id,
            recording.place,
            take.started_at,
            take.ended_at,
            take.size_bytes,
            recording.hold_ids,
            [
                Reason(
                    r.purpose,
                    r.class_name,
                    schedule.classes[r.class_name].trigger
                    if r.class_name in schedule.classes
                    else events[r.purpose],
                    r.trigger_on,
                )
                for r in reasons
            ],
            {r.purpose for r in recording.reasons if r.state != "active"},
        )
    return found


def expected(known: dict[str, Known], old: Schedule, new: Schedule, now: datetime) -> dict[str, Any]:
    """What the preview must say, added up recording by recording."""
    totals = {name: [0, 0, 0] for name in ("due_now", "sooner", "sooner_after_horizon", "later")}
    changes: dict[tuple[str, str, str | None, str], list[int]] = {}
    uses: Counter[tuple[str, str]] = Counter()
    moved = unclassified = 0
    for one in known.values():
        reasons = one.after(new)
        today = local_date(now, one.facts.zone)
        before, _ = one.end(old, one.reasons, now)
        on, last = one.end(new, reasons, now)
        moved += reasons != one.reasons
        unclassified += any(
            r.class_name.startswith("unclassified~") and r not in one.reasons for r in reasons
        )
        for index, reason in enumerate(reasons):
            ends = max(one._due(new, reason), today)
            was = max(one._due(old, one.reasons[index]), today) if index < len(one.reasons) else None
            if was != ends:
                direction = (
                    "added"
                    if was is None
                    else "later"
                    if ends > was
                    else "now"
                    if ends == today
                    else "sooner"
                )
                uses[reason.class_name, direction] += 1
        if on == before:
            continue
        direction = "later" if on > before else "now" if on == today else "sooner"
        name = {"later": "later", "now": "due_now"}.get(
            direction, "sooner" if on <= today + HORIZON else "sooner_after_horizon"
        )
        counts = [0, 0, 1] if one.holds else [1, one.size_bytes, 0]
        key = (last, one.facts.site, None if on == NEVER else on.isoformat(), direction)
        totals[name] = [a + b for a, b in zip(totals[name], counts, strict=True)]
        changes[key] = [a + b for a, b in zip(changes.get(key, [0, 0, 0]), counts, strict=True)]
    return {**totals, "changes": changes, "uses": uses, "moved": moved, "unclassified": unclassified}


def told(impact: dict[str, Any]) -> dict[str, Any]:
    """The same, from what the preview says."""

    def counts(row: dict[str, Any]) -> list[int]:
        return [row["recordings"], row["bytes"], row["held"]]

    return {
        **{name: counts(impact[name]) for name in ("due_now", "sooner", "sooner_after_horizon", "later")},
        "changes": {
            (row["class"], row["site"], row["on"], row["direction"]): counts(row) for row in impact["changes"]
        },
        "uses": Counter({(row["class"], row["direction"]): row["recordings"] for row in impact["uses"]}),
        "moved": impact["moved"],
        "unclassified": impact["unclassified"],
    }


def check_catalogue(archive: Archive, known: dict[str, Known], new: Schedule) -> None:
    """Every reason is where the oracle says, every lot counts what it holds, every living reason opens."""
    cohort, lot, member, recording, wrap = (
        table_of(t) for t in (CohortRow, LotRow, ReasonRow, RecordingRow, WrapRow)
    )
    with archive.database.read() as session:
        for one in known.values():
            rows = session.execute(
                select(member.c.purpose, cohort.c.class_name, cohort.c.trigger_on, cohort.c.key_id)
                .join(cohort, cohort.c.id == member.c.cohort_id)
                .join(lot, lot.c.reasons_id == member.c.reasons_id)
                .join(recording, recording.c.lot_id == lot.c.id)
                .where(recording.c.id == one.id, cohort.c.state == "active")
            ).all()
            wanted = {(r.purpose, r.class_name, r.day) for r in one.after(new)}
            assert {(row.purpose, row.class_name, row.trigger_on) for row in rows} == wanted
            wraps = {
                row.key_id: row.wrapped
                for row in session.execute(select(wrap).where(wrap.c.recording_id == one.id))
                if row.key_id in archive.keys.keys
            }
            assert wraps.keys() == {row.key_id for row in rows} | {
                archive.hold(name).key_id for name in one.holds
            }
            for key_id, wrapped in wraps.items():
                assert archive.keys.unwrap(key_id, wrapped, one.id.encode()) == archive.data_keys[one.id]
        counted = Counter[int]()
        sizes = Counter[int]()
        for row in session.execute(select(recording).where(recording.c.lot_id.is_not(None))):
            counted[row.lot_id] += 1
            sizes[row.lot_id] += row.size_bytes
        for row in session.execute(select(lot)):
            living = session.execute(
                select(cohort.c.id)
                .join(member, member.c.cohort_id == cohort.c.id)
                .where(member.c.reasons_id == row.reasons_id, cohort.c.state == "active")
                .distinct()
            ).all()
            assert (row.recordings, row.size_bytes, row.living) == (
                counted[row.id],
                sizes[row.id],
                len(living),
            )


def approved_plan(archive: Archive, policy: Policy) -> tuple[str, dict[str, Any]]:
    """Plan a change, have it approved and wait for an hour; the digest and the preview."""
    with archive.database.write() as session:
        proposal = propose(session, policy.text, FILE, archive.clock.now())
        digest = keep(session, proposal, "a reason", archive.clock.now(), "planner").digest
    with archive.database.write() as session:
        approve(session, digest, archive.clock.now(), "approver")
    archive.clock.move(hours=1)
    return digest, proposal.impact


def tools_of(archive: Archive) -> Tools:
    """What applying needs."""
    return Tools(archive.database, archive.keys, archive.journal, archive.clock)


def change(archive: Archive, policy: Policy) -> tuple[dict[str, Any], int]:
    """Plan, approve, wait, apply; the preview, and how many data keys were wrapped anew."""
    digest, impact = approved_plan(archive, policy)
    return impact, apply(tools_of(archive), digest, "operator").rewrapped
