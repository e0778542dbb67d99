"""Plan the destruction of spans, and approve it, as for a disposal."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.find import find_recording
from retention.catalogue.model import ORIGINAL
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from retention.kernel.people import is_same_person
from retention.redaction.model import Span, check_inside, digest_of_plan, needs_approval, refuse
from retention.redaction.tables import DestructionRow
from retention.schedule.model import Schedule
from retention.vault.door import sealed_object


def plan(
    session: Session,
    schedule: Schedule,
    recording_id: str,
    spans: Sequence[Span],
    reason: str,
    at: datetime,
    actor: str,
) -> DestructionRow:
    """Plan to destroy spans of a recording; the first who planned it stays its author.

    Raises:
        NotFound: There is no such recording.
        InvalidInput: There is no reason, or a span lies outside the recording.
        HoldInForce: It is under a hold.
        IllegalTransition: It is not sealed, or a disposal is letting it go.
    """
    if not reason.strip():
        raise InvalidInput("destroying a span needs a reason", hint="Give --reason TEXT.")
    recording = find_recording(session, schedule, recording_id)
    refuse(recording)
    check_inside(recording, spans)
    sealed = sealed_object(session, recording_id, ORIGINAL)
    digest = digest_of_plan(recording, sealed.sha256, spans, reason.strip())
    known = session.get(DestructionRow, digest) or _done_before(session, recording_id, spans, sealed.sha256)
    if known is not None:
        return known
    row = DestructionRow(
        digest=digest,
        recording_id=recording_id,
        spans=[str(span) for span in spans],
        reason=reason.strip(),
        needs_approval=needs_approval(schedule, recording, [*spans, *_gone_alone(session, recording_id)]),
        planned_at=at,
        planned_by=actor,
        old_sha256=sealed.sha256,
        old_size_bytes=sealed.size_bytes,
    )
    session.add(row)
    session.flush()
    detail = {"digest": digest, "spans": row.spans}
    record(session, at, Act(Tag.DESTRUCTION_PLANNED, actor, recording_id, detail=detail))
    return row


def _gone_alone(session: Session, recording_id: str) -> Iterator[Span]:
    """What was destroyed of a recording before, with nobody's approval: many small plans are one large one."""
    for row in destructions(session, recording_id):
        if row.new_sha256 is not None and row.approved_at is None:
            yield from map(Span.parse, row.spans)


def _done_before(
    session: Session, recording_id: str, spans: Sequence[Span], sha256: bytes
) -> DestructionRow | None:
    """The destruction that made what the recording is now, if these were its spans: asked again, it is done."""
    asked = [str(span) for span in spans]
    rows = session.execute(
        select(DestructionRow).where(
            col(DestructionRow.recording_id) == recording_id, col(DestructionRow.new_sha256) == sha256
        )
    ).scalars()
    return next((row for row in rows if row.spans == asked), None)


def approve(session: Session, digest: str, at: datetime, actor: str) -> DestructionRow:
    """Approve the plan called `digest`.

    Raises:
        NotFound: No such plan was made.
        NotPermitted: The approver made the plan.
        IllegalTransition: It was approved before.
    """
    row = find_destruction(session, digest)
    if row.approved_at is not None:
        raise IllegalTransition(f"plan {digest} was approved by {row.approved_by} before")
    if is_same_person(row.planned_by, actor):
        raise NotPermitted(
            f"{actor} made plan {digest} and cannot approve it", hint="A second person must: --as NAME."
        )
    row.approved_at, row.approved_by = at, actor
    session.add(row)
    detail = {"digest": digest, "planned_by": row.planned_by}
    record(session, at, Act(Tag.DESTRUCTION_APPROVED, actor, row.recording_id, detail=detail))
    return row


def find_destruction(session: Session, digest: str) -> DestructionRow:
    """The plan called `digest`.

    Raises:
        NotFound: No such plan was made.
    """
    row = session.get(DestructionRow, digest)
    if row is None:
        raise NotFound(
            f"no plan has the digest {digest}", hint="`retention redaction list` shows what was planned."
        )
    return row


def destructions(session: Session, recording_id: str = "") -> Sequence[DestructionRow]:
    """What was planned or done, oldest first; of one recording, or of all."""
    statement = select(DestructionRow).order_by(col(DestructionRow.planned_at), col(DestructionRow.digest))
    if recording_id:
        statement = statement.where(col(DestructionRow.recording_id) == recording_id)
    return session.execute(statement).scalars().all()
