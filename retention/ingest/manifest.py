"""What a recorder says about its files, in a sidecar or a manifest.

A sidecar `call.wav.json` (or `call.json`) describes one file; a manifest
(`--manifest`, or `manifest.json`/`manifest.csv` in the folder) many. JSON holds
one entry, a list, or {"recordings": [...]}; CSV has a row a file, several
values of a column are separated by ';', and a participant's columns may start
with a side: `caller_phone`. By what the call centre knows its agents is read
from whoever is on the agent's side. Fields we do not know are kept, encrypted,
with the recording.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from retention.kernel.errors import InvalidInput
from retention.kernel.people import folded

MAX_BYTES = 50_000_000
#: Levels of a JSON document; none that a recorder writes comes near.
MAX_DEPTH = 32
#: The largest size that a manifest may name: what a catalogue can hold.
MAX_SIZE_BYTES = 2**63 - 1
#: What Pydantic says in words of Python, in words of JSON.
WORDS = {
    "tuple_type": "it should be a list",
    "model_type": "it should be an object",
    "dict_type": "it should be an object",
    "string_type": "it should be a text",
    "string_pattern_mismatch": "it should be 64 hexadecimal digits",
}
FOLDER_NAMES = ("manifest.json", "manifest.csv")
PARTICIPANT_FIELDS = ("phone", "customer_id", "agent_id", "name", "age_band", "gender")
#: How recorders call the side of whoever takes or makes the calls.
AGENT_SIDES = frozenset({"agent", "operator", "オペレーター"})
#: By which of a participant's fields a call centre knows an agent.
AGENT_FIELDS = ("agent_id", "id", "login", "username", "user_id", "employee_id", "extension", "name")
#: What may follow a side in the name of a column: `caller_phone`, `caller_number`.
SIDED_FIELDS = (*PARTICIPANT_FIELDS, "number", "telephone")


def _text(value: object) -> object:
    """Recorders write numbers and booleans where others write text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _printable(value: str) -> str:
    """What stands in the catalogue as it is."""
    if not value.strip().isprintable():
        raise ValueError("it holds characters that cannot be printed")
    return value.strip()


Text = Annotated[str, BeforeValidator(_text)]
Word = Annotated[str, BeforeValidator(_text), AfterValidator(_printable), Field(max_length=200)]


class Participant(BaseModel):
    """Somebody who is heard or seen."""

    model_config = ConfigDict(extra="allow", frozen=True)

    side: Text = ""  #: which channel: "agent", "caller"
    phone: Text = Field(default="", validation_alias=AliasChoices("phone", "number", "telephone"))
    customer_id: Text = Field(default="", validation_alias=AliasChoices("customer_id", "customer"))
    agent_id: Text = ""
    name: Text = ""
    age_band: Text = ""
    gender: Text = ""

    @property
    def is_agent(self) -> bool:
        """Whether it is the call centre's own side."""
        return folded(self.side) in AGENT_SIDES

    @property
    def known_as(self) -> tuple[str, ...]:
        """What the call centre knows this agent by; nothing for anybody else."""
        if not self.is_agent:
            return ()
        written = {**(self.model_extra or {}), "agent_id": self.agent_id, "name": self.name}
        said = (_text(written.get(field)) for field in AGENT_FIELDS)
        return tuple(each for each in said if isinstance(each, str))


class Notice(BaseModel):
    """How the people were told, or agreed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    version: Text = ""
    offset_s: Annotated[float, Field(allow_inf_nan=False)] | None = None
    given: bool | None = None


class Entry(BaseModel):
    """What is said about one file."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: Text = Field(default="", validation_alias=AliasChoices("file", "path", "filename"))
    native_id: Text = Field(
        default="", validation_alias=AliasChoices("native_id", "id", "call_id", "uniqueid")
    )
    started_at: Word = Field(default="", validation_alias=AliasChoices("started_at", "start", "start_time"))
    ended_at: Word = Field(default="", validation_alias=AliasChoices("ended_at", "end", "end_time"))
    purposes: tuple[Word, ...] = ()
    participants: tuple[Participant, ...] = ()
    announcement: Notice | Text | None = None
    consent: Notice | Text | bool | None = None
    tags: tuple[Text, ...] = ()
    reference: Word = Field(default="", validation_alias=AliasChoices("reference", "case", "contract"))
    events: dict[str, date] = Field(default_factory=dict)  #: triggers that have happened, such as case-closed
    sha256: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{64})?$")] = ""
    size_bytes: Annotated[int, Field(ge=0, le=MAX_SIZE_BYTES)] | None = None
    complete: bool = False  #: the recorder says that the file is finished


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that cannot be read."""

    file: str  #: which file it is about; "" if it does not say
    reason: str


def parse_manifest(content: bytes, name: str, *, is_csv: bool = False) -> list[Entry]:
    """The entries of a sidecar or manifest, all of which must be sound; `name` is how messages call it.

    Raises:
        InvalidInput: It is not JSON or CSV of the expected form; the message says where.
    """
    entries = parse_entries(content, name, is_csv=is_csv)
    broken = next((each for each in entries if isinstance(each, Broken)), None)
    if broken:
        raise InvalidInput(broken.reason)
    return [each for each in entries if isinstance(each, Entry)]


def parse_entries(content: bytes, name: str, *, is_csv: bool = False) -> list[Entry | Broken]:
    """The entries of a manifest, in order; one that is broken spoils no other.

    Raises:
        InvalidInput: It is not JSON or CSV at all.
    """
    try:
        text = content.decode("utf-8-sig")
        raw = _rows(text) if is_csv else _items(json.loads(text))
    except (ValueError, csv.Error, RecursionError) as error:
        raise InvalidInput(f"{name} cannot be read: {error}") from error
    if _is_deeper_than(MAX_DEPTH, raw):
        raise InvalidInput(f"{name} cannot be read: it is nested more than {MAX_DEPTH} levels deep")
    return [_entry(item, f"{name}, entry {number}") for number, item in enumerate(raw, start=1)]


def _entry(item: Any, name: str) -> Entry | Broken:
    try:
        return Entry.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Broken(_file_of(item), f"{name}, {where or 'entry'}: {_told(first)}")


def _file_of(item: Any) -> str:
    """The file that a broken entry names, as far as that can be read."""
    named = (item.get(key) for key in ("file", "path", "filename")) if isinstance(item, dict) else ()
    return next((each for each in named if isinstance(each, str)), "")


def _told(error: Any) -> str:
    """What is wrong, in words of JSON; never what was written there."""
    if error["type"] in WORDS:
        return WORDS[error["type"]]
    return str(error["msg"]).removeprefix("Value error, ")


def _items(document: Any) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("recordings"), list):
        return list(document["recordings"])
    return document if isinstance(document, list) else [document]


def _rows(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        return [_from_row(_complete(row)) for row in reader]
    except csv.Error as error:
        # The inner reader's: the outer one counts lines that were read well.
        raise csv.Error(f"line {reader.reader.line_num}: {error}") from error


def _complete(row: dict[str, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise csv.Error("it has not as many fields as the first line")
    return row


def _is_deeper_than(levels: int, value: Any) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper_than(levels - 1, each) for each in inner)


def _from_row(row: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    people: dict[str, dict[str, str]] = {}
    for column, value in ((name.strip().lower(), value) for name, value in row.items() if value):
        side, field = _side_and_field(column)
        if field:
            people.setdefault(side, {"side": side})[field] = value
        elif column in {"tags", "purposes"}:
            entry[column] = [part.strip() for part in value.split(";") if part.strip()]
        else:
            entry[column] = value
    if people:
        entry["participants"] = list(people.values())
    return entry


def _side_and_field(column: str) -> tuple[str, str]:
    """("caller", "phone") of `caller_phone`; ("", "") when the column is not about a person."""
    side, _, field = column.partition("_")
    if side in AGENT_SIDES and field in AGENT_FIELDS:
        return side, "agent_id" if field == "id" else field
    if column in PARTICIPANT_FIELDS:
        return "", column
    for field in SIDED_FIELDS:
        if column.endswith(f"_{field}"):
            return column.removesuffix(f"_{field}"), field
    return "", ""


def read_manifest(path: Path) -> list[Entry | Broken]:
    """The entries in the file `path`.

    Raises:
        InvalidInput: It cannot be read, or is far too large.
    """
    return parse_entries(_read(path, path.name), path.name, is_csv=_is_csv(path))


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{name} is larger than {MAX_BYTES} bytes: no manifest", hint="Split it.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}") from error


def read_sidecar(path: Path) -> Entry:
    """The one entry in a file's sidecar.

    Messages do not name the file: recorders put telephone numbers into names,
    and a quarantined item keeps the message where anybody may read it.

    Raises:
        InvalidInput: It cannot be read, or does not hold exactly one entry.
    """
    entries = parse_manifest(_read(path, "its sidecar"), "its sidecar", is_csv=_is_csv(path))
    if len(entries) != 1:
        raise InvalidInput(f"its sidecar holds {len(entries)} entries; a sidecar describes one file")
    return entries[0]


def sidecar_names(name: str) -> Iterable[str]:
    """The names under which a file's sidecar may lie beside it."""
    stem = name.rpartition(".")[0]
    yield f"{name}.json"
    if stem:
        yield f"{stem}.json"
