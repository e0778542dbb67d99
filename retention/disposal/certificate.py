"""The evidence a disposal leaves: a signed Merkle root over what was disposed of.

The document is made from the tombstones, so it can be made again, and a copy
is kept outside the database at once. `verifier.py` checks it without us.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from retention.catalogue.tables import TombstoneRow
from retention.database import table_of
from retention.disposal import verifier
from retention.disposal.tables import RunRow
from retention.kernel.canonical import canonical_json, isoformat
from retention.kernel.errors import NotFound
from retention.vault.signing import Signer

READ_AT_ONCE = 5_000


def document_name(run_id: str) -> str:
    """Under which name the journal keeps a run's certificate."""
    return f"certificate-{run_id}.jsonl"


def leaves(session: Session, run_id: str) -> Iterator[bytes]:
    """The run's leaves in their order, streamed."""
    table = table_of(TombstoneRow)
    statement = select(table.c.leaf).where(table.c.run_id == run_id).order_by(table.c.position)
    with session.execute(statement.execution_options(yield_per=READ_AT_ONCE)) as rows:
        for (leaf,) in rows:
            yield leaf.encode()


def head(session: Session, run: RunRow, store_id: str, keys_gone_by: str, signer: Signer) -> bytes:
    """The first line of the certificate: the statement, signed."""
    root, count = verifier.merkle_root(verifier.leaf_hash(leaf) for leaf in leaves(session, run.id))
    statement: dict[str, Any] = {
        "format": verifier.FORMAT,
        "store": store_id,
        "run": run.id,
        "kind": run.kind,
        "on": run.on.isoformat(),
        "root": root.hex(),
        "recordings": count,
        "size_bytes": run.size_bytes,
        "cohorts": run.plan.get("cohorts", []),
        "schedule_version": run.schedule_version,
        "started_by": run.started_by,
        "method": "crypto-erasure: the keys of every reason to keep were destroyed; then every version was erased and its absence verified",
        "keys_destroyed_at": _instant(run.keys_destroyed_at),
        "keys_gone_by": keys_gone_by,
        "finished_at": _instant(run.finished_at),
    }
    return canonical_json(
        {
            "statement": statement,
            "signature": b64encode(signer.sign(verifier.statement_bytes(statement))).decode(),
            "public_key": signer.public_key.hex(),
        }
    )


def _instant(at: datetime | None) -> str:
    return isoformat(at) if at else ""


def document(session: Session, run_id: str, first_line: bytes) -> Iterator[bytes]:
    """The whole certificate, a line at a time."""
    yield first_line + b"\n"
    for leaf in leaves(session, run_id):
        yield leaf + b"\n"


def proof(session: Session, run_id: str, recording_id: str, first_line: bytes) -> bytes:
    """The proof that one recording is in the certificate.

    Raises:
        NotFound: It is not.
    """
    hashes: list[bytes] = []
    found: tuple[int, str] | None = None
    for position, leaf in enumerate(leaves(session, run_id)):
        hashes.append(verifier.leaf_hash(leaf))
        if json.loads(leaf)["recording"] == recording_id:
            found = (position, leaf.decode())
    if found is None:
        raise NotFound(f"recording {recording_id} was not disposed of in run {run_id}")
    return canonical_json(
        {
            "format": verifier.PROOF_FORMAT,
            "certificate": json.loads(first_line),
            "leaf": found[1],
            "path": [node.hex() for node in verifier.inclusion_path(hashes, found[0])],
        }
    )


def root_of(first_line: bytes) -> str:
    """The Merkle root that a certificate's first line names, in hex."""
    return str(json.loads(first_line)["statement"]["root"])


def expiry_in(detail: str) -> str:
    """When an escrowed copy of the keys expires, going by its audit entry."""
    return str(json.loads(detail)["expires_at"])
