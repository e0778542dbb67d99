"""A person stops provision, or asks to whom something was given."""

import io

import pypdfium2
import pytest

from retention.catalogue.identifiers import Identifier
from retention.disclosure.deliver import hand_over as deliver
from retention.kernel.errors import InvalidInput, NotPermitted
from retention.provision.hand_over import hand_over
from retention.provision.model import Proposal
from retention.provision.propose import approve as approve_provision
from retention.provision.propose import propose
from retention.requests.answer import close
from retention.requests.carry_out import carry_out
from retention.requests.decide import Decision, approve, decide
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.provisions import rule_for
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import BasisCode, Outcome, RequestKind
from retention.requests.tables import RequestRow
from tests.builders.disclosure import packaged
from tests.builders.house import ACTOR, CALLER, SECOND, House

FIELDS = {
    "recipient_address": "東京都",
    "representative": "none",
    "subject": "髙橋花子",
    "consent": "in writing",
}
INSURER = "サンプル損害保険株式会社"


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def give(house: House, recording: str, to: str = INSURER) -> str:
    """Give a recording away with consent; the provision's digest."""
    tools = house.app.paper_tools()
    rule, keep = rule_for(house.app.rules(), BasisCode.CONSENT)
    row = propose(tools, rule, keep, Proposal((recording,), to, FIELDS, "a claim"), ACTOR)
    approve_provision(tools, row.digest, SECOND)
    with (house.drop.parent / "given").open("w+b") as out:
        hand_over(tools, house.app.door, house.app.cutter, row.digest, out, ACTOR)
    return row.digest


def approved(house: House, kind: RequestKind, decision: Decision, language: str = "ja") -> str:
    tools = house.app.paper_tools()
    described = Described((Identifier("phone", CALLER),))
    received = Received(kind, Person("花子", "東京都"), house.clock.now(), language, described=described)
    receipt = file(tools, received, ACTOR).receipt
    identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, receipt, ACTOR)
    decide(tools, receipt, decision, ACTOR)
    approve(tools, receipt, SECOND)
    return receipt


def done(house: House, receipt: str) -> RequestRow:
    return carry_out(house.app.paper_tools(), house.app.disposal_tools(), receipt, ACTOR)


def letter(house: House, receipt: str) -> str:
    """Make the answer, hand it over and close the case; the letter's text."""
    tools = house.app.paper_tools()
    printed = packaged(house, receipt).letter
    deliver(tools, house.app.outbox, receipt, "post", "", ACTOR)
    close(tools, house.app.hold_tools(), receipt, ACTOR)
    document = pypdfium2.PdfDocument(io.BytesIO(printed.pdf))
    return "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")


def test_a_stop_in_full_covers_what_is_here_and_what_arrives_even_after_the_case_is_closed(
    house: House,
) -> None:
    recording, other = house.take_in(phone=CALLER), house.take_in()
    digest = give(house, recording)
    receipt = approved(house, RequestKind.STOP_PROVISION, Decision(Outcome.FULL))
    assert give(house, recording)
    row = done(house, receipt)
    assert row.effect["recordings"] == [recording]
    assert digest in row.effect["to_be_told"]
    assert recording in letter(house, receipt)
    for each in (recording, house.take_in(phone=CALLER)):
        with pytest.raises(NotPermitted, match="stopped its provision"):
            give(house, each)
    assert give(house, other)
    assert house.open(recording, "quality")


def test_a_stop_in_part_covers_the_recordings_it_names(house: House) -> None:
    first, second = house.take_in(phone=CALLER), house.take_in(phone=CALLER)
    partial = Decision(Outcome.PARTIAL, ("no-breach",), "an order by a court", not_for=(second,))
    done(house, approved(house, RequestKind.STOP_PROVISION, partial))
    with pytest.raises(NotPermitted, match="stopped its provision"):
        give(house, first)
    assert give(house, second)


def test_a_substitute_for_a_stop_blocks_nothing_and_lists_who_is_to_be_told(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    digest = give(house, recording)
    substitute = Decision(Outcome.SUBSTITUTE, ("substitute-measure",), "x", measure="the insurer erases it")
    row = done(house, approved(house, RequestKind.STOP_PROVISION, substitute))
    assert row.effect == {"blocks": [], "recordings": [], "to_be_told": [digest]}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_person_is_told_when_and_to_whom_and_on_which_basis(house: House, language: str) -> None:
    mine, other = house.take_in(phone=CALLER), house.take_in()
    give(house, mine)
    give(house, other, "Somebody else K.K.")
    text = letter(house, approved(house, RequestKind.PROVISION_RECORDS, Decision(Outcome.FULL), language))
    assert INSURER in text
    assert mine in text
    assert {"ja": "本人の同意", "en": "Consent"}[language] in text
    assert str(house.app.today()) in text
    assert "Somebody else" not in text
    assert other not in text


def test_in_part_only_the_provisions_of_what_is_granted_are_told(house: House) -> None:
    first, second = house.take_in(phone=CALLER), house.take_in(phone=CALLER)
    give(house, first)
    give(house, second, "丸の内警察署")
    partial = Decision(Outcome.PARTIAL, ("record-excepted",), "法令によります。", not_for=(second,))
    text = letter(house, approved(house, RequestKind.PROVISION_RECORDS, partial))
    assert INSURER in text
    assert "丸の内警察署" not in text
    assert second not in text


def test_where_nothing_was_given_the_answer_is_nothing_held_and_where_something_was_it_is_not(
    house: House,
) -> None:
    recording = house.take_in(phone=CALLER)
    with pytest.raises(InvalidInput, match="there is nothing to disclose"):
        approved(house, RequestKind.PROVISION_RECORDS, Decision(Outcome.FULL))
    assert CALLER in letter(
        house, approved(house, RequestKind.PROVISION_RECORDS, Decision(Outcome.NOTHING_HELD))
    )
    give(house, recording)
    with pytest.raises(InvalidInput, match="nothing-held is not true"):
        approved(house, RequestKind.PROVISION_RECORDS, Decision(Outcome.NOTHING_HELD))
