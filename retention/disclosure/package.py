"""Make the package that answers a request: the letter, the copies, the manifest and its signature.

Where the request was for erasure, the manifest certifies what is gone.

Every answer has this one form, also where the letter is all there is. It is
sealed while it is made, so that nothing of it lies on a disk in the clear, and
it is a paper of its own class, which dies by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from retention.audit.tags import Tag
from retention.catalogue.schedules import schedule_in_force
from retention.disclosure.archive import Part, archive, part_of, text_part
from retention.disclosure.manifest import redaction, signed
from retention.disclosure.readme import NAME, readme
from retention.kernel.errors import IllegalTransition
from retention.requests.cases import check_step, find_request, move_on, put_on_record
from retention.requests.correct import tell
from retention.requests.enclosed import Enclosure, enclosures
from retention.requests.erased import erased
from retention.requests.letter import answer_key, open_case, sheet_of
from retention.requests.model import Step
from retention.requests.papers import PURPOSE, Area, keep_paper, write_paper
from retention.requests.print import Printed, Printer
from retention.requests.renditions import check_unchanged
from retention.requests.tables import RequestRow
from retention.schedule.model import Schedule
from retention.vault.door import Door, Way
from retention.vault.papers import Tools
from retention.vault.signing import Signer

LETTER = "letter.pdf"
MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".png": "image/png",
}
WHY = "To protect the rights and interests of the other people in the recording."


@dataclass(frozen=True, slots=True)
class House:
    """Who makes packages: the door to the copies, the letters' printer, and whose signature they carry."""

    door: Door
    printer: Printer
    signer: Signer
    store_id: str


@dataclass(frozen=True, slots=True)
class Packaged:
    """A package as it was sealed."""

    row: RequestRow
    letter: Printed
    paper_id: str
    sha256: str
    size_bytes: int
    names: tuple[str, ...]  #: of its files


def package(tools: Tools, house: House, name: str, actor: str) -> Packaged:
    """Make the answer to a request, and seal it with the case.

    Raises:
        InvalidInput: The case lacks something that the letter says.
        IllegalTransition: The decision is not approved, or not carried out.
        NotPermitted: The request's file, or a copy, may not be opened.
        StaleApproval: A copy is not the one that was approved.
        FixityMismatch: A copy's stored bytes are not those that were made.
    """
    with tools.database.read() as session:
        schedule, row = schedule_in_force(session), find_request(session, name)
        check_step(row, Step.PACKAGE)
        enclosed = enclosures(session, schedule, row)
        if enclosed:
            check_unchanged(session, row)
    tell(tools, name)  # a process that was killed after a correction could not
    case = open_case(tools, house.door, schedule, name, actor)
    letter = house.printer(sheet_of(tools, case, answer_key(row)))
    now = tools.clock.now()
    with tools.database.read() as session:
        gone = erased(session, row)
    parts = [
        text_part(NAME, "text/plain; charset=utf-8", readme()),
        text_part(LETTER, "application/pdf", letter.pdf),
        *_copies(tools, house, schedule, enclosed, actor),
    ]
    said = {
        "store": house.store_id,
        "receipt": row.receipt,
        "kind": row.kind,
        "outcome": row.outcome,
        "packaged_at": now,
    }
    leading = signed(house.signer, said | ({"erased": gone} if gone else {}), parts)
    with tools.intake() as intake:
        content = archive([*leading, *parts])
        paper = write_paper(tools, intake, schedule, Area.PACKAGE, content, row.id)
        with tools.database.write() as session:
            row = find_request(session, name)
            move_on(row, Step.PACKAGE)
            _check_same(row, enclosures(session, schedule, row), enclosed)
            keep_paper(session, tools, intake, paper, row.id, "package")
            noted = {"warnings": list(letter.warnings), "files": [each.name for each in parts]}
            detail = {"paper": paper.id, "sha256": paper.original.sha256.hex()}
            put_on_record(session, tools, row, now, actor, Tag.REQUEST_PACKAGED, noted, detail)
    names = tuple(each.name for each in (*leading, *parts))
    size_bytes = paper.original.size_bytes
    return Packaged(row, letter, paper.id, paper.original.sha256.hex(), size_bytes, names)


def _copies(
    tools: Tools, house: House, schedule: Schedule, enclosed: Iterable[Enclosure], actor: str
) -> list[Part]:
    """The copies, each opened once through the door, and read twice."""
    found = []
    for each in enclosed:
        way, copy = Way(PURPOSE), each.copy
        reader = house.door.open(schedule, copy.rendition_id, way, actor, tools.clock.now())
        about = {
            "kind": each.kind,
            "started_at": each.started_at.isoformat(timespec="seconds"),
            "ended_at": each.ended_at.isoformat(timespec="seconds"),
            "zone": each.zone,
            "redaction": redaction(copy.summary, WHY),
        }
        media_type = MEDIA_TYPES.get(copy.suffix, "application/octet-stream")
        found.append(part_of(each.name, media_type, partial(reader.chunks), copy.sha256, about))
    return found


def _check_same(row: RequestRow, now: list[Enclosure], then: list[Enclosure]) -> None:
    if [each.copy.sha256 for each in now] != [each.copy.sha256 for each in then]:
        raise IllegalTransition(
            f"the copies of request {row.receipt} changed while the package was made", hint="Package again."
        )
