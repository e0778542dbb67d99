"""What is wrong about the people of a recording, and what is right: worked out on the note. Pure.

The note is what the recorder said, kept encrypted with the recording. A
correction changes the people it names, and nothing else of it; what stood there
before stays in the note, with who changed it, when, and for which request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retention.ingest.manifest import PARTICIPANT_FIELDS
from retention.kernel.errors import InvalidInput

Person = dict[str, Any]
#: What can be said of a person: the side is the channel that they are heard on.
FIELDS = ("side", *PARTICIPANT_FIELDS)
NAMED = {
    "ja": {
        "side": "通話の側",
        "phone": "電話番号",
        "customer_id": "お客様番号",
        "agent_id": "担当者番号",
        "name": "氏名",
        "age_band": "年代",
        "gender": "性別",
    },
    "de": {
        "side": "Gesprächsseite",
        "phone": "Telefonnummer",
        "customer_id": "Kundennummer",
        "agent_id": "Kennung des Agenten",
        "name": "Name",
        "age_band": "Altersgruppe",
        "gender": "Geschlecht",
    },
    "en": {
        "side": "side of the call",
        "phone": "telephone number",
        "customer_id": "customer number",
        "agent_id": "agent's id",
        "name": "name",
        "age_band": "age group",
        "gender": "gender",
    },
}
NOTHING = {"ja": "なし", "de": "keine Angabe", "en": "none"}


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody says is right."""

    who: str  #: a side, or "#2": the second person that the recording names
    field: str  #: "" is the whole person, who is not in the recording at all
    value: str  #: "" takes what stands there away

    @classmethod
    def parse(cls, text: str) -> "Change":
        """SIDE.FIELD=VALUE, SIDE.FIELD= or SIDE=.

        Raises:
            InvalidInput: It is none of these.
        """
        place, equals, value = text.partition("=")
        who, _, field = place.strip().partition(".")
        if not equals or (value.strip() and not field):
            raise InvalidInput(
                f"{place!r} does not say what is right",
                hint="Write SIDE.FIELD=VALUE; SIDE.FIELD= takes it away, SIDE= the whole person.",
            )
        return cls(who.strip(), field.strip(), value.strip())


@dataclass(frozen=True, slots=True)
class Difference:
    """One particular that a correction changes."""

    who: str
    field: str
    was: str
    becomes: str

    @property
    def place(self) -> str:
        """Where it stands; no personal data."""
        return f"{self.who}.{self.field}"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be changed about one recording; `was` is how it stood when this was put together."""

    recording_id: str
    was: tuple[Person, ...]
    becomes: tuple[Person, ...]
    differences: tuple[Difference, ...]
    statement: str = ""  #: what the person says about it, where it stays as it is; kept beside it

    @property
    def places(self) -> list[str]:
        """What it touches; no personal data."""
        return [each.place for each in self.differences] + (["statement"] if self.statement else [])

    def told(self) -> dict[str, Any]:
        """As the request's diary keeps it."""
        return {
            "recording": self.recording_id,
            "was": list(self.was),
            "becomes": list(self.becomes),
            "changes": [[each.who, each.field, each.was, each.becomes] for each in self.differences],
            "statement": self.statement,
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Correction":
        """What `told` was made of."""
        return cls(
            told["recording"],
            tuple(told["was"]),
            tuple(told["becomes"]),
            tuple(Difference(*each) for each in told["changes"]),
            told["statement"],
        )


def people_of(note: Mapping[str, Any]) -> tuple[Person, ...]:
    """The people whom a note names."""
    return tuple(note.get("entry", {}).get("participants", ()))


def work_out(
    recording_id: str, was: Sequence[Person], changes: Sequence[Change], *, may_add: bool
) -> Correction:
    """What `changes` make of the people of a recording.

    Args:
        recording_id: The recording.
        was: Its people as they stand.
        changes: In the order in which they apply.
        may_add: A side that nobody is on yet is a person whom the recorder left out.

    Raises:
        InvalidInput: A change names nobody, no field, or changes nothing.
    """
    people: list[Person | None] = [dict(each) for each in was]
    found: list[Difference] = []
    for change in changes:
        position = _find(people, change.who, may_add=may_add and bool(change.field))
        person = people[position]
        assert person is not None
        if not change.field:
            found += [Difference(change.who, name, said, "") for name, said in _said(person)]
            people[position] = None
            continue
        found.append(_changed(person, change))
    return Correction(recording_id, tuple(was), tuple(each for each in people if each), tuple(found))


def _find(people: list[Person | None], who: str, *, may_add: bool) -> int:
    if who.startswith("#"):
        position = int(who[1:]) - 1 if who[1:].isdecimal() else -1
        if 0 <= position < len(people) and people[position] is not None:
            return position
        raise InvalidInput(f"the recording names nobody as {who}", hint=_listed(people))
    found = [number for number, each in enumerate(people) if each and each.get("side", "") == who]
    if len(found) > 1:
        numbers = " or ".join(f"#{number + 1}" for number in found)
        raise InvalidInput(f"{len(found)} people are on the side {who!r}", hint=f"Write {numbers} for it.")
    if not found and not may_add:
        raise InvalidInput(f"the recording names nobody on the side {who!r}", hint=_listed(people))
    if not found:
        people.append({"side": who})
        return len(people) - 1
    return found[0]


def _listed(people: Sequence[Person | None]) -> str:
    sides = ", ".join(f"#{n} {each.get('side', '')}".strip() for n, each in enumerate(people, 1) if each)
    return f"It names {sides or 'nobody'}. --add puts somebody in whom the recorder left out."


def _said(person: Person) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in person.items() if value not in ("", None)]


def _changed(person: Person, change: Change) -> Difference:
    if change.field not in FIELDS and change.field not in person:
        raise InvalidInput(
            f"a person has no {change.field!r}", hint=f"The particulars are {', '.join(FIELDS)}."
        )
    was = person.get(change.field)
    was = "" if was is None else str(was)
    if was == change.value:
        raise InvalidInput(
            f"{change.who}.{change.field} says so already",
            hint="Leave this change out, or give another value.",
        )
    person[change.field] = change.value
    return Difference(change.who, change.field, was, change.value)


def corrected_note(note: Mapping[str, Any], correction: Correction, by: Mapping[str, Any]) -> dict[str, Any]:
    """The note with the correction made, and in it how the people stood before; `by` says who, when, for what."""
    entry = {**note.get("entry", {}), "participants": list(correction.becomes)}
    made = {**correction.told(), **by}
    return {**note, "entry": entry, "corrections": [*note.get("corrections", ()), made]}


def is_made(note: Mapping[str, Any], correction: Correction, receipt: str) -> bool:
    """Whether the note has just this correction, made for the request `receipt`."""
    told = {**correction.told(), "request": receipt}
    made = note.get("corrections", ())
    return any(all(each.get(name) == value for name, value in told.items()) for each in made)


def in_words(difference: Difference, language: str) -> str:
    """A change as a letter says it."""
    language = language if language in NAMED else "en"
    name = NAMED[language].get(difference.field, difference.field)
    none = NOTHING[language]
    return f"{name}: {difference.was or none} → {difference.becomes or none}"
