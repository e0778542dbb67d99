"""What a recorder says about its files, in a sidecar or a manifest.

A sidecar `call.wav.json` (or `call.json`) describes one file; a manifest
(`--manifest`, or `manifest.json`/`manifest.csv` in the folder) many. JSON holds
one entry, a list, or {"recordings": [...]}; CSV has a row a file, several
values of a column are separated by ';', and a participant's columns may start
with a side: `caller_phone`. Fields we do not know are kept, encrypted, with the
recording.
"""

import csv
import io
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from retention.kernel.errors import InvalidInput

MAX_BYTES = 50_000_000
FOLDER_NAMES = ("manifest.json", "manifest.csv")
PARTICIPANT_FIELDS = ("phone", "customer_id", "name", "age_band", "gender")


def _text(value: object) -> object:
    """Recorders write numbers and booleans where others write text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class Participant(BaseModel):
    """Somebody who is heard or seen."""

    model_config = ConfigDict(extra="allow", frozen=True)

    side: Text = ""  #: which channel: "agent", "caller"
    phone: Text = Field(default="", validation_alias=AliasChoices("phone", "number", "telephone"))
    customer_id: Text = Field(default="", validation_alias=AliasChoices("customer_id", "customer"))
    name: Text = ""
    age_band: Text = ""
    gender: Text = ""


class Notice(BaseModel):
    """How the people were told, or agreed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    version: Text = ""
    offset_s: float | None = None
    given: bool | None = None


class Entry(BaseModel):
    """What is said about one file."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: Text = Field(default="", validation_alias=AliasChoices("file", "path", "filename"))
    native_id: Text = Field(
        default="", validation_alias=AliasChoices("native_id", "id", "call_id", "uniqueid")
    )
    started_at: Text = Field(default="", validation_alias=AliasChoices("started_at", "start", "start_time"))
    ended_at: Text = Field(default="", validation_alias=AliasChoices("ended_at", "end", "end_time"))
    purposes: tuple[Text, ...] = ()
    participants: tuple[Participant, ...] = ()
    announcement: Notice | Text | None = None
    consent: Notice | Text | bool | None = None
    tags: tuple[Text, ...] = ()
    reference: Text = Field(default="", validation_alias=AliasChoices("reference", "case", "contract"))
    events: dict[str, date] = Field(default_factory=dict)  #: triggers that have happened, such as case-closed
    sha256: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{64})?$")] = ""
    size_bytes: int | None = None
    complete: bool = False  #: the recorder says that the file is finished


def parse_manifest(content: bytes, name: str) -> list[Entry]:
    """The entries of a sidecar or manifest.

    Raises:
        InvalidInput: It is not JSON or CSV of the expected form; the message says where.
    """
    try:
        text = content.decode("utf-8-sig")
        raw = _rows(text) if name.lower().endswith(".csv") else _items(json.loads(text))
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise InvalidInput(f"{name} cannot be read: {error}") from error
    entries = []
    for number, item in enumerate(raw, start=1):
        try:
            entries.append(Entry.model_validate(item))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(f"{name}, entry {number}, {where or 'entry'}: {first['msg']}") from error
    return entries


def _items(document: Any) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("recordings"), list):
        return list(document["recordings"])
    return document if isinstance(document, list) else [document]


def _rows(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise csv.Error(f"line {reader.line_num} has not as many fields as the first line")
        rows.append(_from_row(row))
    return rows


def _from_row(row: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    people: dict[str, dict[str, str]] = {}
    for column, value in row.items():
        if not value:
            continue
        side, _, name = column.rpartition("_") if column not in PARTICIPANT_FIELDS else ("", "", column)
        if column.endswith(("_customer_id", "_age_band")):
            side, name = (
                column[: -len("_customer_id" if column.endswith("_customer_id") else "_age_band")],
                column.split("_", 1)[1],
            )
        if name in PARTICIPANT_FIELDS:
            people.setdefault(side, {"side": side})[name] = value
        elif column in {"tags", "purposes"}:
            entry[column] = [part.strip() for part in value.split(";") if part.strip()]
        else:
            entry[column] = value
    if people:
        entry["participants"] = list(people.values())
    return entry


def read_manifest(path: Path) -> list[Entry]:
    """The entries in the file `path`.

    Raises:
        InvalidInput: It cannot be read, or is far too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_BYTES} bytes: no manifest", hint="Split it.")
        return parse_manifest(path.read_bytes(), path.name)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error


def read_sidecar(path: Path) -> Entry:
    """The one entry in a file's sidecar.

    Raises:
        InvalidInput: It cannot be read, or does not hold exactly one entry.
    """
    entries = read_manifest(path)
    if len(entries) != 1:
        raise InvalidInput(f"{path.name} holds {len(entries)} entries; a sidecar describes one file")
    return entries[0]


def sidecar_names(name: str) -> Iterable[str]:
    """The names under which a file's sidecar may lie beside it."""
    stem = name.rpartition(".")[0]
    yield f"{name}.json"
    if stem:
        yield f"{stem}.json"
