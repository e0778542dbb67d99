"""What the journal is told of changes to the catalogue, so that a restored backup knows them.

A backup is of one instant. What is decided after it and must not be undone by
a restore is told to the journal, which the database's loss does not touch:
holds and disposals tell their own (`holds.place`, `disposal.carry_out`), the
rest is told here. `custody.replay` reads it back.

Told after the commit: what is told is true. Only `Moving` begins before it,
because wrapped keys that stand nowhere else must be safe before the key they
replace is destroyed.
"""

from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from retention.audit.witness import SignedJournal
from retention.catalogue.model import Source
from retention.catalogue.tables import CohortRow, ScheduleRow
from retention.kernel.ids import new_id

WRAPS_AT_ONCE = 1_000
COHORTS_AT_ONCE = 1_000


def tell_of_schedule(journal: SignedJournal, row: ScheduleRow) -> None:
    """A version of the schedule is in force."""
    journal.write(
        "schedule-applied",
        row.applied_at,
        {
            "version": row.version,
            "digest": row.digest,
            "text": row.text,
            "file_name": row.file_name,
            "planned_by": row.planned_by,
            "approved_by": row.approved_by,
        },
    )


def tell_of_source(journal: SignedJournal, source: Source, at: datetime) -> None:
    """A source was registered, or its particulars were changed."""
    journal.write(
        "source-registered",
        at,
        {
            "source": source.id,
            "source_kind": str(source.kind),
            "site": source.site,
            "zone": source.zone,
            "area": source.area,
            "owner": source.owner,
            "notice": source.notice,
            "purposes": list(source.purposes),
            "clock_error_s": str(source.clock_error_s),
            "channels": list(source.channels),
            "mount": source.mount,
            "raw_format": source.raw_format,
        },
    )


def tell_of_do_not_record(
    journal: SignedJournal,
    at: datetime,
    actor: str,
    *,
    added: Collection[bytes] = (),
    removed: Collection[bytes] = (),
) -> None:
    """Callers, as keyed indexes, came onto the do-not-record list or left it."""
    entry = {
        "by": actor,
        "added": sorted(b.hex() for b in added),
        "removed": sorted(b.hex() for b in removed),
    }
    journal.write("do-not-record-changed", at, entry)


class Moving:
    """Tells of one transaction in which recordings go to other cohorts.

    Their data keys, wrapped under the new cohort's key, are told before the
    commit; `confirm` follows it. A restore carries out what was confirmed, and
    what was not if the key it moved away from is gone.
    """

    def __init__(self, journal: SignedJournal, at: datetime, move_id: str = "") -> None:
        """With `move_id`, what another process told and committed can still be confirmed."""
        self._journal = journal
        self._at = at
        self.id = move_id or new_id(at)

    def moved(
        self, wraps: Iterable[tuple[str, bytes]], to: CohortRow, *, old: CohortRow | None, purpose: str = ""
    ) -> None:
        """Recordings, each with its data key wrapped under `to`'s key.

        Args:
            wraps: (recording id, wrapped data key).
            to: The cohort they join.
            old: The cohort they leave; None: they only gain a reason.
            purpose: Where they only gain a reason: for which purpose.
        """
        lines = [[recording_id, b64encode(wrapped).decode()] for recording_id, wrapped in wraps]
        for start in range(0, len(lines), WRAPS_AT_ONCE):
            self._write(
                "recordings-moved", to, old, purpose=purpose, wraps=lines[start : start + WRAPS_AT_ONCE]
            )

    def closed(self, old: CohortRow) -> None:
        """Cohort `old` has no recordings any more and is expired, without a run."""
        self._write("cohort-closed", None, old)

    def renamed(self, rows: Sequence[CohortRow]) -> None:
        """Cohorts that stand for something else now, with the names and keys they had."""
        for start in range(0, len(rows), COHORTS_AT_ONCE):
            some = [_facts(row) for row in rows[start : start + COHORTS_AT_ONCE]]
            self._journal.write("cohorts-renamed", self._at, {"move": self.id, "cohorts": some})

    def confirm(self) -> None:
        """The transaction was committed."""
        self._journal.write("move-confirmed", self._at, {"move": self.id})

    def _write(self, kind: str, to: CohortRow | None, old: CohortRow | None, **more: Any) -> None:
        entry: dict[str, Any] = {"move": self.id, **more}
        if to is not None:
            entry["to"] = _facts(to)
        if old is not None:
            entry["from"] = {"name": old.name, "key_id": old.key_id}
        self._journal.write(kind, self._at, entry)


def _facts(row: CohortRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "class": row.class_name,
        "zone": row.zone,
        "trigger_on": row.trigger_on,
        "reference": row.reference,
        "key_id": row.key_id,
    }
