"""Do what was granted: correct, suspend use, stop provision, erase with a certificate, or protect otherwise.

One transaction does it and says so, and a process that was killed after it is
followed by the next disposal, which finishes what was begun.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.tags import Tag
from retention.catalogue.identifiers import blind_all
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import RecordingRow
from retention.database import table_of
from retention.disposal.carry_out import Tools as DisposalTools
from retention.disposal.erase import erase
from retention.disposal.tables import RunRow
from retention.holds.find import find_hold
from retention.holds.lift import Lifted, confirm_lift, lift
from retention.holds.model import Criteria, HoldKind
from retention.holds.place import Placed, new_hold, place
from retention.holds.tables import HoldMatchRow
from retention.kernel.errors import HoldInForce, StaleApproval
from retention.provision.blocks import block
from retention.requests.cases import check_step, find_request, move_on, put_on_record
from retention.requests.correct import put_right, tell
from retention.requests.file import freeze, request_hold, settle
from retention.requests.match import described, granted, held
from retention.requests.model import Step
from retention.requests.provisions import handed_over
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestHoldRow, RequestRow
from retention.vault.model import object_name
from retention.vault.papers import Tools

#: When somebody must look again at use that was suspended because a person asked for it.
REVIEW_AFTER = timedelta(days=365)


def carry_out(tools: Tools, disposal: DisposalTools, name: str, actor: str) -> RequestRow:
    """Carry out what was decided and approved.

    Raises:
        IllegalTransition: Nothing was granted, or it is carried out already.
        HoldInForce: Something that is to be erased is under a hold that is not the request's own.
        StaleApproval: What is to be corrected is not what it was, or what is to be erased is gone already.
        DatabaseBusy: Another process is disposing.
    """
    with tools.database.read() as session:
        row = find_request(session, name)
        check_step(row, Step.CARRY_OUT)
    kind, outcome = RequestKind(row.kind), Outcome(row.outcome)
    if kind is RequestKind.ERASURE and outcome is not Outcome.SUBSTITUTE:
        _erase(tools, disposal, name, actor)
    elif kind in (RequestKind.SUSPENSION, RequestKind.ERASURE):
        _suspend(tools, name, actor)
    elif kind is RequestKind.CORRECTION:
        _correct(tools, name, actor)
    else:
        assert kind is RequestKind.STOP_PROVISION, "no other kind is granted and acted on"
        _stop_provision(tools, name, actor)
    with tools.database.read() as session:
        return find_request(session, name)


def _correct(tools: Tools, name: str, actor: str) -> None:
    """From this commit on the particulars are right; who was told otherwise before is listed."""
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.CARRY_OUT)
        told = {"to_be_told": [each.digest for each in handed_over(session, row.id)]}
        row.effect = put_right(session, tools, row, now, actor) | told
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_CARRIED_OUT, {}, row.effect)
    tell(tools, name)


def _suspend(tools: Tools, name: str, actor: str) -> None:
    """Nobody may use the recordings from this commit on: for erasure, that is the measure taken in its place."""
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.CARRY_OUT)
        hold = new_hold(
            tools.keys,
            now,
            actor,
            kind=HoldKind.REQUEST,
            reason=f"request {row.receipt}: use suspended",
            review_on=(now + REVIEW_AFTER).date(),
            criteria=Criteria(recording_ids=granted(session, row.id)),
            suspends_use=True,
        )
        placed = place(session, tools.keys, tools.journal, hold)
        row.effect = {"suspended_by": hold.id, "recordings": list(placed.recording_ids)}
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_CARRIED_OUT, {}, row.effect)
    settle(tools, [placed])


def _stop_provision(tools: Tools, name: str, actor: str) -> None:
    """Nothing of it is given to anybody from this commit on.

    Granted in full, it also covers what arrives later about this person; in
    part, the named recordings alone. So does a recorder's own id: it says
    nothing of who somebody is, and another recorder may use it. A substitute
    measure is the one that the letter describes. Who received something before
    is listed, to be told.
    """
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.CARRY_OUT)
        stopped = () if row.outcome == Outcome.SUBSTITUTE else granted(session, row.id)
        blocks: tuple[str, ...] = ()
        if stopped:
            known = described(session, tools, row).identifiers if row.outcome == Outcome.FULL else ()
            blocks = block(
                session,
                tools.journal,
                now,
                actor,
                reason=f"request {row.receipt}",
                recording_ids=stopped,
                blinds=blind_all(tools.index_key, [each for each in known if each.is_personal]),
            )
        row.effect = {
            "blocks": list(blocks),
            "recordings": list(stopped),
            "to_be_told": [each.digest for each in handed_over(session, row.id)],
        }
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_CARRIED_OUT, {}, row.effect)


def _erase(tools: Tools, disposal: DisposalTools, name: str, actor: str) -> None:
    now = tools.clock.now()
    lifted: list[Lifted] = []
    placed: list[Placed] = []
    with tools.database.read() as session:
        row = find_request(session, name)
        going = granted(session, row.id)
        _refuse_gone(session, row, going)
        staying = _staying(session, row.id, going)
    reason = f"request {row.receipt}: erasure was granted"

    def clear(session: Session) -> None:
        held = _holds(session, row.id)
        _refuse_others(session, going, held)
        if staying:
            kept = request_hold(
                tools, Criteria(recording_ids=staying), reason, row.due_on + REVIEW_AFTER, actor
            )
            placed.extend(freeze(session, tools, row.id, [kept]))
        lifted.extend(lift(session, each, reason, now, actor) for each in held)

    def note(session: Session, run: RunRow) -> None:
        again = find_request(session, name)
        move_on(again, Step.CARRY_OUT)
        again.effect = {"run": run.id, "recordings": list(going)}
        put_on_record(session, tools, again, now, actor, Tag.REQUEST_CARRIED_OUT, {}, again.effect)

    def follow() -> None:
        settle(tools, placed)
        for each in lifted:
            confirm_lift(tools.journal, each.hold, reason, actor)
            tools.store.protect([object_name(one, ORIGINAL) for one in each.unprotected], held=False)

    erase(disposal, going, actor, clear=clear, note=note, settle=follow)


def _holds(session: Session, request_id: str) -> list[str]:
    """The request's own holds that are in force."""
    rows = session.execute(
        select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == request_id)
    )
    return [each for each in rows.scalars() if find_hold(session, each).lifted_at is None]


def _staying(session: Session, request_id: str, going: Sequence[str]) -> tuple[str, ...]:
    """What the request froze and does not erase, found by its search or not: it stays held until it is closed."""
    return tuple(each for each in held(session, request_id) if each not in set(going))


def _refuse_gone(session: Session, row: RequestRow, going: Sequence[str]) -> None:
    """A restore may have brought the request back to before its erasure; what was erased stays erased."""
    recording = table_of(RecordingRow)
    known = select(recording.c.id).where(recording.c.id.in_(going), recording.c.state == State.SEALED)
    gone = sorted(set(going) - set(session.execute(known).scalars()))
    if gone:
        raise StaleApproval(
            f"{', '.join(gone)} of request {row.receipt} is gone already",
            hint=f"`retention request send-back {row.receipt}`, then `match` again: its certificate answers.",
        )


def _refuse_others(session: Session, going: Sequence[str], own: Sequence[str]) -> None:
    rows = session.execute(
        select(col(HoldMatchRow.hold_id), col(HoldMatchRow.recording_id)).where(
            col(HoldMatchRow.recording_id).in_(going), col(HoldMatchRow.hold_id).not_in(own)
        )
    ).all()
    others = sorted({row.hold_id for row in rows if find_hold(session, row.hold_id).lifted_at is None})
    if others:
        raise HoldInForce(
            f"{len({row.recording_id for row in rows})} of the recordings are under hold {', '.join(others)}",
            hint="Send the decision back and decide `substitute` for them, or wait until the hold is lifted.",
        )
