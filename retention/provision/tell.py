"""What the journal is told of a hand-over, so that a restored backup knows it.

All that the ledger and the catalogue hold of it is told, so that even the
paper that names the recipient, whose bytes are in the vault, can be read again.
It names nobody: who it went to is a keyed index, and the paper stays sealed.
"""

from base64 import b64encode
from collections.abc import Sequence

from retention.audit.witness import SignedJournal
from retention.catalogue.model import NewRecording
from retention.provision.tables import ProvisionItemRow, ProvisionRow


def tell_of_hand_over(
    journal: SignedJournal,
    row: ProvisionRow,
    items: Sequence[ProvisionItemRow],
    paper: NewRecording,
    keys: Sequence[tuple[str, str, bytes]],
) -> None:
    """Something was handed over. Told before the commit.

    Args:
        journal: The journal.
        row: The provision.
        items: What it is of.
        paper: Its record.
        keys: (class, key, the paper's data key wrapped under it) of each reason to keep the paper.
    """
    assert row.handed_over_at is not None
    original = paper.original
    journal.write(
        "provision-handed-over",
        row.handed_over_at,
        {
            "provision": row.id,
            "digest": row.digest,
            "basis": row.basis,
            "rulebook_version": row.rulebook_version,
            "entrustee": row.entrustee_id,
            "recipient": row.recipient.hex(),
            "proposal": row.proposal_id,
            "proposed_at": row.proposed_at,
            "proposed_by": row.proposed_by,
            "approved_at": row.approved_at,
            "approved_by": row.approved_by,
            "handed_over_by": row.handed_over_by,
            "sha256": row.sha256,
            "size_bytes": row.size_bytes,
            "items": [[each.recording_id, each.sha256.hex()] for each in items],
            "excerpts": [
                [each.recording_id, each.from_us, each.until_us, each.form]
                for each in items
                if each.from_us is not None
            ],
            "paper": {
                "id": paper.id,
                "size_bytes": original.size_bytes,
                "stored_bytes": original.stored_bytes,
                "sha256": original.sha256.hex(),
                "commitment": original.commitment.hex(),
                "ended_at": paper.ended_at,
                "keys": [[name, key_id, b64encode(wrapped).decode()] for name, key_id, wrapped in keys],
            },
        },
    )
