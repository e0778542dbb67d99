"""Recordings on their way to somebody else, for a story that knows which of them may go.

A gift is a provision to the police, of one recording: proposed, agreed to by a
second person, handed over. At each step it is known what stands in the way, and
whatever does must be named and must stop it.
"""

from dataclasses import dataclass
from tempfile import TemporaryFile

import pytest

from retention.catalogue.find import Recording
from retention.catalogue.states import State
from retention.kernel.errors import IllegalTransition, NotFound, NotPermitted
from retention.provision.hand_over import hand_over
from retention.provision.model import Proposal, Stage
from retention.provision.propose import approve, find_provision, propose
from retention.requests.provisions import rule_for
from retention.requests.rules.model import BasisCode
from tests.builders.docket import Truth
from tests.builders.house import ACTOR, SECOND, House

FIELDS = {
    "subject": "the caller of that day",
    "statute": "刑事訴訟法第197条第2項",
    "reference_no": "no. 12",
    "requested_by": "Sergeant Yamada",
    "verified_by": "called back on the public number",
    "why_minimal": "one call of one minute",
}
#: Where nothing is there to be given.
NOTHING = "no recording"


@dataclass
class Gift:
    """A provision as a backup would have it."""

    digest: str
    recording: str
    stage: Stage


def why_not(house: House, truth: Truth, recording: str) -> str:
    """Why a recording may be given to nobody; "" where it may."""
    try:
        found = house.find(recording)
    except NotFound:
        return NOTHING
    if found.state is not State.SEALED:
        return "it is disposed"
    if recording in truth.suspended:
        return "suspended"
    if not _is_in_use(house, found):
        return "has expired"
    return "stopped its provision" if recording in truth.stopped else ""


def _is_in_use(house: House, found: Recording) -> bool:
    today = house.app.today()
    return any(each.state == "active" and each.due_on and each.due_on > today for each in found.reasons)


def proposed(house: House, truth: Truth, recording: str) -> Gift | None:
    """Propose to give a recording; None where that is refused, and rightly so."""
    rule, keep = rule_for(house.app.rules(), BasisCode.LAW)
    proposal = Proposal((recording,), "the police", FIELDS, "an inquiry")
    tools = house.app.paper_tools()
    if why := why_not(house, truth, recording):
        with pytest.raises((NotPermitted, NotFound), match=why):
            propose(tools, rule, keep, proposal, ACTOR)
        return None
    row = propose(tools, rule, keep, proposal, ACTOR)
    return Gift(row.digest, recording, Stage.PROPOSED)


def take_further(house: House, truth: Truth, gift: Gift) -> None:
    """Have the next step taken, where it can be: by two people, and never past a stop."""
    if gift.stage is Stage.PROPOSED:
        with pytest.raises(NotPermitted, match="cannot approve"):
            approve(house.app.paper_tools(), gift.digest, ACTOR)
        with pytest.raises(IllegalTransition):
            _hand_over(house, gift)
        approve(house.app.paper_tools(), gift.digest, SECOND)
        gift.stage = Stage.APPROVED
    elif gift.stage is Stage.HANDED_OVER:
        with pytest.raises(IllegalTransition):
            _hand_over(house, gift)
    elif why := why_not(house, truth, gift.recording):
        with pytest.raises((NotPermitted, NotFound), match=why):
            _hand_over(house, gift)
    else:
        assert _hand_over(house, gift) > 0
        gift.stage = Stage.HANDED_OVER
        truth.given[gift.digest] = gift.recording


def _hand_over(house: House, gift: Gift) -> int:
    """How many bytes were given; none where it was refused."""
    app = house.app
    with TemporaryFile() as file:
        try:
            hand_over(app.paper_tools(), app.door, app.cutter, gift.digest, file, ACTOR)
        except (IllegalTransition, NotPermitted, NotFound):
            assert file.tell() == 0
            raise
        return file.seek(0, 2)


def stage_of(house: House, digest: str) -> Stage:
    """How far the ledger says that a provision is."""
    with house.app.database.read() as session:
        return Stage(find_provision(session, digest).stage)
