"""Sign the trail's head once a day, so that later nobody can rewrite what came before."""

from collections.abc import Callable
from datetime import date, datetime

from sqlmodel import Session

from retention.audit.tables import AuditRootRow
from retention.audit.verify import head_of, root_message


def sign_root(
    session: Session, on: date, at: datetime, store_id: str, sign: Callable[[bytes], bytes]
) -> AuditRootRow:
    """The root of `on`; made when there is none, in the caller's writing transaction."""
    found = session.get(AuditRootRow, on)
    if found is not None:
        return found
    head = head_of(session)
    root = AuditRootRow(
        on=on,
        seq=head.seq,
        digest=head.digest,
        signed_at=at,
        signature=sign(root_message(on, head.seq, head.digest, store_id)),
    )
    session.add(root)
    session.flush()
    return root
