"""What an answer certifies of an erasure: which recordings are gone, by which run, and where its certificate says so.

A leaf of the run's certificate is not enclosed, as it says how the source is
called, which may name somebody. Its hash is: with it, whoever holds the whole
certificate finds the leaf, and nobody learns anything from it.
"""

import json
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.tables import TombstoneRow
from retention.disposal import verifier
from retention.disposal.night import keys_gone_by
from retention.disposal.tables import RunRow
from retention.kernel.canonical import isoformat
from retention.kernel.errors import InvalidInput
from retention.requests.tables import RequestRow

TOLD = ("recording", "kind", "started_at", "ended_at", "sha256", "size_bytes", "disposed_at")


def erased(session: Session, row: RequestRow) -> list[dict[str, Any]]:
    """Each recording that a request's erasure disposed of, in the order of its certificate; none for other requests.

    Raises:
        InvalidInput: Some of them are not gone yet.
    """
    run_id = row.effect.get("run")
    if not run_id:
        return []
    run, going = session.get_one(RunRow, run_id), row.effect["recordings"]
    tombstones = select(col(TombstoneRow.leaf)).where(
        col(TombstoneRow.run_id) == run.id, col(TombstoneRow.recording_id).in_(going)
    )
    leaves = list(session.execute(tombstones.order_by(col(TombstoneRow.position))).scalars())
    if run.keys_destroyed_at is None or not run.certificate or len(leaves) < len(going):
        raise InvalidInput(
            f"the erasure for request {row.receipt} is not finished: "
            f"a certificate exists for {len(leaves) if run.certificate else 0} of {len(going)} recordings",
            hint="`retention disposal resume` finishes it.",
        )
    certificate = {
        "run": run.id,
        "root": run.certificate,
        "keys_destroyed_at": isoformat(run.keys_destroyed_at),
        "keys_gone_by": keys_gone_by(session, run),
    }
    return [
        {name: json.loads(leaf)[name] for name in TOLD}
        | certificate
        | {"leaf": verifier.leaf_hash(leaf.encode()).hex()}
        for leaf in leaves
    ]
