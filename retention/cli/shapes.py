"""The JSON that others build on: add fields freely, never change or remove one."""

from collections.abc import Iterable
from typing import Any

from retention.catalogue.find import Recording
from retention.catalogue.states import State
from retention.cli.shared import instant
from retention.disposal.model import DisposalPlan
from retention.disposal.start import cohort_json
from retention.disposal.tables import RunRow
from retention.holds.model import Hold
from retention.requests.tables import CorrectionRow


def recording_json(recording: Recording, holds: dict[str, Hold]) -> dict[str, Any]:
    """`show`, and a line of `search`."""
    return {
        "id": recording.id,
        "kind": recording.kind,
        "source": recording.source_id,
        "started_at": instant(recording.started_at),
        "ended_at": instant(recording.ended_at),
        "state": str(State.DISPOSING if recording.run_id else recording.state),
        "size_bytes": recording.size_bytes,
        "sha256": recording.sha256.hex(),
        "purposes": [
            {
                "purpose": reason.purpose,
                "class": reason.class_name,
                "cohort": reason.cohort,
                "trigger_on": reason.trigger_on,
                "due_on": reason.due_on,
                "state": reason.state,
            }
            for reason in recording.reasons
        ],
        "holds": [hold_json(holds[each]) if each in holds else {"id": each} for each in recording.hold_ids],
        "restricted": recording.restricted,
        "received_at": instant(recording.received_at),
        "claimed_start": recording.claimed_start,
        "time_basis": recording.time_basis,
        "facts": recording.facts,
    }


def corrections_json(rows: Iterable[CorrectionRow]) -> list[dict[str, Any]]:
    """That particulars of a recording were corrected; not what they were or are."""
    return [
        {
            "at": instant(row.at),
            "request": row.receipt,
            "particulars": row.particulars,
            "by": row.actor,
            "approved_by": row.approved_by,
        }
        for row in rows
    ]


def hold_json(hold: Hold) -> dict[str, Any]:
    """A hold, without whom it is about."""
    criteria = hold.criteria
    return {
        "id": hold.id,
        "kind": str(hold.kind),
        "reason": hold.reason,
        "owner": hold.owner,
        "review_on": hold.review_on,
        "placed_at": instant(hold.placed_at),
        "placed_by": hold.placed_by,
        "lifted_at": instant(hold.lifted_at) if hold.lifted_at else None,
        "suspends_use": hold.suspends_use,
        "covers": "recordings" if criteria.recording_ids else "person" if criteria.blinds else "interval",
        "source": criteria.source_id or None,
        "from": instant(criteria.from_at) if criteria.from_at else None,
        "to": instant(criteria.until_at) if criteria.until_at else None,
    }


def due_json(plan: DisposalPlan) -> dict[str, Any]:
    """`due`: `recordings` go; `held` would, but for a hold, and are not counted in `recordings`."""
    return {
        "on": plan.on,
        "recordings": plan.recordings,
        "bytes": plan.size_bytes,
        "held": plan.held,
        "spent": plan.spent,
        "unknown_classes": list(plan.unknown_classes),
        "cohorts": [cohort_json(each) for each in plan.cohorts if each.purpose_ends],
    }


def run_json(run: RunRow) -> dict[str, Any]:
    """`disposal run`, and a line of `disposal list`."""
    return {
        "run": run.id,
        "kind": run.kind,
        "on": run.on,
        "state": run.state,
        "planned": run.planned,
        "disposed": run.disposed,
        "held": run.held,
        "failed": run.failed,
        "awaiting_approval": run.awaiting_approval,
        "bytes": run.size_bytes,
        "certificate": run.certificate or None,
        "tripped": run.tripped,
        "resets": run.resets,
        "started_at": instant(run.started_at),
        "started_by": run.started_by,
        "finished_at": instant(run.finished_at) if run.finished_at else None,
    }
