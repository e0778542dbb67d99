"""Drill holds: is what a hold keeps really there, whole, and can it be shown?

A drill does what a court would ask for. It opens a held recording through the
door, by the hold's own key and on record, reads it to its end against the
digest it was sealed with, and decodes it to its end. A hold and a recording are
drilled together: each hold has a key of its own, and each key can be lost.

What was drilled longest ago comes first, and what never was before that, so a
few each night go round everything that is held. Repairs nothing. The plain
bytes lie in a file that has no name in any folder, for as long as it takes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.find import find_recording
from retention.catalogue.model import ORIGINAL
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.states import State
from retention.catalogue.tables import RecordingRow
from retention.database import Database
from retention.holds.find import find_hold
from retention.holds.model import DrillOutcome
from retention.holds.tables import HoldDrillRow, HoldMatchRow, HoldRow
from retention.kernel.clock import Clock
from retention.kernel.errors import (
    FixityMismatch,
    KeyMissing,
    MediaError,
    NotFound,
    NotPermitted,
)
from retention.schedule.model import Kind
from retention.vault.door import Door, Way, sealed_object
from retention.vault.unseal import unsealed_file

Progress = Callable[[int], None]

REMEDIES = {
    DrillOutcome.WHOLE: "",
    DrillOutcome.REFUSED: "`retention check` says where the catalogue disagrees with itself.",
    DrillOutcome.KEY_GONE: "Import the newest copy of the keys: `retention keys restore FILE`. Dispose of nothing before.",
    DrillOutcome.MISSING: "Bring the object back from a copy of the vault; then drill again.",
    DrillOutcome.CHANGED: "Keep what is there aside, bring the object back from a copy of the vault; then drill again.",
    DrillOutcome.NOT_PLAYABLE: "Its bytes are as they were sealed: `retention open {recording} --hold {hold} --out FILE`"
    " takes them out; try another player.",
}


class Player(Protocol):
    """Decodes recordings to their end."""

    def play(self, path: Path, facts: Mapping[str, Any], timeout_s: float) -> tuple[str, ...]:
        """Decode all of `path` and say what is damaged, in one line each.

        `facts` are what inspection found when it came in. The name of the file says nothing of its kind.
        Unreadable or UnsupportedCodec if it cannot be decoded, or not within `timeout_s`.
        DependencyError if this machine cannot decode at all.
        """

    def close(self) -> None:
        """Let go of what it holds."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What drilling needs."""

    database: Database
    door: Door
    clock: Clock
    player: Player
    folder: Path  #: where plain bytes may lie, without a name
    timeout_s: float  #: the longest that decoding one recording may take


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill of one recording under one hold came to."""

    hold_id: str
    recording_id: str
    at: datetime
    outcome: DrillOutcome
    what: str  #: what is wrong, or what of it is damaged and was when it came in; no personal data

    @property
    def is_fault(self) -> bool:
        """The hold's promise is not kept."""
        return self.outcome is not DrillOutcome.WHOLE

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.outcome].format(recording=self.recording_id, hold=self.hold_id)


def drill(
    tools: Tools, actor: str, *, number: int, hold_id: str = "", progress: Progress = lambda _: None
) -> Iterator[Drilled]:
    """Drill up to `number` held recordings; each is on record when it is told.

    Raises:
        NotFound: There is no such hold.
        StoreUnavailable: The vault did not answer, or there is no room: nothing is said about that recording.
        DependencyError: This machine cannot decode.
    """
    with tools.database.read() as session:
        if hold_id:
            find_hold(session, hold_id)
        pairs = _next(session, number, hold_id)
    for done, (hold, recording) in enumerate(pairs, start=1):
        found = _drill_one(tools, hold, recording, actor)
        if found is not None:
            yield found
        progress(done)


def faults(session: Session) -> list[Drilled]:
    """Recordings under a hold in force whose last drill did not find them whole."""
    rows = session.execute(
        select(HoldDrillRow)
        .join(HoldMatchRow, _same())
        .join(HoldRow, col(HoldRow.id) == col(HoldDrillRow.hold_id))
        .where(col(HoldRow.lifted_at).is_(None), col(HoldDrillRow.outcome) != DrillOutcome.WHOLE)
        .order_by(col(HoldDrillRow.recording_id), col(HoldDrillRow.hold_id))
    ).scalars()
    return [
        Drilled(row.hold_id, row.recording_id, row.drilled_at, DrillOutcome(row.outcome), row.what)
        for row in rows
    ]


def rounds(session: Session) -> tuple[int, int, datetime | None]:
    """(recordings under holds in force, how many of them never were drilled, the oldest of the last drills)."""
    held, drilled, oldest = session.execute(
        select(func.count(), func.count(col(HoldDrillRow.drilled_at)), func.min(col(HoldDrillRow.drilled_at)))
        .select_from(HoldMatchRow)
        .join(HoldRow, col(HoldRow.id) == col(HoldMatchRow.hold_id))
        .outerjoin(HoldDrillRow, _same())
        .where(col(HoldRow.lifted_at).is_(None))
    ).one()
    return held, held - drilled, oldest


def drilled_since(session: Session, at: datetime, actor: str) -> int:
    """How many pairs `actor` drilled since an instant."""
    rows = select(func.count()).select_from(HoldDrillRow)
    counted = rows.where(col(HoldDrillRow.drilled_at) >= at, col(HoldDrillRow.drilled_by) == actor)
    return int(session.execute(counted).scalar_one())


def _same() -> Any:
    return (col(HoldDrillRow.hold_id) == col(HoldMatchRow.hold_id)) & (
        col(HoldDrillRow.recording_id) == col(HoldMatchRow.recording_id)
    )


def _next(session: Session, number: int, hold_id: str) -> list[tuple[str, str]]:
    statement = (
        select(col(HoldMatchRow.hold_id), col(HoldMatchRow.recording_id))
        .join(HoldRow, col(HoldRow.id) == col(HoldMatchRow.hold_id))
        .join(RecordingRow, col(RecordingRow.id) == col(HoldMatchRow.recording_id))
        .outerjoin(HoldDrillRow, _same())
        .where(col(HoldRow.lifted_at).is_(None), col(RecordingRow.state) == State.SEALED)
        .order_by(
            col(HoldDrillRow.drilled_at).nulls_first(),
            col(HoldMatchRow.recording_id),
            col(HoldMatchRow.hold_id),
        )
        .limit(number)
    )
    if hold_id:
        statement = statement.where(col(HoldMatchRow.hold_id) == hold_id)
    return [(row[0], row[1]) for row in session.execute(statement)]


def _drill_one(tools: Tools, hold_id: str, recording_id: str, actor: str) -> Drilled | None:
    """None where the hold was lifted meanwhile."""
    try:
        outcome, what = DrillOutcome.WHOLE, "; ".join(_play(tools, hold_id, recording_id, actor))
    except NotPermitted as error:
        outcome, what = DrillOutcome.REFUSED, error.message
    except KeyMissing as error:
        outcome, what = DrillOutcome.KEY_GONE, error.message
    except NotFound as error:
        outcome, what = DrillOutcome.MISSING, error.message
    except FixityMismatch as error:
        outcome, what = DrillOutcome.CHANGED, error.message
    except MediaError as error:
        outcome, what = DrillOutcome.NOT_PLAYABLE, error.message
    found = Drilled(hold_id, recording_id, tools.clock.now(), outcome, what)
    return found if _put_on_record(tools, found, actor) else None


def _play(tools: Tools, hold_id: str, recording_id: str, actor: str) -> tuple[str, ...]:
    with tools.database.read() as session:
        schedule, hold = schedule_in_force(session), find_hold(session, hold_id)
        recording = find_recording(session, schedule, recording_id)
        sealed = sealed_object(session, recording_id, ORIGINAL)
    way = Way(hold_id=hold.id, hold_key_id=hold.key_id)
    reader = tools.door.open(schedule, recording_id, way, actor, tools.clock.now())
    with unsealed_file(tools.folder, reader, sealed.sha256, f"recording {recording_id}") as path:
        if recording.kind == Kind.CASE_FILE:  # a paper: there is nothing to decode
            return ()
        damage = tools.player.play(path, recording.facts, tools.timeout_s)
    known = set(recording.facts.get("warnings", ()))
    return tuple(each for each in damage if each not in known)


def _put_on_record(tools: Tools, found: Drilled, actor: str) -> bool:
    with tools.database.write() as session:
        held = session.get(HoldMatchRow, (found.hold_id, found.recording_id))
        if held is None or find_hold(session, found.hold_id).lifted_at is not None:
            return False
        session.merge(
            HoldDrillRow(
                hold_id=found.hold_id,
                recording_id=found.recording_id,
                drilled_at=found.at,
                drilled_by=actor,
                outcome=found.outcome,
                what=found.what,
            )
        )
        detail = {"outcome": found.outcome, "what": found.what}
        act = Act(Tag.HOLD_DRILLED, actor, found.recording_id, f"hold:{found.hold_id}", detail)
        record(session, found.at, act)
    return True
