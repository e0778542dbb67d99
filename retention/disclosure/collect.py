"""Read back from the outbox what became of links, into the ledger.

An answer is delivered when it was downloaded: the request moves on then, and
not when the link was made. A link that died or expired is shown, so that
somebody calls the person. May be repeated: what has arrived has arrived.

The app is believed about instants within the time in which the link lived, and
about nothing else.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.disclosure.deliver import arrived
from retention.disclosure.ledger import is_in_time
from retention.disclosure.model import Delivery
from retention.disclosure.tables import DisclosureRow
from retention.disclosure.tell import tell_of_delivery
from retention.kernel.canonical import isoformat
from retention.outbox.folder import Folder, Receipt
from retention.requests.model import Stage
from retention.requests.tables import RequestRow
from retention.vault.papers import Tools

#: A receipt may still change these: a link may have been downloaded just before it was withdrawn, or ended.
OPEN = (Delivery.WAITING, Delivery.WITHDRAWN, Delivery.EXPIRED)


def collect(tools: Tools, outbox: Folder, sender: str, actor: str) -> list[DisclosureRow]:
    """The deliveries about which something new is known.

    Raises:
        StoreUnavailable: The outbox cannot be changed.
    """
    now = tools.clock.now()
    receipts = {each.id: each for each in outbox.receipts()}
    with tools.database.read() as session:
        waiting = [each.link_id for each in _open_links(session)]
    changed = []
    for link_id in waiting:
        # One transaction each: what was collected stays collected, whatever comes next.
        with tools.database.write() as session:
            made = session.execute(
                select(DisclosureRow).where(col(DisclosureRow.link_id) == link_id)
            ).scalar_one()
            if _settle(session, tools, made, receipts.get(link_id), now, actor):
                changed.append(made)
    _take_away(tools, outbox, sender, receipts)
    outbox.sweep(now)
    return changed


def _open_links(session: Session) -> Iterable[DisclosureRow]:
    statement = select(DisclosureRow).where(
        col(DisclosureRow.state).in_(OPEN), col(DisclosureRow.link_id) != ""
    )
    return session.execute(statement.order_by(col(DisclosureRow.id))).scalars()


def _settle(
    session: Session, tools: Tools, made: DisclosureRow, receipt: Receipt | None, now: datetime, actor: str
) -> bool:
    """Bring a row of the ledger up to what is known; whether that is something new."""
    state = _state(made, receipt, now)
    told = _told(receipt)
    if state == made.state and told == made.receipt:
        return False
    is_news = state != made.state
    made.state, made.receipt = state, told
    session.add(made)
    if state == Delivery.DOWNLOADED and receipt:
        at = min(max(receipt.ended_at or now, made.made_at), now)
        _deliver(session, tools, made, at, actor)
    elif is_news:
        detail = {"delivery": made.id, "state": state}
        record(session, now, Act(Tag.DISCLOSURE_ENDED, actor, made.request_id, detail=detail))
    return True


def _state(made: DisclosureRow, receipt: Receipt | None, now: datetime) -> Delivery:
    if receipt and receipt.state == Delivery.DOWNLOADED:
        return Delivery.DOWNLOADED
    if made.state != Delivery.WAITING:
        return Delivery(made.state)
    if receipt and receipt.state in (Delivery.DIED, Delivery.INTERRUPTED, Delivery.EXPIRED):
        return Delivery(receipt.state)
    # Where no app runs, the day ends a link as well.
    return Delivery.EXPIRED if made.expires_at and made.expires_at <= now else Delivery.WAITING


def _told(receipt: Receipt | None) -> dict[str, Any]:
    if receipt is None:
        return {}
    said = asdict(receipt)
    del said["id"]
    return {name: isoformat(value) if isinstance(value, datetime) else value for name, value in said.items()}


def _deliver(session: Session, tools: Tools, made: DisclosureRow, at: datetime, actor: str) -> None:
    row = session.get_one(RequestRow, made.request_id)
    if row.stage in (Stage.PACKAGED, Stage.DELIVERED):
        arrived(session, tools, row, made, at, actor, {})
        return
    # The case was closed meanwhile: the ledger still says that this one arrived as well.
    made.delivered_at, made.in_time = at, is_in_time(session, row, at)
    detail = {"delivery": made.id, "state": made.state}
    record(session, tools.clock.now(), Act(Tag.DISCLOSURE_ENDED, actor, row.id, detail=detail))
    tell_of_delivery(tools.journal, row, made)


def _take_away(tools: Tools, outbox: Folder, sender: str, receipts: dict[str, Receipt]) -> None:
    """Take away links that do not wait any more, or of which no ledger knows: those that a restore forgot."""
    with tools.database.read() as session:
        states = {each.link_id: each.state for each in _all_links(session)}
    for link_id in [*outbox.links()]:
        opened = outbox.open(link_id)
        if opened is None:
            continue
        file, waiting = opened
        file.close()
        if waiting.head.sender == sender and states.get(link_id) != Delivery.WAITING:
            outbox.take_away(link_id)
    for link_id in receipts:
        if states.get(link_id, Delivery.WAITING) not in OPEN:
            outbox.forget_receipt(link_id)


def _all_links(session: Session) -> Iterable[DisclosureRow]:
    return session.execute(select(DisclosureRow).where(col(DisclosureRow.link_id) != "")).scalars()
