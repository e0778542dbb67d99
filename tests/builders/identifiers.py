"""Every word in a store that leads to a person, taken from the store itself, and all the ways in which bytes may spell it.

Collected are the sealed notes of all recordings, the files of all requests and
the papers of all provisions. They are opened with the store's keys and not
through the door: nothing is on record because a test has looked.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import phonenumbers
import pypdfium2
from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.tables import AuditRow
from retention.bootstrap import App
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import RecordingRow, SourceRow
from retention.provision.tables import ProvisionRow
from retention.requests.tables import RequestRow
from retention.schedule.model import Kind
from retention.vault.door import sealed_object
from retention.vault.note import open_note
from retention.vault.open import open_sealed
from retention.vault.reasons import data_keys

REGION = "JP"
FORMS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
)
#: What is said of a person, and leads to nobody.
COMMON = {"side", "age_band", "gender"}
#: What the letter about a provision tells on purpose.
TOLD = {"recipient", "items"}
#: Bytes that are encrypted or compressed spell anything shorter by chance.
LEAST_BYTES = 6
#: What is shorter stands in any text: a single ideograph, three letters or digits.
LEAST_CHARACTERS = {True: 4, False: 2}
#: Who acts where nobody does; its name stands on all that it makes.
SERVICE = "retention"

Words = frozenset[str]


def people_in(app: App) -> Words:
    """Telephone numbers, names, customers' ids, addresses, and what recorders called their files: of everybody."""
    with app.database.read() as session:
        raw = [*_of_notes(app, session), *_of_requests(app, session), *_of_provisions(app, session)]
    return spelt(raw)


def insiders_in(app: App) -> Words:
    """How the house calls its sources, and who has acted: nobody's business outside, and plain inside."""
    with app.database.read() as session:
        recorders = select(col(SourceRow.id)).where(col(SourceRow.kind) != Kind.CASE_FILE)
        sources = session.execute(recorders).scalars().all()
        actors = session.execute(select(col(AuditRow.actor)).distinct()).scalars().all()
    return frozenset((*sources, *actors)) - {SERVICE}


def spelt(words: Iterable[str]) -> Words:
    """Each word in every form in which somebody may write it."""
    forms = {form for word in words for form in _forms(word.strip())}
    return frozenset(form for form in forms if len(form) >= LEAST_CHARACTERS[form.isascii()])


def _forms(word: str) -> Iterator[str]:
    yield word
    yield re.sub(r"\s", "", word)
    yield from word.split()
    try:
        number = phonenumbers.parse(word, REGION)
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_possible_number(number):
        written = [phonenumbers.format_number(number, form) for form in FORMS]
        yield from written
        yield from (phonenumbers.normalize_digits_only(each) for each in written)
        yield phonenumbers.national_significant_number(number)


# --- where they stand


def _of_notes(app: App, session: Session) -> Iterator[str]:
    rows = (
        session.execute(select(RecordingRow).where(col(RecordingRow.state) == State.SEALED)).scalars().all()
    )
    sealed = {row.id: row.personal for row in rows if row.personal is not None}
    for recording_id, key in data_keys(session, app.keys, sealed):
        note = json.loads(open_note(key, recording_id, sealed[recording_id]))
        entry = note.get("entry", {})
        yield from (Path(note.get("name", "")).stem, entry.get("native_id", ""), entry.get("reference", ""))
        for person in entry.get("participants", ()):
            yield from (str(said) for name, said in person.items() if said and name not in COMMON)


def _of_requests(app: App, session: Session) -> Iterator[str]:
    for row in session.execute(select(RequestRow)).scalars().all():
        received = _paper(app, session, row.file_id)
        for person in filter(None, (received["subject"], received["agent"])):
            yield from (person["name"], *person["contact"].splitlines())
        yield from (value for _kind, value in received["described"]["identifiers"])


def _of_provisions(app: App, session: Session) -> Iterator[str]:
    for row in session.execute(select(ProvisionRow)).scalars().all():
        fields = _paper(app, session, row.proposal_id)["fields"]
        yield from (said for name, said in fields.items() if name not in TOLD)


def _paper(app: App, session: Session, paper_id: str) -> dict[str, Any]:
    ((_, key),) = data_keys(session, app.keys, [paper_id])
    reader = open_sealed(app.store, key, sealed_object(session, paper_id, ORIGINAL))
    found: dict[str, Any] = json.loads(b"".join(reader.chunks()))
    return found


# --- where they are looked for


def finder(words: Words) -> Callable[[bytes], set[str]]:
    """Finds, in bytes, those words that they spell, in any encoding in which a file might."""
    needles = [(word, spelling) for word in words for spelling in set(_spellings(word))]

    def found(content: bytes) -> set[str]:
        return {word for word, spelling in needles if spelling in content}

    return found


def _spellings(word: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "shift_jis"):
        spelling = word.encode(encoding, "ignore")
        if len(spelling) >= LEAST_BYTES:
            yield spelling
    if not word.isascii():
        yield json.dumps(word)[1:-1].encode()
        yield quote(word).encode()


def named_in(words: Words, text: str) -> set[str]:
    """The words in a text, however it is folded into lines."""
    squeezed = squeeze(text)
    return {word for word in words if squeeze(word) in squeezed}


def squeeze(text: str) -> str:
    """A text without its spaces and line ends, in one written form of each character."""
    return re.sub(r"[\s\ufffe]", "", normalize("NFKC", text))


def text_of(pdf: bytes) -> str:
    """All that a PDF says to a reader, and what it says of itself."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_range() for page in document]
    return "\n".join([*pages, *document.get_metadata_dict().values()])


def members(package: bytes) -> dict[str, bytes]:
    """The files of a ZIP archive, as an unzip makes them."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def named_by_the_package(words: Words, package: bytes) -> set[str]:
    """The words that a package spells: in the bytes of the whole, of each file, in a name, or in the text of its letter."""
    files, found = members(package), finder(words)
    names = named_in(words, "\n".join(files))
    return names.union(
        found(package),
        *(found(content) for content in files.values()),
        *(
            named_in(words, content.decode("utf-8-sig"))
            for name, content in files.items()
            if name.endswith((".json", ".txt"))
        ),
        *(named_in(words, text_of(content)) for name, content in files.items() if name.endswith(".pdf")),
    )


def named_on_the_disk(words: Words, folder: Path) -> dict[str, Path]:
    """The words that any file below a folder spells, or is called by."""
    found = finder(words)
    return {
        word: path
        for path in folder.rglob("*")
        for word in (found(path.read_bytes()) if path.is_file() else set()) | named_in(words, path.name)
    }
