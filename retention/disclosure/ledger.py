"""The disclosure ledger: a row for each delivery, and what they have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.model import ORIGINAL
from retention.disclosure.model import PENDING, Delivery
from retention.disclosure.tables import DisclosureRow
from retention.kernel.clock import local_date
from retention.kernel.errors import IllegalTransition
from retention.requests.papers import Area
from retention.requests.rulebooks import rules_of
from retention.requests.tables import LostRequestRow, RequestPaperRow, RequestRow
from retention.vault.door import sealed_object


@dataclass(frozen=True, slots=True)
class Ready:
    """The package that answers a request."""

    paper_id: str
    sha256: str
    size_bytes: int


def ready(session: Session, row: RequestRow) -> Ready:
    """The package that was made last for a request.

    Raises:
        IllegalTransition: There is none any more.
    """
    papers = select(col(RequestPaperRow.recording_id)).where(
        col(RequestPaperRow.request_id) == row.id, col(RequestPaperRow.area) == Area.PACKAGE
    )
    paper_id = session.execute(papers.order_by(col(RequestPaperRow.recording_id).desc())).scalars().first()
    if paper_id is None:
        raise IllegalTransition(f"request {row.receipt} has no package", hint="Make it first.")
    sealed = sealed_object(session, paper_id, ORIGINAL)
    return Ready(paper_id, sealed.sha256.hex(), sealed.size_bytes)


def entry(
    row: RequestRow, package: Ready, route: str, state: Delivery, at: datetime, actor: str, **more: Any
) -> DisclosureRow:
    """A new row of the ledger."""
    return DisclosureRow(
        request_id=row.id,
        route=route,
        state=state,
        made_at=at,
        made_by=actor,
        package_id=package.paper_id,
        sha256=package.sha256,
        size_bytes=package.size_bytes,
        **more,
    )


def disclosures(session: Session, request_id: str = "") -> list[DisclosureRow]:
    """Every delivery, or those of one request, oldest first."""
    statement = select(DisclosureRow).order_by(col(DisclosureRow.id))
    if request_id:
        statement = statement.where(col(DisclosureRow.request_id) == request_id)
    return list(session.execute(statement).scalars())


def receipt_of(session: Session, made: DisclosureRow) -> str:
    """The receipt number of the request that a delivery answers, also of one that a restored backup does not have."""
    lost = select(col(LostRequestRow.receipt)).where(col(LostRequestRow.request_id) == made.request_id)
    kept = select(col(RequestRow.receipt)).where(col(RequestRow.id) == made.request_id)
    return str(session.execute(kept.union(lost)).scalar_one())


def withdraw_pending(session: Session, request_id: str) -> Iterator[str]:
    """Another delivery takes the place of those that have not arrived; the links to take away."""
    for each in disclosures(session, request_id):
        if each.state in PENDING:
            each.state = Delivery.WITHDRAWN
            session.add(each)
            if each.link_id:
                yield each.link_id


def is_in_time(session: Session, row: RequestRow, at: datetime) -> bool:
    """Whether an answer that arrives at `at` is in time."""
    return local_date(at, rules_of(session, row.rulebook_version).zone) <= row.due_on
