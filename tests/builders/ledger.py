"""What must be true of an archive, told recording by recording.

A ledger is written beside a real store by whoever drives it. It knows nothing
of cohorts, lots, keys or databases: only what each recording is kept for, until
when, and by which holds, in plain dates.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

#: Purposes whose ends a second person approves each time.
APPROVED_EACH_RUN = frozenset({"dispute", "contract-record"})


@dataclass(frozen=True)
class Use:
    """One purpose of one recording."""

    purpose: str
    from_on: date | None  #: the day its count starts from; None until an event says so
    is_over: bool = False


@dataclass(frozen=True)
class Kept:
    """One recording that came in."""

    id: str
    content: bytes
    source_id: str
    zone: str
    phone: str
    reference: str
    started_at: datetime
    ended_at: datetime
    uses: tuple[Use, ...]
    is_gone: bool = False


@dataclass(frozen=True)
class Held:
    """One hold."""

    id: str
    key_id: str
    recording_ids: frozenset[str] = frozenset()
    phone: str = ""
    source_id: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None
    suspends_use: bool = False

    def covers(self, kept: Kept) -> bool:
        """Whether the recording falls under it."""
        if self.recording_ids:
            return kept.id in self.recording_ids
        if self.phone:
            return kept.phone == self.phone
        assert self.from_at
        assert self.until_at
        return (
            kept.source_id == self.source_id
            and kept.started_at <= self.until_at
            and kept.ended_at >= self.from_at
        )


@dataclass
class Ledger:
    """All of it."""

    days: dict[str, int]  #: how long each purpose lasts
    kept: dict[str, Kept] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)

    def living(self) -> list[Kept]:
        """What is there, or should be."""
        return [one for one in self.kept.values() if not one.is_gone]

    def holds_on(self, kept: Kept) -> list[Held]:
        """The holds that a recording is under."""
        return [hold for hold in self.holds.values() if hold.covers(kept)]

    def ends_on(self, use: Use) -> date | None:
        """The first day on which a purpose has ended: a day after its last; the first is not counted."""
        return use.from_on + timedelta(days=self.days[use.purpose] + 1) if use.from_on else None

    def has_ended(self, one: Kept, use: Use, now: datetime) -> bool:
        """Whether a purpose ends in a night at `now`, or has before."""
        ends_on = self.ends_on(use)
        return use.is_over or (ends_on is not None and ends_on <= now.astimezone(ZoneInfo(one.zone)).date())

    def foretell(self, now: datetime) -> tuple[set[str], set[str]]:
        """What goes in a night at `now` if everything is approved, and what only holds keep."""
        over = [one for one in self.living() if all(self.has_ended(one, use, now) for use in one.uses)]
        held = {one.id for one in over if self.holds_on(one)}
        return {one.id for one in over} - held, held

    def pass_night(self, now: datetime, *, is_approved: bool) -> set[str]:
        """End what ends; what went."""
        gone: set[str] = set()
        for one in self.living():
            uses = tuple(
                replace(use, is_over=self.has_ended(one, use, now))
                if is_approved or use.purpose not in APPROVED_EACH_RUN
                else use
                for use in one.uses
            )
            is_gone = all(use.is_over for use in uses) and not self.holds_on(one)
            self.kept[one.id] = replace(one, uses=uses, is_gone=is_gone)
            gone |= {one.id} if is_gone else set()
        return gone

    def waits(self, reference: str) -> bool:
        """Whether anything waits for an event of this case."""
        return any(
            one.reference == reference and any(use.from_on is None for use in one.uses)
            for one in self.living()
        )

    def happen(self, event_purpose: str, reference: str, on: date) -> None:
        """An event starts a count."""
        for one in self.living():
            if one.reference == reference:
                uses = tuple(
                    replace(use, from_on=on) if use.purpose == event_purpose and use.from_on is None else use
                    for use in one.uses
                )
                self.kept[one.id] = replace(one, uses=uses)

    def lose(self, ids: set[str]) -> None:
        """A restored backup was older than these."""
        for lost in ids:
            del self.kept[lost]
