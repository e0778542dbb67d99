"""Propose a provision, and approve it as a second person.

A proposal is refused where its basis lacks a field, where an entrustee's
contract does not cover it, where provision was stopped, and where the
recording's own use is suspended or has expired. All of that is looked at again
when something is handed over.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.find import Recording, find_recording
from retention.catalogue.identifiers import blind_index
from retention.catalogue.model import ORIGINAL
from retention.catalogue.schedules import schedule_in_force
from retention.kernel.clock import local_date
from retention.kernel.errors import InvalidInput, NotFound, NotPermitted
from retention.kernel.ids import new_id
from retention.kernel.people import folded, is_same_person
from retention.provision.blocks import blocked
from retention.provision.entrustees import entrustee_of, find_entrustee
from retention.provision.model import (
    ENTRUSTMENT,
    ITEMS,
    Entrustee,
    Excerpt,
    Proposal,
    Rule,
    Stage,
    Step,
    complete,
    excerpt_of,
    step,
)
from retention.provision.papers import Area, check_kept_long_enough, text_of, write_paper
from retention.provision.tables import EntrusteeRow, ProvisionItemRow, ProvisionRow
from retention.schedule.model import Kind, Period, Schedule
from retention.vault.door import Refusal, Way, decide, sealed_object
from retention.vault.papers import Tools, keep_paper


def propose(tools: Tools, rule: Rule, keep: Period, proposal: Proposal, actor: str) -> ProvisionRow:
    """Propose to give recordings to somebody.

    Args:
        tools: What provisions need.
        rule: What the rulebook asks of the basis.
        keep: How long the rulebook wants the record kept.
        proposal: What is to be handed over, to whom, why.
        actor: Who proposes.

    Raises:
        InvalidInput: A field that the basis needs is missing, or the policy would forget it too early;
            or nothing of a recording lies in the interval, or it cannot be cut exactly.
        NotFound: There is no such recording or entrustee.
        NotPermitted: A recording may not be given to anybody, or not to this entrustee.
    """
    now = tools.clock.now()
    proposal = replace(proposal, recording_ids=tuple(dict.fromkeys(proposal.recording_ids)))
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
        check_kept_long_enough(schedule, keep, now)
        to = find_entrustee(session, proposal.to.strip()) if rule.basis == ENTRUSTMENT else None
        found = may_be_given(session, schedule, proposal.recording_ids, to.id if to else None, actor, now)
    parts = _parts(found, proposal)
    provision_id = new_id(now)
    said = {
        "provision": provision_id,
        "basis": rule.basis,
        "recordings": list(proposal.recording_ids),
        "excerpts": {each: [part.from_us, part.until_us, part.form] for each, part in parts.items()},
        "fields": _fields(rule, proposal, found, parts, to),
        "reason": proposal.reason.strip(),
        "proposed_by": actor,
        "proposed_at": now,
    }
    content = text_of(said)
    with tools.intake() as intake:
        paper = write_paper(tools, intake, schedule, Area.PROPOSAL, content, provision_id)
        row = ProvisionRow(
            id=provision_id,
            digest=hashlib.sha256(content).hexdigest(),
            stage=Stage.PROPOSED if rule.needs_two_people else Stage.APPROVED,
            basis=rule.basis,
            rulebook_version=rule.version,
            entrustee_id=to.id if to else None,
            recipient=recipient_index(tools.index_key, to.name if to else proposal.to),
            proposal_id=paper.id,
            proposed_at=now,
            proposed_by=actor,
        )
        with tools.database.write() as session:
            may_be_given(session, schedule, proposal.recording_ids, row.entrustee_id, actor, now)
            keep_paper(session, tools, intake, paper)
            session.add(row)
            session.flush()
            session.add_all(
                [
                    ProvisionItemRow(
                        provision_id=provision_id,
                        recording_id=each.id,
                        sha256=sealed_object(session, each.id, ORIGINAL).sha256,
                        from_us=parts[each.id].from_us if each.id in parts else None,
                        until_us=parts[each.id].until_us if each.id in parts else None,
                        form=parts[each.id].form if each.id in parts else "",
                    )
                    for each in found
                ]
            )
            detail = {
                "basis": rule.basis,
                "recordings": list(proposal.recording_ids),
                "digest": row.digest,
                "excerpts": said["excerpts"],
            }
            record(session, now, Act(Tag.PROVISION_PROPOSED, actor, provision_id, detail=detail))
    return row


def _parts(found: Sequence[Recording], proposal: Proposal) -> dict[str, Excerpt]:
    if proposal.part is None:
        return {}
    return {
        each.id: excerpt_of(
            each.id, Kind(each.kind), each.started_at, each.ended_at, each.facts, proposal.part
        )
        for each in found
    }


def _fields(
    rule: Rule,
    proposal: Proposal,
    found: Sequence[Recording],
    parts: Mapping[str, Excerpt],
    to: EntrusteeRow | None,
) -> Mapping[str, str]:
    items = [f"{each.kind} {each.id}{f', {parts[each.id]}' if each.id in parts else ''}" for each in found]
    filled = {ITEMS: "; ".join(items)}
    if to is not None:
        # A name stands in the record once, as the register writes it, whatever was typed to find it.
        proposal = replace(proposal, to=to.name)
        scope = entrustee_of(to).scope
        filled |= {
            "contract": f"{to.contract}, {to.from_on} - {to.until_on}",
            "scope": ", ".join((*scope.purposes, *scope.kinds, *scope.sites)),
        }
    return complete(rule, proposal, filled)


def recipient_index(index_key: bytes, name: str) -> bytes:
    """The keyed index by which a recipient is found again."""
    return blind_index(index_key, "recipient", folded(name))


def may_be_given(
    session: Session,
    schedule: Schedule,
    recording_ids: Sequence[str],
    entrustee_id: str | None,
    actor: str,
    now: datetime,
) -> list[Recording]:
    """The recordings, where every one of them may be given: to anybody, or to this entrustee.

    Raises:
        NotFound: There is no such recording or entrustee.
        NotPermitted: The message says which may not, and why.
    """
    to = entrustee_of(find_entrustee(session, entrustee_id)) if entrustee_id else None
    found = [find_recording(session, schedule, each) for each in recording_ids]
    for recording in found:
        _check_recording(session, recording, actor, now)
        if to is not None:
            _check_entrustee(to, schedule, recording, now)
    return found


def _check_recording(session: Session, recording: Recording, actor: str, now: datetime) -> None:
    if recording.kind == Kind.CASE_FILE:
        raise NotPermitted(f"{recording.id} is a paper of this office, and no recording to be given")
    decision = decide(recording, Way(provision="proposed"), actor, now)
    if isinstance(decision, Refusal):
        raise NotPermitted(
            f"recording {recording.id} may not be given: {decision.reason}", hint=decision.hint
        )
    stops = blocked(session, recording.id)
    if stops:
        raise NotPermitted(
            f"recording {recording.id} may not be given: a person stopped its provision ({', '.join(stops)})",
            hint="`retention provision blocks` shows since when.",
        )


def _check_entrustee(to: Entrustee, schedule: Schedule, recording: Recording, now: datetime) -> None:
    today = local_date(now, schedule.controller.zone)
    if not to.is_live(today):
        raise NotPermitted(
            f"the contract with {to.name} is not in force on {today}",
            hint=f"It runs from {to.from_on} to {to.ended_on or to.until_on}.",
        )
    living = {
        each.purpose
        for each in recording.reasons
        if each.state == "active" and (each.due_on is None or each.due_on > today)
    }
    if not to.scope.covers(living, recording.kind, recording.place.site if recording.place else ""):
        raise NotPermitted(
            f"the contract with {to.name} does not cover recording {recording.id}",
            hint="`retention provision entrustee list` shows its purposes, kinds and sites.",
        )


def find_provision(session: Session, digest: str) -> ProvisionRow:
    """The provision with this digest or id; eight or more digits of the digest suffice.

    Raises:
        NotFound: There is none.
        InvalidInput: Several begin so.
    """
    named = col(ProvisionRow.id) == digest
    if len(digest) >= 8:
        named |= col(ProvisionRow.digest).startswith(digest, autoescape=True)
    rows = session.execute(select(ProvisionRow).where(named).limit(2)).scalars().all()
    if len(rows) > 1:
        raise InvalidInput(f"several provisions begin with {digest}", hint="Give more digits.")
    if not rows:
        raise NotFound(
            f"there is no provision {digest!r}", hint="`retention provision list` shows their digests."
        )
    row: ProvisionRow = rows[0]
    return row


def approve(tools: Tools, digest: str, actor: str) -> ProvisionRow:
    """Agree, as a second person.

    Raises:
        NotFound: There is no such proposal.
        NotPermitted: It is the person who proposed it.
        IllegalTransition: It does not wait for approval.
    """
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_provision(session, digest)
        row.stage = step(row.digest, Stage(row.stage), Step.APPROVE)
        if is_same_person(actor, row.proposed_by):
            raise NotPermitted(
                f"{actor} proposed provision {row.digest} and cannot approve it",
                hint="A second person must: --as NAME.",
            )
        row.approved_at, row.approved_by = now, actor
        _on_record(session, row, now, actor, Tag.PROVISION_APPROVED, {"proposed_by": row.proposed_by})
        return row


def withdraw(tools: Tools, digest: str, reason: str, actor: str) -> ProvisionRow:
    """Give a proposal up, or refuse it as a second person.

    Raises:
        InvalidInput: There is no reason.
        NotFound: There is no such proposal.
        IllegalTransition: It was handed over.
    """
    if not reason.strip():
        raise InvalidInput(
            "giving a provision up needs a reason", hint="Give --reason TEXT; name nobody in it."
        )
    now = tools.clock.now()
    with tools.database.write() as session:
        row = find_provision(session, digest)
        row.stage = step(row.digest, Stage(row.stage), Step.WITHDRAW)
        _on_record(session, row, now, actor, Tag.PROVISION_WITHDRAWN, {"reason": reason.strip()})
        return row


def _on_record(
    session: Session, row: ProvisionRow, at: datetime, actor: str, tag: Tag, detail: dict[str, Any]
) -> None:
    session.add(row)
    record(session, at, Act(tag, actor, row.id, detail=detail | {"digest": row.digest}))


def items_of(session: Session, provision_id: str) -> list[ProvisionItemRow]:
    """What a provision is of."""
    rows = (
        select(ProvisionItemRow)
        .where(col(ProvisionItemRow.provision_id) == provision_id)
        .order_by(col(ProvisionItemRow.recording_id))
    )
    return list(session.execute(rows).scalars())
