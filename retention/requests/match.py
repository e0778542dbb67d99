"""Find what is held about the requester, and keep a log of the search: also of what was not found.

What the request describes was frozen when it was filed, so the matches of its
holds are the living part of the answer; the rest is what was disposed of
before, for which a certificate answers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, col

from retention.audit.tags import Tag
from retention.catalogue.identifiers import blind_index
from retention.catalogue.sources import overlapping
from retention.catalogue.states import State
from retention.catalogue.tables import IdentifierRow, RecordingRow, SourceRow, TombstoneRow
from retention.database import table_of
from retention.holds.find import find_hold
from retention.holds.model import Criteria, Hold
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.kernel.errors import InvalidInput, NotFound
from retention.requests.cases import check_step, file_key, find_request, move_on, put_on_record
from retention.requests.file import DESCRIBED, REVIEW_AFTER, freeze, request_hold, settle
from retention.requests.model import Stage, Step
from retention.requests.papers import diary
from retention.requests.received import Described
from retention.requests.tables import RequestHoldRow, RequestMatchRow, RequestRow
from retention.vault.papers import Tools

GONE = (State.DISPOSING, State.DISPOSED)
RECORDING = table_of(RecordingRow)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    living: tuple[str, ...]
    gone: tuple[tuple[str, str], ...]  #: (recording, run whose certificate says so; "" while it goes)
    searched: Mapping[str, int]  #: what was looked for → how many were found


def describe(tools: Tools, name: str, more: Described, actor: str) -> RequestRow:
    """The requester has described more: it is frozen as well.

    Raises:
        InvalidInput: It describes nothing.
        NotFound: A described source or recording does not exist.
        IllegalTransition: The request was decided already.
    """
    criteria = more.criteria(tools.index_key)
    if not criteria:
        raise InvalidInput(
            "nothing is described",
            hint="Give --phone, --customer, --native, --call-agent, --source with --from and --to, or --recording.",
        )
    now = tools.clock.now()
    with tools.database.read() as session:
        row = find_request(session, name)
    holds = _holds(tools, row, criteria, actor)
    with tools.database.write() as session:
        row = find_request(session, name)
        if row.stage not in (Stage.FILED, Stage.IDENTIFIED, Stage.MATCHED):
            move_on(row, Step.MATCH)  # refuses, and says what is possible
        placed = freeze(session, tools, row.id, holds)
        detail = {"holds": [each.hold.id for each in placed]}
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_DESCRIBED, more.told(), detail)
    settle(tools, placed)
    return row


def _holds(tools: Tools, row: RequestRow, criteria: Sequence[Criteria], actor: str) -> list[Hold]:
    words = f"request {row.receipt}: {row.kind}"
    review_on = max(row.due_on + REVIEW_AFTER, tools.clock.now().date())
    return [request_hold(tools, each, words, review_on, actor) for each in criteria]


def match(tools: Tools, name: str, actor: str) -> Found:
    """Search for all that the request describes; may be done again. What of it is not frozen is frozen again.

    Raises:
        IllegalTransition: The requester has not been identified, or the request was decided already.
    """
    now = tools.clock.now()
    with tools.database.read() as session:
        row = find_request(session, name)
        check_step(row, Step.MATCH)
        holds = _holds(tools, row, list(_let_go(session, tools, row)), actor)
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.MATCH)
        placed = freeze(session, tools, row.id, holds)
        searched = dict(_search(session, tools, described(session, tools, row)))
        living = held(session, row.id)
        known = {each.recording_id: each for each in matches(session, row.id)}
        # What is gone is found by no identifier any more; what an earlier search found of it is remembered.
        states = [*searched.values(), _states(session, RECORDING.c.id.in_(known))]
        gone = {each for found in states for each, state in found if state in GONE}
        runs = _runs(session, gone)
        for recording_id in sorted({*living, *gone}):
            found = known.get(recording_id) or RequestMatchRow(request_id=row.id, recording_id=recording_id)
            found.is_gone, found.run_id = recording_id in gone, runs.get(recording_id, "")
            session.add(found)
        counts = {what: len(found) for what, found in searched.items()}
        said = {"searched": counts, "living": list(living), "gone": sorted(gone)}
        detail = {"living": len(living), "gone": len(gone)}
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_MATCHED, said, detail)
    settle(tools, placed)
    return Found(living, tuple((each, runs.get(each, "")) for each in sorted(gone)), counts)


def matches(session: Session, request_id: str) -> list[RequestMatchRow]:
    """What the request was found to be about, by recording."""
    return list(
        session.execute(
            select(RequestMatchRow)
            .where(col(RequestMatchRow.request_id) == request_id)
            .order_by(col(RequestMatchRow.recording_id))
        ).scalars()
    )


def granted(session: Session, request_id: str) -> tuple[str, ...]:
    """The recordings that the request is about, that are still here, and for which it is not refused."""
    found = matches(session, request_id)
    return tuple(
        each.recording_id for each in found if not (each.is_left_out or each.is_gone or each.is_refused)
    )


def leave_out(tools: Tools, name: str, recording_id: str, reason: str, actor: str) -> None:
    """The request is not about this recording after all: the requester is not in it.

    It stays held until the request is closed.

    Raises:
        NotFound: It is not among the matches.
        InvalidInput: There is no reason.
        IllegalTransition: The request is not at its search.
    """
    if not reason.strip():
        raise InvalidInput("leaving a recording out needs a reason", hint="Give --reason TEXT.")
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.MATCH)
        found = session.get(RequestMatchRow, (row.id, recording_id))
        if found is None:
            raise NotFound(
                f"recording {recording_id} is not among the matches of {row.receipt}",
                hint=f"`retention request show {row.receipt}` lists them.",
            )
        found.is_left_out = True
        session.add(found)
        said = {"recording": recording_id, "reason": reason}
        put_on_record(
            session, tools, row, now, actor, Tag.REQUEST_LEFT_OUT, said, {"recording": recording_id}
        )


def described(session: Session, tools: Tools, row: RequestRow) -> Described:
    """All that the requester described so far."""
    notes = diary(session, row.id, row.file_id, file_key(session, tools, row))
    told = [Described.of(each.said) for each in notes if each.about == DESCRIBED]
    return Described(
        tuple(dict.fromkeys(each for some in told for each in some.identifiers)),
        tuple(dict.fromkeys(each for some in told for each in some.intervals)),
        tuple(dict.fromkeys(each for some in told for each in some.recording_ids)),
    )


def held(session: Session, request_id: str) -> tuple[str, ...]:
    """The recordings that the request's holds in force keep."""
    rows = session.execute(
        select(col(HoldMatchRow.recording_id))
        .join(RequestHoldRow, col(RequestHoldRow.hold_id) == col(HoldMatchRow.hold_id))
        .join(HoldRow, col(HoldRow.id) == col(HoldMatchRow.hold_id))
        .where(col(RequestHoldRow.request_id) == request_id, col(HoldRow.lifted_at).is_(None))
        .distinct()
    )
    return tuple(sorted(rows.scalars()))


def _let_go(session: Session, tools: Tools, row: RequestRow) -> Iterator[Criteria]:
    """What the request describes and no hold of it keeps any more: a restore may bring a request back to before its holds were lifted."""
    mine = select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == row.id)
    holds = [find_hold(session, each) for each in session.execute(mine).scalars()]
    kept = [each.criteria for each in holds if each.lifted_at is None]
    spans = {(each.source_id, each.from_at, each.until_at) for each in kept}
    for each in described(session, tools, row).criteria(tools.index_key):
        if each.source_id and (each.source_id, each.from_at, each.until_at) not in spans:
            yield each
        if blinds := each.blinds.difference(*(one.blinds for one in kept)):
            yield Criteria(blinds=blinds)
        named = set(each.recording_ids).difference(*(one.recording_ids for one in kept))
        if there := [found for found, _ in _states(session, RECORDING.c.id.in_(named))]:
            yield Criteria(recording_ids=tuple(there))


def _search(session: Session, tools: Tools, sought: Described) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each thing that is looked for, and the recordings it leads to, with the state each is in."""
    for each in sought.identifiers:
        blind = blind_index(tools.index_key, each.kind, each.value)
        carries = select(col(IdentifierRow.recording_id)).where(col(IdentifierRow.blind) == blind)
        known = RECORDING.c.id.in_(carries) if each.is_personal else _called(blind)
        yield f"{each.kind} {each.value}", _states(session, known)
    for interval in sought.intervals:
        within = overlapping(session, interval.source_id, interval.from_at, interval.until_at)
        span = f"{interval.from_at.isoformat()} to {interval.until_at.isoformat()}"
        yield f"{interval.source_id} from {span}", _states(session, within)
    for recording_id in sought.recording_ids:
        yield f"recording {recording_id}", _states(session, RECORDING.c.id == recording_id)


def _called(native_index: bytes) -> ColumnElement[bool]:
    """What a recorder called so: also what is gone, which no other identifier leads to any more."""
    sources = select(col(SourceRow.id))
    return and_(RECORDING.c.source_id.in_(sources), RECORDING.c.native_index == native_index)


def _states(session: Session, condition: ColumnElement[bool]) -> list[tuple[str, str]]:
    rows = session.execute(
        select(RECORDING.c.id, RECORDING.c.state).where(condition).order_by(RECORDING.c.id)
    )
    return [(row.id, row.state) for row in rows]


def _runs(session: Session, recording_ids: Iterable[str]) -> dict[str, str]:
    rows = session.execute(
        select(col(TombstoneRow.recording_id), col(TombstoneRow.run_id)).where(
            col(TombstoneRow.recording_id).in_(list(recording_ids))
        )
    )
    return {row.recording_id: row.run_id for row in rows}
