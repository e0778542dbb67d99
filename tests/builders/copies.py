"""A disclosure request, and what is done about its copies. The verbs are those of the command line."""

from pathlib import Path

from retention.bootstrap import WORK
from retention.catalogue.identifiers import Identifier
from retention.redaction.propose import propose
from retention.redaction.redactor import Choice, Wish
from retention.redaction.render import Rendered, render
from retention.redaction.review import choose, hand_out, take
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.received import Described, Person, Received
from retention.requests.renditions import renditions_of, reviews_of
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RenditionRow
from tests.builders.house import ACTOR, CALLER, SECOND, House
from tests.fakes.scripted_redactor import decided

REVIEWER, RENDERER, DECIDER, APPROVER = "suzuki", "takahashi", ACTOR, SECOND
FULL = Decision(Outcome.FULL)


class Case:
    """A disclosure request, and what is done about its copies. The verbs are those of the command line."""

    def __init__(
        self,
        house: House,
        kind: RequestKind = RequestKind.DISCLOSURE,
        by: tuple[Identifier, ...] = (Identifier("phone", CALLER),),
    ) -> None:
        self.house, self.tools, self.means = house, house.app.paper_tools(), house.app.copy_means()
        received = Received(
            kind=kind,
            subject=Person("山田 花子", "hanako@person.example"),
            received_at=house.clock.now(),
            language="ja",
            described=Described(by),
        )
        filed = file(self.tools, received, ACTOR)
        self.id, self.receipt = filed.request_id, filed.receipt

    def matched(self) -> "Case":
        identify(self.tools, self.receipt, ["drivers-licence"], [], "", ACTOR)
        match(self.tools, self.receipt, ACTOR)
        return self

    def propose(self, recording_id: str = "", wish: Wish = Wish()) -> list[RenditionRow]:  # noqa: B008 - frozen
        return propose(self.tools, self.means, self.receipt, wish, ACTOR, recording_id=recording_id)

    def review(self, recording_id: str, verdict: str = "hide", actor: str = REVIEWER) -> RenditionRow:
        text = hand_out(self.tools, self.means, self.receipt, recording_id, actor).text
        return self.take(recording_id, decided(text, verdict), actor)

    def take(self, recording_id: str, text: bytes, actor: str = REVIEWER) -> RenditionRow:
        return take(self.tools, self.means, self.receipt, recording_id, text, actor)

    def choose(self, recording_id: str, choice: Choice) -> RenditionRow:
        return choose(self.tools, self.means, self.receipt, recording_id, choice, REVIEWER)

    def render(self, recording_id: str = "", actor: str = RENDERER, *, hide_found: bool = False) -> Rendered:
        return render(
            self.tools, self.means, self.receipt, actor, recording_id=recording_id, hide_found=hide_found
        )

    def made(self, *recording_ids: str) -> "Case":
        """Every copy, from its proposal on."""
        self.propose()
        for each in recording_ids:
            self.review(each)
        self.render()
        return self

    def decide(self, decision: Decision = FULL, actor: str = DECIDER) -> None:
        decide(self.tools, self.receipt, decision, actor)

    def approve(self, actor: str = APPROVER) -> None:
        approve(self.tools, self.receipt, actor)

    def row(self, recording_id: str) -> RenditionRow:
        with self.house.app.database.read() as session:
            (found,) = [each for each in reviews_of(session, self.id) if each.recording_id == recording_id]
            return found

    def finished(self) -> list[str]:
        with self.house.app.database.read() as session:
            return [each.recording_id for each in renditions_of(session, self.id)]

    def stage(self) -> str:
        with self.house.app.database.read() as session:
            return find_request(session, self.receipt).stage

    def papers(self) -> dict[str, str]:
        rows = self.house.rows(
            "SELECT recording_id, label FROM request_paper WHERE request_id = :id AND area = 'rendition'",
            id=self.id,
        )
        return {row.recording_id: row.label for row in rows}


def lying_about(house: House) -> list[Path]:
    """What is left in the folder where copies are made."""
    return list((house.app.home / WORK).rglob("*"))
