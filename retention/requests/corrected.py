"""That a recording's particulars were corrected: for whoever looks at a recording, without the rest of this room."""

from sqlalchemy import select
from sqlmodel import Session, col

from retention.requests.tables import CorrectionRow


def corrections_of(session: Session, recording_id: str) -> list[CorrectionRow]:
    """When the particulars of a recording were corrected, and for which request; not what they were."""
    rows = select(CorrectionRow).where(col(CorrectionRow.recording_id) == recording_id)
    return list(session.execute(rows.order_by(col(CorrectionRow.number))).scalars())
