"""Read the journal through, then entry by entry."""

from collections.abc import Callable

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.witness import SignedJournal
from retention.custody.replay.catalogue import (
    cohort_closed,
    cohorts_renamed,
    do_not_record_changed,
    recordings_moved,
    schedule_applied,
    source_registered,
)
from retention.custody.replay.context import Ahead, Entry, Replayed, Replaying
from retention.custody.replay.corrections import particulars_corrected
from retention.custody.replay.deliveries import answer_delivered
from retention.custody.replay.disposals import cohorts_expired, run_certified, run_done
from retention.custody.replay.holds import hold_lifted, hold_placed, hold_wraps, note_dead_keys
from retention.custody.replay.provisions import (
    entrustee_registered,
    provision_blocked,
    provision_handed_over,
    provision_unblocked,
)
from retention.custody.replay.requests import request_closed, request_filed
from retention.custody.replay.spans import span_destroyed
from retention.custody.tools import Progress, Tools, silent
from retention.disposal.night import UNFINISHED
from retention.disposal.tables import RunRow
from retention.kernel.errors import CatalogueDisagrees, NotFound


def _pass_over(_here: Replaying, _entry: Entry) -> None:
    """Nothing to do: it was taken into account by looking ahead, or changes no row."""


KINDS: dict[str, Callable[[Replaying, Entry], None]] = {
    "hold-placed": hold_placed,
    "hold-wraps": hold_wraps,
    "hold-confirmed": _pass_over,
    "hold-lifted": hold_lifted,
    "cohorts-expired": cohorts_expired,
    "keys-destroyed": _pass_over,
    "run-certified": run_certified,
    "run-done": run_done,
    "schedule-applied": schedule_applied,
    "source-registered": source_registered,
    "do-not-record-changed": do_not_record_changed,
    "recordings-moved": recordings_moved,
    "cohort-closed": cohort_closed,
    "cohorts-renamed": cohorts_renamed,
    "move-confirmed": _pass_over,
    "request-filed": request_filed,
    "request-closed": request_closed,
    "answer-delivered": answer_delivered,
    "particulars-corrected": particulars_corrected,
    "entrustee-registered": entrustee_registered,
    "provision-blocked": provision_blocked,
    "provision-unblocked": provision_unblocked,
    "provision-handed-over": provision_handed_over,
    "span-destroyed": span_destroyed,
    "span-confirmed": _pass_over,
}


def look_ahead(journal: SignedJournal) -> Ahead:
    """Read the journal through.

    Raises:
        AuditChainBroken: A line is not as it was written.
        CatalogueDisagrees: It holds what this version does not know.
    """
    ahead = Ahead()
    for entry in journal.entries():
        kind = entry["kind"]
        if kind not in KINDS:
            raise CatalogueDisagrees(
                f"the journal holds an entry of kind {kind!r}, which this version does not know",
                hint="Use the version of Retention that wrote it, or a newer one.",
            )
        if kind == "run-certified":
            ahead.documents[entry["run"]] = entry["document"]
        elif kind == "move-confirmed":
            ahead.confirmed.add(entry["move"])
        elif kind == "span-confirmed":
            ahead.destroyed.add((entry["digest"], entry["version"]))
        elif kind == "keys-destroyed":
            ahead.dead.update(entry["keys"])
    for run_id, name in list(ahead.documents.items()):
        try:
            journal.documents.kept(name)
        except NotFound:
            ahead.missing.append(run_id)
            del ahead.documents[run_id]
    return ahead


def replay(session: Session, tools: Tools, progress: Progress = silent) -> Replayed:
    """Replay the journal on a loaded backup, in the caller's writing transaction.

    Raises:
        AuditChainBroken: The journal or a certificate is not as it was written.
        CatalogueDisagrees: The journal does not fit the backup.
    """
    ahead = look_ahead(tools.journal)
    done = Replayed(certificates_missing=ahead.missing, dead_keys=frozenset(ahead.dead))
    here = Replaying(session, tools, ahead, tools.keys.key_ids() - ahead.dead, done)
    for number, entry in enumerate(tools.journal.entries(), start=1):
        KINDS[entry["kind"]](here, entry)
        session.flush()
        # What statements changed must not be read from memory.
        session.expire_all()
        progress(number)
    note_dead_keys(here)
    unfinished = select(col(RunRow.id)).where(col(RunRow.state).in_(UNFINISHED)).order_by(col(RunRow.id))
    done.unfinished_runs = list(session.execute(unfinished).scalars())
    return done
