"""Take more time to answer a request, and close the case once its answer was handed over (`retention.disclosure`).

Closing lifts the request's holds and starts the periods of its papers. What was
disclosed or decided stays on record; what was kept for the request alone is the
next night's work.
"""

from contextlib import suppress
from datetime import date

from sqlalchemy import select
from sqlmodel import col

from retention.audit.tags import Tag
from retention.catalogue.schedules import schedule_in_force
from retention.holds.enforce import Tools as HoldTools
from retention.holds.enforce import end
from retention.holds.find import find_hold
from retention.kernel.clock import local_date
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound
from retention.requests.cases import check_step, find_request, move_on, put_on_record
from retention.requests.model import Stage, Step
from retention.requests.papers import CLOSED
from retention.requests.rulebooks import rules_of
from retention.requests.rules.clock import extended_by, tell_by
from retention.requests.rules.model import RequestKind
from retention.requests.tables import RequestHoldRow, RequestRow
from retention.vault.papers import Tools
from retention.vault.trigger import start_count


def extend(tools: Tools, name: str, reason: str, actor: str) -> RequestRow:
    """Take more time, as far as the law allows it and while the requester can still be told in time.

    Raises:
        InvalidInput: There is no reason, the law knows no extension, or it is too late to tell.
        IllegalTransition: It was extended before, or is answered.
    """
    if not reason.strip():
        raise InvalidInput(
            "an extension needs a reason, which the requester is told", hint="Give --reason TEXT."
        )
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        if row.extended_from is not None or row.stage in (Stage.DELIVERED, Stage.CLOSED):
            raise IllegalTransition(
                f"request {row.receipt} was extended or answered before", hint="Answer it in time."
            )
        rules = rules_of(session, row.rulebook_version)
        rule, received_on = rules.book.kinds[RequestKind(row.kind)], local_date(row.received_at, rules.zone)
        until = extended_by(rule, rules.book.clock, rules.office, received_on)
        last_on = tell_by(rule, rules.book.clock, rules.office, received_on)
        if local_date(now, rules.zone) > last_on:
            raise InvalidInput(
                f"the requester had to be told of an extension by {last_on}", hint="Answer at once."
            )
        row.extended_from, row.due_on = row.due_on, until
        put_on_record(
            session,
            tools,
            row,
            now,
            actor,
            Tag.REQUEST_EXTENDED,
            {"reason": reason.strip()},
            {"due_on": until},
        )
        return row


def close(tools: Tools, holds: HoldTools, name: str, actor: str) -> RequestRow:
    """Close the case: its papers begin to count, its holds are lifted.

    Raises:
        IllegalTransition: The answer has not been delivered.
    """
    now = tools.clock.now()
    with tools.database.read() as session:
        row = find_request(session, name)
        check_step(row, Step.CLOSE)
        on = local_date(now, rules_of(session, row.rulebook_version).zone)
        mine = select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == row.id)
        held = [
            each for each in session.execute(mine).scalars() if find_hold(session, each).lifted_at is None
        ]
    # Told first: a restore that lifts the holds again must not bring back a request that seems to be open.
    told = {"request": row.id, "outcome": row.outcome, "delivered_at": row.delivered_at, "by": actor}
    tools.journal.write("request-closed", now, told)
    # Killed anywhere before the last transaction, the request is still to be closed, and this is done again.
    _count_papers(tools, row.id, on, actor)
    for hold_id in held:
        end(holds, hold_id, f"request {row.receipt} is closed", actor)
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.CLOSE)
        row.closed_at = now
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_CLOSED, {}, {"outcome": row.outcome})
        return row


def _count_papers(tools: Tools, request_id: str, on: date, actor: str) -> None:
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
    with suppress(
        NotFound
    ):  # nothing waits: it was done before, or no class of the policy counts from this event
        start_count(
            tools.database,
            tools.keys,
            tools.journal,
            schedule,
            event=CLOSED,
            reference=request_id,
            on=on,
            at=tools.clock.now(),
            actor=actor,
        )
