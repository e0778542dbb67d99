"""A recording is given to somebody else on a basis, by two people, whole, on record; or not at all."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from retention.audit.tags import Tag
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted, StaleApproval
from retention.kernel.ids import new_id
from retention.provision.blocks import block, blocked, confirm_unblocked, unblock
from retention.provision.entrustees import add_entrustee, end_entrustee, tell_of_entrustee
from retention.provision.hand_over import hand_over
from retention.provision.model import Entrustee, Proposal, Scope, Stage
from retention.provision.papers import check_kept_long_enough
from retention.provision.propose import approve, find_provision, propose, recipient_index, withdraw
from retention.provision.show import opened, provisions
from retention.provision.tables import ProvisionRow
from retention.requests.provisions import rule_for
from retention.requests.rules.model import BasisCode
from retention.schedule.model import Period
from retention.vault.model import object_name
from tests.builders.custody import back_up, restore
from tests.builders.house import ACTOR, CALLER, SECOND, House

POLICE = "丸の内警察署 山田太郎"
LAW = {
    "subject": "the caller of +81355500143",
    "statute": "刑事訴訟法第197条第2項",
    "reference_no": "no. 12 of 2026-11-20",
    "requested_by": "巡査部長 山田太郎",
    "verified_by": "called back on the public number",
    "why_minimal": "one call of one minute",
}
CONSENT = {
    "recipient_address": "東京都",
    "representative": "none",
    "subject": "髙橋花子",
    "consent": "2026-11-01, in writing",
}
ENTRUST = {"return_or_erasure": "a certificate within a month"}


@pytest.fixture
def house(house: House) -> House:
    """A store with a line whose calls have two purposes."""
    house.add_source(purposes=["quality", "inquiry"])
    return house


def proposed(
    house: House,
    *recordings: str,
    basis: BasisCode = BasisCode.LAW,
    to: str = POLICE,
    fields: Mapping[str, str] = LAW,
) -> ProvisionRow:
    rule, keep = rule_for(house.app.rules(), basis)
    proposal = Proposal(recordings, to, fields, "an inquiry by the police")
    return propose(house.app.paper_tools(), rule, keep, proposal, ACTOR)


def agreed(house: House, *recordings: str, **particulars: Any) -> ProvisionRow:
    row = proposed(house, *recordings, **particulars)
    return approve(house.app.paper_tools(), row.digest, SECOND)


def given(house: House, row: ProvisionRow) -> bytes:
    path = house.drop.parent / "given"
    with path.open("w+b") as file:
        hand_over(house.app.paper_tools(), house.app.door, house.app.cutter, row.digest, file, ACTOR)
    return path.read_bytes()


def found(house: House, row: ProvisionRow) -> ProvisionRow:
    with house.app.database.read() as session:
        return find_provision(session, row.digest)


def entrust(house: House, name: str = "Vendor K.K.", **changes: Any) -> Entrustee:
    """A contract for reviewing calls of Tokyo, in force for a year."""
    today = house.app.today()
    entrustee = replace(
        Entrustee(
            id=new_id(house.clock.now()),
            name=name,
            contract="Review of calls, no. 7",
            from_on=today,
            until_on=date(today.year + 1, 1, 31),
            scope=Scope(("quality",), ("call",), ("tokyo",)),
            sub_entrustees=(),
            review_on=today,
        ),
        **changes,
    )
    with house.app.database.write() as session:
        row = add_entrustee(session, house.app.schedule(), entrustee, house.clock.now(), ACTOR)
    tell_of_entrustee(house.app.journal, row, house.clock.now())
    return entrustee


def stop(house: House, *recordings: str, phone: str = "") -> tuple[str, ...]:
    blinds = house.blinds(phone) if phone else frozenset[bytes]()
    with house.app.database.write() as session:
        return block(
            session,
            house.app.journal,
            house.clock.now(),
            ACTOR,
            reason="request 2026-0001",
            recording_ids=recordings,
            blinds=blinds,
        )


# --- what the basis asks for


def test_every_field_of_the_basis_that_is_empty_is_named(house: House) -> None:
    recording = house.take_in()
    with pytest.raises(InvalidInput, match="law needs statute, verified_by"):
        proposed(house, recording, fields=LAW | {"statute": " ", "verified_by": ""})
    assert house.rows("SELECT * FROM provision") == []


@pytest.mark.parametrize("basis", list(BasisCode))
def test_no_basis_does_without_its_fields(house: House, basis: BasisCode) -> None:
    recording = house.take_in()
    entrust(house)
    with pytest.raises(InvalidInput, match=f"the basis {basis} needs"):
        proposed(house, recording, basis=basis, to="Vendor K.K.", fields={})


def test_a_field_that_the_rulebook_does_not_know_is_refused(house: House) -> None:
    with pytest.raises(InvalidInput, match="knows no field colour"):
        proposed(house, house.take_in(), fields=LAW | {"colour": "red"})


def test_without_a_recipient_a_reason_or_a_recording_nothing_is_proposed(house: House) -> None:
    recording = house.take_in()
    with pytest.raises(InvalidInput, match="recipient"):
        proposed(house, recording, to=" ")
    with pytest.raises(InvalidInput, match="needs recordings"):
        proposed(house)
    with pytest.raises(NotFound):
        proposed(house, new_id(house.clock.now()))


def test_the_policy_must_keep_the_record_for_as_long_as_the_rulebook_asks(house: House) -> None:
    check_kept_long_enough(house.app.schedule(), Period(years=3), house.clock.now())
    with pytest.raises(InvalidInput, match=r"provision\.record keeps .* P3Y, and the rulebook asks for P4Y"):
        check_kept_long_enough(house.app.schedule(), Period(years=4), house.clock.now())


# --- two people, and what is handed over


def test_nobody_approves_a_provision_of_their_own(house: House) -> None:
    row = proposed(house, house.take_in())
    for same in (ACTOR, ACTOR.upper(), f" {ACTOR} "):
        with pytest.raises(NotPermitted, match="cannot approve"):
            approve(house.app.paper_tools(), row.digest, same)
    with pytest.raises(IllegalTransition, match="not possible to hand over"):
        given(house, row)


def test_what_was_approved_is_handed_over_whole_and_stands_on_the_ledger(house: House) -> None:
    recording = house.take_in()
    row = agreed(house, recording)
    content = given(house, row)
    assert content == house.open(recording, "quality")
    ledger = found(house, row)
    assert ledger.stage == Stage.HANDED_OVER
    assert (ledger.sha256, ledger.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert ledger.handed_over_at == house.clock.now()
    (entry,) = house.audit(Tag.PROVISION_HANDED_OVER)
    assert entry.detail["recordings"] == [recording]
    openings = [each.purpose for each in house.audit(Tag.OPENED) if each.subject == recording]
    assert f"provision:{row.id}" in openings


def test_several_recordings_are_one_archive(house: House) -> None:
    recordings = [house.take_in(), house.take_in()]
    with zipfile.ZipFile(io.BytesIO(given(house, agreed(house, *recordings)))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            each: house.open(each, "quality") for each in recordings
        }


def test_it_is_handed_over_once(house: House) -> None:
    row = agreed(house, house.take_in())
    given(house, row)
    with pytest.raises(IllegalTransition, match="handed-over"):
        given(house, row)
    with pytest.raises(IllegalTransition):
        withdraw(house.app.paper_tools(), row.digest, "too late", ACTOR)


def test_a_proposal_that_was_withdrawn_is_not_handed_over(house: House) -> None:
    row = agreed(house, house.take_in())
    withdraw(house.app.paper_tools(), row.digest, "the inquiry was taken back", ACTOR)
    with pytest.raises(IllegalTransition, match="withdrawn"):
        given(house, row)


def test_what_was_changed_after_the_proposal_is_not_handed_over(house: House) -> None:
    recording = house.take_in()
    row = agreed(house, recording)
    house.destroy_span(recording, "1-2@1")
    with pytest.raises(StaleApproval, match="was changed since"):
        given(house, row)
    assert found(house, row).stage == Stage.APPROVED


# --- what may not be given


def test_a_paper_of_the_office_is_no_recording_to_be_given(house: House) -> None:
    row = proposed(house, house.take_in())
    with pytest.raises(NotPermitted, match="is a paper of this office"):
        proposed(house, row.proposal_id)


def test_while_use_is_suspended_nothing_is_given(house: House) -> None:
    recording = house.take_in()
    row = agreed(house, recording)
    house.place(recording, suspends_use=True)
    with pytest.raises(NotPermitted, match="its use is suspended"):
        proposed(house, recording)
    with pytest.raises(NotPermitted, match="its use is suspended"):
        given(house, row)
    assert found(house, row).stage == Stage.APPROVED


def test_what_is_only_held_is_given_no_more(house: House) -> None:
    recording = house.take_in()
    row = agreed(house, recording)
    house.place(recording)
    house.clock.move(days=30)
    with pytest.raises(NotPermitted, match="has expired"):
        given(house, row)


def test_a_stop_of_provision_is_looked_at_by_every_proposal_and_every_hand_over(house: House) -> None:
    recording, other = house.take_in(), house.take_in()
    row = agreed(house, recording)
    stop(house, recording)
    with pytest.raises(NotPermitted, match="a person stopped its provision"):
        given(house, row)
    with pytest.raises(NotPermitted, match="a person stopped its provision"):
        proposed(house, other, recording)
    assert given(house, agreed(house, other))
    assert house.open(recording, "quality")


def test_a_stop_of_a_person_also_covers_what_arrives_later(house: House) -> None:
    stop(house, phone=CALLER)
    with pytest.raises(NotPermitted, match="a person stopped"):
        proposed(house, house.take_in(phone=CALLER))
    assert proposed(house, house.take_in(phone="+81355500199"))


def test_a_stop_can_be_taken_away_with_a_reason(house: House) -> None:
    recording = house.take_in()
    ids = stop(house, recording)
    now = house.clock.now()
    with pytest.raises(InvalidInput, match="needs a reason"), house.app.database.write() as session:
        unblock(session, now, ACTOR, block_ids=ids, reason=" ")
    with house.app.database.write() as session:
        unblock(session, now, ACTOR, block_ids=ids, reason="by mistake")
    with pytest.raises(NotFound), house.app.database.write() as session:
        unblock(session, now, ACTOR, block_ids=ids, reason="by mistake")
    with house.app.database.read() as session:
        assert blocked(session, recording) == ()


# --- entrustees


def test_an_entrustee_is_given_what_its_contract_covers(house: House) -> None:
    recording = house.take_in()
    entrust(house)
    row = agreed(house, recording, basis=BasisCode.ENTRUSTMENT, to="Vendor K.K.", fields=ENTRUST)
    assert given(house, row) == house.open(recording, "quality")
    paper = opened(house.app.paper_tools(), house.app.door, house.app.schedule(), found(house, row), ACTOR)
    assert paper["fields"]["contract"].startswith("Review of calls, no. 7, ")


@pytest.mark.parametrize(
    "scope",
    [
        Scope(("inquiry",), ("footage",)),
        Scope(("quality",), ("call",), ("osaka",)),
        Scope(("security",)),
    ],
)
def test_what_the_contract_does_not_cover_is_not_given(house: House, scope: Scope) -> None:
    recording = house.take_in()
    entrust(house, scope=scope)
    with pytest.raises(NotPermitted, match="does not cover"):
        proposed(house, recording, basis=BasisCode.ENTRUSTMENT, to="Vendor K.K.", fields=ENTRUST)


def test_a_purpose_that_has_expired_covers_nothing(house: House) -> None:
    recording = house.take_in()
    entrust(house)
    house.clock.move(days=12)
    with pytest.raises(NotPermitted, match="does not cover"):
        proposed(house, recording, basis=BasisCode.ENTRUSTMENT, to="Vendor K.K.", fields=ENTRUST)


def test_nothing_is_given_under_a_contract_that_has_ended_or_not_begun(house: House) -> None:
    recording = house.take_in()
    entrust(house)
    row = agreed(house, recording, basis=BasisCode.ENTRUSTMENT, to="Vendor K.K.", fields=ENTRUST)
    with house.app.database.write() as session:
        end_entrustee(session, "Vendor K.K.", house.app.today(), house.clock.now(), ACTOR)
    with pytest.raises(NotPermitted, match="is not in force"):
        given(house, row)
    entrust(house, "Later K.K.", from_on=date(2040, 1, 1), until_on=date(2041, 1, 1))
    with pytest.raises(NotPermitted, match="is not in force"):
        proposed(house, recording, basis=BasisCode.ENTRUSTMENT, to="Later K.K.", fields=ENTRUST)


def test_who_is_not_in_the_register_is_no_entrustee(house: House) -> None:
    with pytest.raises(NotFound, match="the register has no entrustee"):
        proposed(house, house.take_in(), basis=BasisCode.ENTRUSTMENT, to="Nobody", fields=ENTRUST)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"contract": ""}, "needs a name and a contract"),
        ({"until_on": date(2000, 1, 1)}, "ends before it starts"),
        ({"scope": Scope(())}, "names no purpose"),
        ({"scope": Scope(("marketing",))}, "has no purpose marketing"),
        ({"scope": Scope(("quality",), ("case-file",))}, "no recordings of kind case-file"),
    ],
)
def test_a_contract_without_its_particulars_is_refused(
    house: House, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        entrust(house, **changes)


def test_one_entrustee_has_one_contract_in_force_and_may_have_another_after_it(house: House) -> None:
    entrust(house)
    with pytest.raises(InvalidInput, match="in the register already"):
        entrust(house)
    with house.app.database.write() as session:
        end_entrustee(session, "Vendor K.K.", house.app.today(), house.clock.now(), ACTOR)
    with pytest.raises(IllegalTransition), house.app.database.write() as session:
        end_entrustee(session, "Vendor K.K.", house.app.today(), house.clock.now(), ACTOR)
    house.clock.move(days=1)
    entrust(house)
    assert proposed(house, house.take_in(), basis=BasisCode.ENTRUSTMENT, to="Vendor K.K.", fields=ENTRUST)


# --- what stays, what goes


def test_no_row_and_no_entry_names_the_recipient_or_the_person(house: House) -> None:
    given(house, agreed(house, house.take_in(), basis=BasisCode.CONSENT, fields=CONSENT))
    tables = ("provision", "provision_item", "recording", "audit_entry")
    written = " ".join(str(house.rows(f"SELECT * FROM {table}")) for table in tables)
    written += b" ".join(house.app.witness.lines()).decode()
    for name in (POLICE, "山田太郎", "髙橋花子", "東京都", "an inquiry"):
        assert name not in written


def test_a_provision_is_found_by_its_recording_and_by_its_recipient(house: House) -> None:
    first, second = house.take_in(), house.take_in()
    row, other = proposed(house, first), proposed(house, second, to="A lawyer")
    with house.app.database.read() as session:
        by_recording = provisions(session, recording_ids=(first,))
        # As a person writes it another time: full-width space, other case.
        by_name = provisions(session, recipient=recipient_index(house.app.index_key, "a　LAWYER"))
        assert [each.id for each in by_recording] == [row.id]
        assert [each.id for each in by_name] == [other.id]
        assert provisions(session, handed_over=True) == []


def test_the_record_is_forgotten_after_three_years_from_the_hand_over_and_the_proposal_long_before(
    house: House,
) -> None:
    row = agreed(house, house.take_in())
    house.clock.move(days=5)
    given(house, row)
    handed_over_on, record_id = house.app.today(), found(house, row).record_id
    house.clock.move(days=91)
    house.night()
    assert house.find(row.proposal_id).state == "disposed"
    reason = house.find(record_id).reasons[0]
    assert reason.trigger_on == handed_over_on
    assert reason.due_on == handed_over_on.replace(year=handed_over_on.year + 3, day=handed_over_on.day + 1)
    house.clock.move(days=3 * 366)
    with pytest.raises(NotPermitted, match="has expired"):
        opened(house.app.paper_tools(), house.app.door, house.app.schedule(), found(house, row), ACTOR)


def test_a_backup_of_before_knows_what_was_handed_over_since_and_to_whom(house: House) -> None:
    recording, stopped = house.take_in(), house.take_in()
    row = agreed(house, recording)
    path = back_up(house)
    content = given(house, row)
    entrustee = entrust(house)
    ids = stop(house, stopped, phone=CALLER)
    restored = restore(house, path).replayed
    assert (restored.provisions, restored.entrustees, restored.provision_blocks) == (1, 1, len(ids))
    ledger = found(house, row)
    assert (ledger.stage, ledger.sha256) == (Stage.HANDED_OVER, hashlib.sha256(content).hexdigest())
    paper = opened(house.app.paper_tools(), house.app.door, house.app.schedule(), ledger, ACTOR)
    assert paper["fields"]["recipient"] == POLICE
    with house.app.database.read() as session:
        assert blocked(session, stopped)
    with pytest.raises(NotPermitted, match="stopped"):
        proposed(house, house.take_in(phone=CALLER))
    assert entrustee.name in str(house.rows("SELECT name FROM entrustee"))


def test_a_provision_that_the_backup_has_never_seen_is_known_too(house: House) -> None:
    recording = house.take_in()
    path = back_up(house)
    row = agreed(house, recording)
    given(house, row)
    assert restore(house, path).replayed.provisions == 1
    with house.app.database.read() as session:
        assert [each.digest for each in provisions(session, recording_ids=(recording,))] == [row.digest]
    assert house.night()


def test_a_record_whose_bytes_are_lost_is_not_brought_back_and_the_ledger_says_what_it_knows(
    house: House,
) -> None:
    row = agreed(house, house.take_in())
    path = back_up(house)
    given(house, row)
    record_id = found(house, row).record_id
    del house.memory_store.objects[object_name(record_id, "original")]
    assert restore(house, path).replayed.provisions == 1
    assert found(house, row).stage == Stage.HANDED_OVER
    with pytest.raises(NotFound):
        opened(house.app.paper_tools(), house.app.door, house.app.schedule(), found(house, row), ACTOR)


def test_a_stop_that_was_taken_away_stays_away_after_a_restore(house: House) -> None:
    recording = house.take_in()
    ids = stop(house, recording)
    path = back_up(house)
    with house.app.database.write() as session:
        unblock(session, house.clock.now(), ACTOR, block_ids=ids, reason="by mistake")
    confirm_unblocked(house.app.journal, house.clock.now(), ACTOR, ids)
    restore(house, path)
    with house.app.database.read() as session:
        assert blocked(session, recording) == ()


def test_what_is_not_said_or_not_there_is_refused_by_name(house: House) -> None:
    tools, row = house.app.paper_tools(), proposed(house, house.take_in())
    with pytest.raises(InvalidInput, match="needs a reason"):
        withdraw(tools, row.digest, " ", SECOND)
    with pytest.raises(NotFound, match="no provision 'ffffffff'"):
        approve(tools, "ffffffff", SECOND)
    with pytest.raises(InvalidInput, match="needs a reason, and recordings or a person"):
        stop(house)
    assert found(house, row).stage == Stage.PROPOSED
