"""Provisions, stops of provision and entrustees after the backup.

What was handed over is on the ledger again, and with it the paper that says to
whom: its bytes are in the vault, and its data key, wrapped, in the journal.
"""

from base64 import b64decode
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import col

from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject
from retention.catalogue.register import register
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import RecordingRow, TombstoneRow
from retention.custody.replay.context import Entry, Replaying, instant_of
from retention.provision.entrustees import row_of
from retention.provision.model import Entrustee, Scope, Stage
from retention.provision.papers import PURPOSE, SHELF, Area
from retention.provision.tables import EntrusteeRow, ProvisionBlockRow, ProvisionItemRow, ProvisionRow
from retention.schedule.model import Schedule
from retention.vault.model import object_name
from retention.vault.papers import add_source_of_papers, paper


def entrustee_registered(here: Replaying, entry: Entry) -> None:
    """An entrustee as the register last had it."""
    said = entry["entrustee"]
    entrustee = Entrustee(
        id=said["id"],
        name=said["name"],
        contract=said["contract"],
        from_on=date.fromisoformat(said["from_on"]),
        until_on=date.fromisoformat(said["until_on"]),
        scope=Scope(**{name: tuple(values) for name, values in said["scope"].items()}),
        sub_entrustees=tuple(said["sub_entrustees"]),
        review_on=date.fromisoformat(said["review_on"]),
        ended_on=date.fromisoformat(said["ended_on"]) if said["ended_on"] else None,
    )
    present = here.session.get(EntrusteeRow, entrustee.id)
    if present is not None and present.ended_on == entrustee.ended_on:
        return
    here.session.merge(row_of(entrustee, datetime.fromisoformat(entry["added_at"]), entry["added_by"]))
    here.done.entrustees += 1


def provision_blocked(here: Replaying, entry: Entry) -> None:
    """A stop of provision, whether or not it was committed: one too many, never one too few."""
    for said in entry["blocks"]:
        if here.session.get(ProvisionBlockRow, said["id"]) is None:
            here.session.add(
                ProvisionBlockRow(
                    id=said["id"],
                    recording_id=said["recording"],
                    blind=bytes.fromhex(said["blind"]) if said["blind"] else None,
                    reason=entry["reason"],
                    placed_at=instant_of(entry),
                    placed_by=entry["by"],
                )
            )
            here.done.provision_blocks += 1


def provision_unblocked(here: Replaying, entry: Entry) -> None:
    """Stops that were taken away."""
    here.session.execute(delete(ProvisionBlockRow).where(col(ProvisionBlockRow.id).in_(entry["blocks"])))


def provision_handed_over(here: Replaying, entry: Entry) -> None:
    """Something that was given to somebody: the ledger knows it, and its paper can be read."""
    present = here.session.get(ProvisionRow, entry["provision"])
    if present is None or present.stage != Stage.HANDED_OVER:
        here.session.merge(_row(entry))
        here.session.flush()
        parts = {recording_id: part for recording_id, *part in entry["excerpts"]}
        for recording_id, sha256 in entry["items"]:
            from_us, until_us, form = parts.get(recording_id, (None, None, ""))
            here.session.merge(
                ProvisionItemRow(
                    provision_id=entry["provision"],
                    recording_id=recording_id,
                    sha256=bytes.fromhex(sha256),
                    from_us=from_us,
                    until_us=until_us,
                    form=form,
                )
            )
        here.done.provisions += 1
    _bring_back_paper(here, entry["paper"], entry["provision"])


def _row(entry: Entry) -> ProvisionRow:
    names = ("digest", "basis", "rulebook_version", "proposed_by", "approved_by", "handed_over_by", "sha256")
    return ProvisionRow(
        **{name: entry[name] for name in (*names, "size_bytes")},
        id=entry["provision"],
        stage=Stage.HANDED_OVER,
        entrustee_id=entry["entrustee"],
        recipient=bytes.fromhex(entry["recipient"]),
        proposal_id=entry["proposal"],
        record_id=entry["paper"]["id"],
        proposed_at=datetime.fromisoformat(entry["proposed_at"]),
        approved_at=datetime.fromisoformat(entry["approved_at"]) if entry["approved_at"] else None,
        handed_over_at=instant_of(entry),
    )


def _bring_back_paper(here: Replaying, said: dict[str, Any], provision_id: str) -> None:
    """Register the paper again, under the key it had, where its key and its bytes are there."""
    known = here.session.get(RecordingRow, said["id"]) or here.session.get(TombstoneRow, said["id"])
    living = [each for each in said["keys"] if each[1] in here.alive]
    if known is not None or not living:
        return
    if here.tools.store.size_of(object_name(said["id"], ORIGINAL)) != said["stored_bytes"]:
        return
    _, key_id, wrapped = living[0]
    data_key = here.tools.keys.unwrap(key_id, b64decode(wrapped), said["id"].encode())
    new = _paper(schedule_in_force(here.session), said, living, provision_id, data_key)
    keys = iter([key_id for _, key_id, _ in living])
    add_source_of_papers(here.session, new)
    register(
        here.session,
        [new],
        new_key=lambda: next(keys),
        wrap=here.tools.keys.wrap,
        holds_for=lambda _: (),
    )


def _paper(
    schedule: Schedule, said: dict[str, Any], living: list[Any], provision_id: str, data_key: bytes
) -> NewRecording:
    source, at = SHELF.source(schedule, Area.RECORD), datetime.fromisoformat(said["ended_at"])
    days = {
        name: schedule.trigger_on(name, started_at=at, ended_at=at, zone=source.zone) for name, _, _ in living
    }
    original = SealedObject(
        ORIGINAL,
        said["size_bytes"],
        said["stored_bytes"],
        bytes.fromhex(said["sha256"]),
        bytes.fromhex(said["commitment"]),
    )
    assigned = [Assigned(PURPOSE, name, day) for name, day in days.items()]
    return paper(source, said["id"], at, {"provision": provision_id}, data_key, original, assigned)
