"""What is held of the redacted copies of a request, and what a decision needs of them.

A copy is made of one recording at a time, while the request is at its search:
proposed, reviewed by a person, rendered and looked at again (`retention.redaction`).
A disclosure is decided about finished copies, by their digests, and approved by
somebody who had no hand in any of them.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.model import ORIGINAL
from retention.catalogue.tables import ObjectRow
from retention.kernel.errors import IllegalTransition, NotPermitted, StaleApproval
from retention.kernel.people import is_same_person
from retention.requests.match import granted
from retention.requests.tables import RenditionRow, RequestRow


def renditions_of(session: Session, request_id: str) -> list[RenditionRow]:
    """The finished copies of the recordings that the request is granted for, by recording.

    Until it is decided, that is every recording that it is about.
    """
    about = set(granted(session, request_id))
    return [
        each for each in reviews_of(session, request_id) if each.recording_id in about and each.rendition_id
    ]


def reviews_of(session: Session, request_id: str) -> list[RenditionRow]:
    """All that was proposed for the request, by recording, however far each is."""
    rows = session.execute(
        select(RenditionRow)
        .where(col(RenditionRow.request_id) == request_id)
        .order_by(col(RenditionRow.recording_id))
    )
    return list(rows.scalars())


def next_step(receipt: str, recording_id: str, found: RenditionRow | None) -> str:
    """The command that brings a recording's copy nearer; "" where it is made."""
    of = f"{receipt} --recording {recording_id}"
    if found is None:
        return f"retention request propose {of}"
    if found.open_points or not found.reviewed_by:
        return f"retention request review {of} --out FILE (then --in FILE; or --keep NAME … --hide-rest)"
    return "" if found.rendition_id else f"retention request render {of}"


def decide_about(session: Session, row: RequestRow) -> dict[str, str]:
    """Bind the decision to the finished copies; recording → digest of its copy.

    Raises:
        IllegalTransition: A recording that is granted has no finished copy.
    """
    found = {each.recording_id: each for each in reviews_of(session, row.id)}
    missing = [
        f"{recording_id}: {step}"
        for recording_id in granted(session, row.id)
        if (step := next_step(row.receipt, recording_id, found.get(recording_id)))
    ]
    if missing:
        raise IllegalTransition(
            f"request {row.receipt} cannot be granted: {len(missing)} of its recordings have no finished copy",
            hint="Next: " + "; ".join(missing) + ". Or leave a recording out, or refuse it with --not-for.",
        )
    covered = {}
    for each in renditions_of(session, row.id):
        each.decided_sha256 = each.sha256
        session.add(each)
        covered[each.recording_id] = (each.sha256 or b"").hex()
    return covered


def take_back(session: Session, request_id: str) -> None:
    """The decision is taken back: it binds no copy any more."""
    for each in reviews_of(session, request_id):
        each.decided_sha256 = None
        session.add(each)


def check_second_person(session: Session, row: RequestRow, actor: str) -> None:
    """Refuse the approval of somebody who had a hand in what is approved.

    Raises:
        NotPermitted: They reviewed or rendered one of the copies.
    """
    for each in renditions_of(session, row.id):
        if any(is_same_person(actor, hand) for hand in each.hands):
            raise NotPermitted(
                f"{actor} reviewed or rendered the copy of {each.recording_id}, and nobody approves their own work",
                hint="Have another person look at the copies and approve.",
            )


def check_unchanged(session: Session, row: RequestRow) -> None:
    """Refuse to approve other copies than those that were decided about.

    Raises:
        StaleApproval: One is missing, or is another.
    """
    decided = {each.recording_id: each for each in renditions_of(session, row.id)}
    changed = [
        recording_id
        for recording_id in granted(session, row.id)
        if not _is_decided(session, decided.get(recording_id))
    ]
    if changed:
        raise StaleApproval(
            f"the copies of {', '.join(changed)} are not those that request {row.receipt} was decided about",
            hint=f"`retention request send-back {row.receipt} --reason TEXT`, then decide again.",
        )


def _is_decided(session: Session, found: RenditionRow | None) -> bool:
    """Whether the copy that is sealed is the one that was decided about."""
    if found is None or found.decided_sha256 is None:
        return False
    sealed = session.get(ObjectRow, (found.rendition_id, ORIGINAL))
    return sealed is not None and sealed.sha256 == found.sha256 == found.decided_sha256
