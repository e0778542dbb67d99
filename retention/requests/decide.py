"""Decide a request, have a second person approve it, or end it because the requester withdraws.

Refusing needs a ground that the rulebook allows for this kind, and for a
disclosure a word on why a part could not be disclosed either. "Nothing held"
is another outcome than refusing, and only possible where nothing is held. A
disclosure is granted on finished copies (`renditions`), and approved for exactly these.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from retention.audit.tags import Tag
from retention.kernel.errors import InvalidInput, NotPermitted
from retention.kernel.people import is_same_person
from retention.requests.cases import find_request, move_on, put_on_record
from retention.requests.correct import (
    check_granted,
    check_not_own,
    check_seen,
    check_statements,
    keep_statements,
    tell,
)
from retention.requests.match import granted, matches
from retention.requests.model import ACTING, GRANTED, WITHDRAWN, Step
from retention.requests.provisions import handed_over
from retention.requests.renditions import check_second_person, check_unchanged, decide_about, take_back
from retention.requests.rulebooks import rules_of
from retention.requests.rules.model import OUTCOMES, Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.papers import Tools

#: These outcomes say what was done in place of what was asked.
MEASURED = frozenset({Outcome.ANSWERED, Outcome.SUBSTITUTE})
#: These outcomes say no to something, and so need a ground.
NEEDS_GROUND = frozenset({Outcome.PARTIAL, Outcome.SUBSTITUTE, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, and why."""

    outcome: Outcome
    grounds: tuple[str, ...] = ()
    reason: str = ""  #: in words, for the letter
    not_for: tuple[str, ...] = ()  #: where it is granted in part: the recordings for which it is not
    measure: str = ""  #: what is done in place of what was asked, for the letter
    partial_considered: str = ""  #: why no part could be granted, before all is refused


def decide(tools: Tools, name: str, decision: Decision, actor: str) -> RequestRow:
    """Put a decision on record, for a second person to approve.

    Raises:
        InvalidInput: The outcome or a ground is not possible for this kind, or does not fit what was found.
        IllegalTransition: The request is not ready to be decided, or a copy that it would grant is not made.
    """
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.DECIDE)
        _check(session, row, decision)
        _refuse_for(session, row, decision)
        copies = decide_about(session, row) if _hands_over(row, decision.outcome) else {}
        row.outcome, row.grounds = decision.outcome, list(decision.grounds)
        row.decided_by, row.decided_at = actor, now
        said = {
            "outcome": decision.outcome,
            "reason": decision.reason,
            "measure": decision.measure,
            "partial_considered": decision.partial_considered,
        }
        detail: dict[str, Any] = {"outcome": decision.outcome, "grounds": list(decision.grounds)}
        if copies:
            detail["copies"] = copies
        if _corrects(row):
            check_granted(session, tools, row)
        _check_promise(session, tools, row, decision)
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_DECIDED, {**said, **detail}, detail)
        return row


def _check_promise(session: Session, tools: Tools, row: RequestRow, decision: Decision) -> None:
    grounds = rules_of(session, row.rulebook_version).book.grounds
    if any(grounds[code].keeps_statement for code in decision.grounds):
        check_statements(session, tools, row, decision.not_for or granted(session, row.id))


def _hands_over(row: RequestRow, outcome: str) -> bool:
    return RequestKind(row.kind) is RequestKind.DISCLOSURE and outcome in GRANTED


def approve(tools: Tools, name: str, actor: str, seen: str = "") -> RequestRow:
    """A second person agrees with the decision, and with the copies or corrections that it is about.

    Args:
        tools: The store.
        name: The request.
        actor: The second person.
        seen: The code of the corrections that they looked at, where something is to be corrected.

    Raises:
        NotPermitted: It is the person who decided, or who reviewed or rendered a copy, or put a correction together.
        InvalidInput: Something is to be corrected, and there is no code.
        StaleApproval: A copy is not the one that was decided about, or the code is that of another decision.
        IllegalTransition: Nothing waits for approval.
    """
    row = _answer_decision(tools, name, Step.APPROVE, "", actor, seen)
    tell(tools, name)  # of statements that a refusal keeps
    return row


def send_back(tools: Tools, name: str, reason: str, actor: str) -> RequestRow:
    """A second person does not agree with the decision, or it cannot be carried out: it is open again.

    Raises:
        NotPermitted: It is the person who decided.
        InvalidInput: There is no reason.
        IllegalTransition: Nothing waits for approval.
    """
    if not reason.strip():
        raise InvalidInput("sending a decision back needs a reason", hint="Give --reason TEXT.")
    return _answer_decision(tools, name, Step.SEND_BACK, reason, actor)


def _corrects(row: RequestRow) -> bool:
    return row.kind == RequestKind.CORRECTION and row.outcome in GRANTED


def _answer_decision(
    tools: Tools, name: str, action: Step, reason: str, actor: str, seen: str = ""
) -> RequestRow:
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, action)
        outcome = row.outcome
        if is_same_person(actor, row.decided_by):
            raise NotPermitted(
                f"{actor} decided request {row.receipt}, and nobody approves a decision of their own",
                hint="Have another person do it.",
            )
        if action is Step.APPROVE:
            if _hands_over(row, row.outcome):
                check_second_person(session, row, actor)
                check_unchanged(session, row)
            if row.kind == RequestKind.CORRECTION:
                check_not_own(session, tools, row, actor)
            if _corrects(row):
                check_seen(session, tools, row, seen)
            row.approved_by, row.approved_at = actor, now
            if row.kind == RequestKind.CORRECTION and row.outcome == Outcome.REFUSED:
                keep_statements(session, tools, row, now, actor)
            tag = Tag.REQUEST_APPROVED
        else:
            row.outcome, row.grounds, row.decided_by, row.decided_at = "", [], "", None
            row.approved_by, row.approved_at = "", None
            _take_back(session, row)
            take_back(session, row.id)
            tag = Tag.REQUEST_SENT_BACK
        put_on_record(session, tools, row, now, actor, tag, {"reason": reason}, {"outcome": outcome})
        return row


def withdraw(tools: Tools, name: str, reason: str, actor: str) -> RequestRow:
    """The requester does not ask any more.

    Raises:
        InvalidInput: There is no reason.
        IllegalTransition: The request was approved already.
    """
    if not reason.strip():
        raise InvalidInput("a withdrawal needs a reason", hint="Give --reason TEXT: who said so, and how.")
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.WITHDRAW)
        row.outcome, row.decided_by, row.decided_at = WITHDRAWN, actor, now
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_WITHDRAWN, {"reason": reason}, {})
        return row


def _check(session: Session, row: RequestRow, decision: Decision) -> None:
    kind = RequestKind(row.kind)
    if decision.outcome not in OUTCOMES[kind]:
        raise InvalidInput(
            f"a request for {kind} cannot end {decision.outcome}",
            hint=f"It can end {', '.join(OUTCOMES[kind])}.",
        )
    _check_grounds(session, row, kind, decision)
    if kind is RequestKind.PROVISION_RECORDS:
        _check_against_ledger(session, row, decision.outcome)
    elif kind is not RequestKind.COMPLAINT:
        _check_against_matches(session, row, decision.outcome)


def _check_grounds(session: Session, row: RequestRow, kind: RequestKind, decision: Decision) -> None:
    book = rules_of(session, row.rulebook_version).book
    possible = [each.code for each in book.grounds_for(kind, decision.outcome)]
    wrong = sorted(set(decision.grounds) - set(possible))
    if wrong:
        raise InvalidInput(
            f"{', '.join(wrong)} is no ground on which a request for {kind} can end {decision.outcome}",
            hint=f"The rulebook knows {', '.join(possible) or 'none'}.",
        )
    needs = decision.outcome in NEEDS_GROUND
    if needs and not decision.grounds:
        raise InvalidInput(
            f"{decision.outcome} needs a ground", hint=f"Give --ground: {', '.join(possible)}."
        )
    if decision.outcome is Outcome.ANSWERED or needs:
        _say(decision.reason, "--reason", "what the letter says about it")
    if decision.outcome in MEASURED:
        _say(decision.measure, "--measure", "what is done about it")
    if decision.outcome is Outcome.REFUSED and kind is RequestKind.DISCLOSURE:
        _say(decision.partial_considered, "--partial-considered", "why no part can be disclosed")


def _say(text: str, option: str, what: str) -> None:
    if not text.strip():
        raise InvalidInput(f"this decision does not say {what}", hint=f"Give {option} TEXT.")


def _check_against_ledger(session: Session, row: RequestRow, outcome: Outcome) -> None:
    found = handed_over(session, row.id)
    if outcome is Outcome.NOTHING_HELD and found:
        raise InvalidInput(
            f"{len(found)} provisions about request {row.receipt} are on record, so nothing-held is not true",
            hint="Decide otherwise.",
        )
    if outcome in (Outcome.FULL, Outcome.PARTIAL) and not found:
        raise InvalidInput(
            f"no provision about request {row.receipt} is on record: there is nothing to disclose",
            hint="Decide nothing-held.",
        )


def _check_against_matches(session: Session, row: RequestRow, outcome: Outcome) -> None:
    living = granted(session, row.id)
    if outcome is Outcome.NOTHING_HELD and living:
        raise InvalidInput(
            f"{len(living)} recordings about request {row.receipt} are held, so nothing-held is not true",
            hint="Leave out those that are not about the requester, or decide otherwise.",
        )
    if outcome in (Outcome.FULL, Outcome.PARTIAL, Outcome.SUBSTITUTE) and not living:
        raise InvalidInput(
            f"no recording about request {row.receipt} is held: there is nothing to grant",
            hint="Decide nothing-held, or describe more with `retention request describe`.",
        )


def _refuse_for(session: Session, row: RequestRow, decision: Decision) -> None:
    """Mark the recordings for which it is not granted."""
    found = {each.recording_id: each for each in matches(session, row.id)}
    living = granted(session, row.id)
    if decision.not_for and decision.outcome is not Outcome.PARTIAL:
        raise InvalidInput(
            f"{decision.outcome} leaves no recording out", hint="Decide partial, or leave --not-for out."
        )
    # A correction says itself what of each recording is changed.
    by_recording = ACTING - {RequestKind.CORRECTION}
    if RequestKind(row.kind) in by_recording and decision.outcome is Outcome.PARTIAL and not decision.not_for:
        raise InvalidInput(
            "this does not say for which recordings it is not granted", hint="Give --not-for ID."
        )
    strange = sorted(set(decision.not_for) - set(living))
    if strange:
        raise InvalidInput(f"request {row.receipt} is not about {', '.join(strange)}")
    if decision.not_for and len(decision.not_for) == len(living):
        raise InvalidInput("nothing is left to be granted", hint="Decide refused.")
    for recording_id in decision.not_for:
        found[recording_id].is_refused = True
        session.add(found[recording_id])


def _take_back(session: Session, row: RequestRow) -> None:
    for each in matches(session, row.id):
        each.is_refused = False
        session.add(each)
