"""Confirm that who asks is who they say they are, before anything is said about what is held.

Images of documents are sealed as papers with a class of their own, which is
short. Who cannot be identified gets a letter that confirms nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retention.audit.tags import Tag
from retention.catalogue.schedules import schedule_in_force
from retention.kernel.errors import InvalidInput
from retention.requests.cases import find_request, move_on, put_on_record
from retention.requests.model import NOT_IDENTIFIED, Step
from retention.requests.papers import Area, keep_paper, write_paper
from retention.requests.rulebooks import rules_of
from retention.requests.rules.identity import Assessment, assess
from retention.requests.rules.model import Requester
from retention.requests.tables import RequestRow
from retention.vault.papers import Tools


@dataclass(frozen=True, slots=True)
class Evidence:
    """An image or a scan that shows who somebody is."""

    method: str
    content: Iterable[bytes]


def identify(
    tools: Tools, name: str, methods: Sequence[str], evidence: Sequence[Evidence], remark: str, actor: str
) -> RequestRow:
    """Put on record how the requester was identified.

    Raises:
        InvalidInput: The rulebook does not know a method, or the methods do not suffice by it.
        IllegalTransition: The requester was identified before, or the request is past that.
    """
    with tools.database.read() as session:
        schedule, row = schedule_in_force(session), find_request(session, name)
        rules = rules_of(session, row.rulebook_version)
    given = tuple(dict.fromkeys([*methods, *(each.method for each in evidence)]))
    shown = assess(rules.book, Requester.AGENT if row.by_agent else Requester.SUBJECT, given)
    if not shown.suffices:
        raise InvalidInput(
            f"this does not identify the requester of {row.receipt}: {_lacking(shown)}",
            hint="Give what else was shown with --method, or --failed when nothing more can be had.",
        )
    now = tools.clock.now()
    with tools.intake() as intake:
        papers = [
            (each.method, write_paper(tools, intake, schedule, Area.EVIDENCE, each.content, row.id))
            for each in evidence
        ]
        with tools.database.write() as session:
            row = find_request(session, name)
            move_on(row, Step.IDENTIFY)
            row.methods, row.identified_by = list(given), actor
            for method, paper in papers:
                keep_paper(session, tools, intake, paper, row.id, method)
            detail = {"methods": list(given), "evidence": len(papers)}
            put_on_record(
                session, tools, row, now, actor, Tag.REQUEST_IDENTIFIED, {"remark": remark, **detail}, detail
            )
            return row


def _lacking(shown: Assessment) -> str:
    lacking = []
    if shown.points < shown.points_needed:
        lacking.append(f"{shown.points} of {shown.points_needed} points")
    if shown.needs_authority and not shown.has_authority:
        lacking.append("an agent must show that they may act")
    return ", and ".join(lacking)


def fail_identity(tools: Tools, name: str, reason: str, actor: str) -> RequestRow:
    """The requester cannot be identified: the request ends, with a letter that confirms nothing.

    Raises:
        InvalidInput: There is no reason.
        IllegalTransition: The request is past that.
    """
    if not reason.strip():
        raise InvalidInput(
            "a failed identification needs a reason",
            hint="Give --reason TEXT: what was asked for, and what came.",
        )
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_request(session, name)
        move_on(row, Step.REJECT_IDENTITY)
        row.outcome, row.decided_by, row.decided_at = NOT_IDENTIFIED, actor, now
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_NOT_IDENTIFIED, {"reason": reason}, {})
        return row
