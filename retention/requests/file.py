"""Receive a request: its number, its clock, and a hold on all that it describes, in one transaction.

From the commit on no night can take anything the request is about, nor what
arrives later and matches. The journal is told of the holds before the commit
and of the request after it, so a backup restored later knows both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.holds.model import Criteria, Hold, HoldKind
from retention.holds.place import Placed, confirm, new_hold, place
from retention.kernel.clock import local_date
from retention.kernel.errors import DatabaseBusy, InvalidInput
from retention.kernel.ids import new_id
from retention.requests.model import Stage
from retention.requests.papers import Area, keep_paper, note, write_paper
from retention.requests.received import Received
from retention.requests.rulebooks import Rules, rules_in_force
from retention.requests.tables import LostRequestRow, RequestHoldRow, RequestRow
from retention.vault.model import object_name
from retention.vault.papers import Tools

#: How long after the last date for an answer somebody must look at the request's holds again.
REVIEW_AFTER = timedelta(days=30)
DESCRIBED = "describe"  #: what the diary calls an entry that says what a request is about


@dataclass(frozen=True, slots=True)
class Filed:
    """A request on file, and what it froze."""

    request_id: str
    receipt: str
    due_on: date
    placed: tuple[Placed, ...]

    @property
    def held(self) -> frozenset[str]:
        """The recordings that its holds keep."""
        return frozenset(each for placed in self.placed for each in placed.recording_ids)

    @property
    def too_late(self) -> frozenset[str]:
        """Those whose disposal had begun before."""
        return frozenset(each for placed in self.placed for each in placed.too_late)


def file(tools: Tools, received: Received, actor: str) -> Filed:
    """Put a request on file and freeze what it describes.

    Raises:
        InvalidInput: It names nobody, is dated in the future, or has a language the rulebook lacks.
        NotFound: A described source or recording does not exist.
        DatabaseBusy: The schedule changed meanwhile; nothing was filed.
    """
    now = tools.clock.now()
    with tools.database.read() as session:
        schedule, rules = schedule_in_force(session), rules_in_force(session)
    _check(received, rules, now)
    request_id = new_id(now)
    with tools.intake() as intake:
        paper = write_paper(tools, intake, schedule, Area.FILE, [received.text()], request_id)
        holds = [
            _hold(tools, received, rules, criteria, request_id, actor)
            for criteria in received.described.criteria(tools.index_key)
        ]
        with tools.database.write() as session:
            if schedule_row(session).digest != schedule.digest:
                raise DatabaseBusy(
                    "the schedule was changed while the request was filed", hint="File it again."
                )
            row = _row(session, received, rules, request_id, paper.id, actor)
            session.add(row)
            session.flush()
            keep_paper(session, tools, intake, paper, request_id, "request")
            placed = freeze(session, tools, request_id, holds)
            told = received.described.told()
            note(session, request_id, paper.id, paper.data_key, now, actor, DESCRIBED, told)
            detail = {
                "kind": received.kind,
                "receipt": row.receipt,
                "due_on": row.due_on,
                "holds": [each.hold.id for each in placed],
                "rulebook": rules.version,
            }
            record(session, now, Act(Tag.REQUEST_FILED, actor, request_id, detail=detail))
            filed = Filed(request_id, row.receipt, row.due_on, placed)
    settle(tools, placed)
    tools.journal.write(
        "request-filed",
        now,
        {
            "request": request_id,
            "receipt": filed.receipt,
            "request_kind": received.kind,
            "received_at": received.received_at,
            "due_on": filed.due_on,
        },
    )
    return filed


def freeze(session: Session, tools: Tools, request_id: str, holds: Sequence[Hold]) -> tuple[Placed, ...]:
    """Place a request's holds, in the caller's transaction; `settle` follows the commit."""
    placed = tuple(place(session, tools.keys, tools.journal, hold) for hold in holds)
    session.add_all([RequestHoldRow(hold_id=hold.id, request_id=request_id) for hold in holds])
    return placed


def settle(tools: Tools, placed: Sequence[Placed]) -> None:
    """What follows the commit of holds: the journal knows them for certain, and the store locks what they cover."""
    for each in placed:
        confirm(tools.journal, each.hold)
        tools.store.protect([object_name(held, ORIGINAL) for held in each.recording_ids], held=True)


def request_hold(tools: Tools, criteria: Criteria, receipt_words: str, review_on: date, actor: str) -> Hold:
    """A hold of a request, with its key, not yet placed."""
    return new_hold(
        tools.keys,
        tools.clock.now(),
        actor,
        kind=HoldKind.REQUEST,
        reason=receipt_words,
        review_on=review_on,
        criteria=criteria,
    )


def _hold(
    tools: Tools, received: Received, rules: Rules, criteria: Criteria, request_id: str, actor: str
) -> Hold:
    review_on = rules.answer_by(received.kind, received.received_at) + REVIEW_AFTER
    return request_hold(
        tools,
        criteria,
        f"request {request_id}: {received.kind}",
        max(review_on, tools.clock.now().date()),
        actor,
    )


def _check(received: Received, rules: Rules, now: datetime) -> None:
    if not received.subject.name.strip():
        raise InvalidInput("the request names nobody", hint="Give --name: who the person is.")
    if received.agent is not None and not received.agent.name.strip():
        raise InvalidInput("the request is made by an agent who is not named", hint="Give --agent NAME.")
    if received.received_at > now:
        raise InvalidInput(
            f"the request was received at {received.received_at}, which lies in the future",
            hint="Correct --received-at.",
        )
    if received.language not in rules.book.languages:
        raise InvalidInput(
            f"the rulebook has no letters in {received.language!r}",
            hint=f"It has {', '.join(rules.book.languages)}.",
        )


def _row(
    session: Session, received: Received, rules: Rules, request_id: str, file_id: str, actor: str
) -> RequestRow:
    return RequestRow(
        id=request_id,
        receipt=_next_receipt(session, local_date(received.received_at, rules.zone).year),
        kind=received.kind,
        stage=Stage.FILED,
        language=received.language,
        by_agent=received.agent is not None,
        rulebook_version=rules.version,
        received_at=received.received_at,
        filed_by=actor,
        due_on=rules.answer_by(received.kind, received.received_at),
        file_id=file_id,
    )


def _next_receipt(session: Session, year: int) -> str:
    """Requests are never taken off the file, so how many there were is the last number; lost ones count, too."""
    columns = (col(RequestRow.receipt), col(LostRequestRow.receipt))
    counts = (select(func.count()).where(each.startswith(f"{year}-")) for each in columns)
    return f"{year}-{sum(session.execute(each).scalar_one() for each in counts) + 1:04d}"
