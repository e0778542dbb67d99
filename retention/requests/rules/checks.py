"""What must hold between the parts of a rulebook.

As in `schedule.rules`: each check looks at the parts that could be read and
yields what breaks it, with its place in the text and the remedy; whether a
name exists is asked of the text, so that a broken entry is not also missed.

The checks are what lets a request promise: every kind has a rule, every
decision a letter that says what it must, every refusal a ground, everybody a
way to show who they are, and every provision a basis with a period.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from retention.requests.rules import shape
from retention.requests.rules.letters import FIELD, paragraphs_of
from retention.requests.rules.model import (
    FIELDS,
    FORBIDDEN_FIELDS,
    LETTERS,
    LIST_FIELDS,
    OBLIGATORY_FIELDS,
    OUTCOMES,
    TEXT_FIELDS,
    BasisCode,
    IdentityNeed,
    Outcome,
    Proves,
    Requester,
    RequestKind,
)
from retention.schedule.document import Path
from retention.schedule.fit import did_you_mean
from retention.schedule.rules import Breach

_NEED_GROUNDS: Final = (Outcome.PARTIAL, Outcome.REFUSED, Outcome.SUBSTITUTE)
#: What the words around a letter may hold.
_FRAME_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "number": frozenset({"receipt_no"}),
    "addressee": frozenset({"name"}),
    "page": frozenset({"page", "pages"}),
    "contact": frozenset(),
    "greeting": frozenset({"name"}),
    "regards": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a rulebook that could be read."""

    languages: tuple[str, ...]
    kinds: Mapping[RequestKind, shape.KindShape]
    points: int | None
    methods: Mapping[str, shape.MethodShape]
    grounds: Mapping[str, shape.GroundShape]
    bases: Mapping[BasisCode, shape.BasisShape]
    frame: shape.FrameShape | None
    passages: Mapping[str, Mapping[str, str]]
    letters: Mapping[str, shape.LetterShape]
    names: Mapping[str, frozenset[str]]  #: section → every name that is written there, readable or not


def breaches(parts: Parts) -> Iterator[Breach]:
    """Everything that does not hold between the parts."""
    for check in (
        _every_kind_has_a_rule,
        _extensions_count_alike,
        _only_a_complaint_may_come_without_a_name,
        _methods_prove_something,
        _everybody_can_show_who_they_are,
        _grounds_support_what_can_happen,
        _every_refusal_has_a_ground,
        _provision_is_complete,
        _letters_are_complete,
        _letters_say_what_they_must,
        _templates_can_be_filled,
        _the_frame_is_complete,
    ):
        yield from check(parts)


def _absent(section: Path, what: str, wanted: Iterable[str], written: frozenset[str]) -> Iterator[Breach]:
    for name in wanted:
        if name not in written:
            yield Breach(section, f"the {what} `{name}` is missing", "Add it")


def _every_kind_has_a_rule(parts: Parts) -> Iterator[Breach]:
    yield from _absent(("kinds",), "kind", RequestKind, parts.names["kinds"])


def _extensions_count_alike(parts: Parts) -> Iterator[Breach]:
    for kind, rule in parts.kinds.items():
        if rule.extension is None:
            continue
        if bool(rule.extension.by.total_months) is not bool(rule.answer_within.total_months):
            yield Breach(
                ("kinds", kind, "extension", "by"),
                f"{rule.answer_within} is extended by {rule.extension.by}, and laws differ about such a sum",
                "State both in months, or both in days",
            )


def _only_a_complaint_may_come_without_a_name(parts: Parts) -> Iterator[Breach]:
    for kind, rule in parts.kinds.items():
        if rule.identity is IdentityNeed.ASKED and kind != RequestKind.COMPLAINT:
            yield Breach(
                ("kinds", kind, "identity"),
                f"a request of the kind `{kind}` would be answered to anybody",
                "Write required",
            )


def _methods_prove_something(parts: Parts) -> Iterator[Breach]:
    for name, method in parts.methods.items():
        where = ("identity", "methods", name)
        is_identity = method.proves is Proves.IDENTITY
        if is_identity and method.points is None:
            yield Breach(where, f"`{name}` proves identity, but has no points", "Add points: 1, or 2")
        if not is_identity and method.points is not None:
            yield Breach(
                (*where, "points"), f"`{name}` proves authority, and points count identity", "Remove points"
            )
        if not is_identity and Requester.SUBJECT in method.of:
            yield Breach(
                (*where, "of"), f"`{name}` proves that an agent may act, not a subject", "Write [agent]"
            )


def _everybody_can_show_who_they_are(parts: Parts) -> Iterator[Breach]:
    if parts.points is None or parts.names["methods"] != parts.methods.keys():
        return  # what could not be read may be what is missing
    for requester in Requester:
        reachable = sum(
            each.points or 0
            for each in parts.methods.values()
            if requester in each.of and each.proves is Proves.IDENTITY
        )
        if reachable < parts.points:
            yield Breach(
                ("identity", "points"),
                f"the {requester} can reach {reachable} of {parts.points} points",
                "Add a method, or ask for less",
            )
    if not any(each.proves is Proves.AUTHORITY for each in parts.methods.values()):
        yield Breach(
            ("identity", "methods"),
            "no method proves an agent's authority",
            "Add one with proves: authority and of: [agent]",
        )


def _grounds_support_what_can_happen(parts: Parts) -> Iterator[Breach]:
    for name, ground in parts.grounds.items():
        for outcome in ground.outcomes:
            where = ("grounds", name, "outcomes")
            if outcome not in _NEED_GROUNDS:
                yield Breach(
                    where,
                    f"`{outcome}` needs no ground",
                    f"Write {', '.join(sorted(_NEED_GROUNDS))}, or some of them",
                )
            elif not any(outcome in OUTCOMES[kind] for kind in ground.kinds):
                yield Breach(where, f"none of its kinds can be decided `{outcome}`", "Remove the word")
        if RequestKind.COMPLAINT in ground.kinds:
            yield Breach(("grounds", name, "kinds"), "a complaint is answered, not refused", "Remove it")


def _every_refusal_has_a_ground(parts: Parts) -> Iterator[Breach]:
    if parts.names["grounds"] != parts.grounds.keys():
        return
    for kind, outcomes in OUTCOMES.items():
        for outcome in set(outcomes).intersection(_NEED_GROUNDS):
            if not any(kind in each.kinds and outcome in each.outcomes for each in parts.grounds.values()):
                yield Breach(
                    ("grounds",), f"no ground lets a request of the kind `{kind}` be {outcome}", "Add one"
                )


def _provision_is_complete(parts: Parts) -> Iterator[Breach]:
    yield from _absent(("provision", "bases"), "basis", BasisCode, parts.names["bases"])
    for section, what in (("fields", "field"), ("keep", "period")):
        known = parts.names[section]
        used: set[str] = set()
        for code, basis in parts.bases.items():
            names = basis.fields if section == "fields" else basis.keep
            used.update(names)
            for name in sorted(set(names) - known):
                remedy = did_you_mean(name, known, f"Add it to provision.{section}")
                yield Breach(("provision", "bases", code, section), f"there is no {what} `{name}`", remedy)
        if parts.names["bases"] == parts.bases.keys():
            for name in sorted(known - used):
                yield Breach(
                    ("provision", section, name), f"no basis uses the {what} `{name}`", "Remove or use it"
                )


def _letters_are_complete(parts: Parts) -> Iterator[Breach]:
    written = parts.names["letters"]
    yield from _absent(("letters",), "letter", LETTERS, written)
    for key in sorted(written - set(LETTERS)):
        yield Breach(
            ("letters", key),
            f"no letter is called `{key}`",
            did_you_mean(key, LETTERS, "Remove it; the README lists the letters there are"),
        )
    known = parts.names["passages"]
    used = {name for letter in parts.letters.values() for name in letter.closing}
    for key, letter in parts.letters.items():
        for name in sorted(set(letter.closing) - known):
            remedy = did_you_mean(name, known, "Add it to passages")
            yield Breach(("letters", key, "closing"), f"there is no passage `{name}`", remedy)
    if written == parts.letters.keys():
        for name in sorted(known - used):
            yield Breach(("passages", name), f"no letter ends with `{name}`", "Remove it")


def _letters_say_what_they_must(parts: Parts) -> Iterator[Breach]:
    for key, letter in parts.letters.items():
        for language, body in letter.body.items():
            closing = "\n\n".join(parts.passages.get(name, {}).get(language, "") for name in letter.closing)
            said = _fields(letter.subject.get(language, ""), body, closing)
            where = ("letters", key, "body", language)
            for name in sorted(OBLIGATORY_FIELDS.get(key, frozenset()) - said):
                yield Breach(where, f"the letter does not say {{{name}}}", "Add it to the text")
            for name in sorted(FORBIDDEN_FIELDS.get(key, frozenset()) & said):
                yield Breach(
                    where, f"{{{name}}} could tell somebody unidentified what is held", "Take it out"
                )
            if key != "receipt" and not letter.closing:
                yield Breach(
                    ("letters", key), "the letter does not say where to complain", "Add closing: [passage]"
                )
                break


def _fields(*templates: str) -> set[str]:
    return {name for template in templates for name in FIELD.findall(template)}


def _templates_can_be_filled(parts: Parts) -> Iterator[Breach]:
    for key, letter in parts.letters.items():
        for language, subject in letter.subject.items():
            yield from _misfits(("letters", key, "subject", language), subject, TEXT_FIELDS)
        for language, body in letter.body.items():
            yield from _misfits(("letters", key, "body", language), body, FIELDS)
    for name, texts in parts.passages.items():
        for language, text in texts.items():
            yield from _misfits(("passages", name, language), text, TEXT_FIELDS)


def _misfits(where: Path, template: str, allowed: frozenset[str]) -> Iterator[Breach]:
    for name in sorted(_fields(template) - allowed):
        remedy = did_you_mean(name, allowed, "Write one of the fields that the README lists")
        yield Breach(where, f"there is no field {{{name}}} here", remedy)
    if set(FIELD.sub("", template)) & {"{", "}"}:
        yield Breach(where, "a brace stands alone", "Write {field}, or no brace")
    for paragraph in paragraphs_of(template):
        for name in sorted(_fields(paragraph) & LIST_FIELDS):
            if paragraph != f"{{{name}}}":
                yield Breach(
                    where, f"the list {{{name}}} stands within words", "Put it in a paragraph of its own"
                )


def _the_frame_is_complete(parts: Parts) -> Iterator[Breach]:
    if parts.frame is None:
        return
    yield from _absent(
        ("frame", "form"), "form of the language", parts.languages, frozenset(parts.frame.form)
    )
    for part, allowed in _FRAME_FIELDS.items():
        texts: Mapping[str, str] = getattr(parts.frame, part)
        for language in sorted(texts.keys() - set(parts.languages)):
            yield Breach(
                ("frame", part, language), f"the rulebook has no language `{language}`", "Remove the line"
            )
        for language, text in texts.items():
            yield from _misfits(("frame", part, language), text, allowed)
            for name in sorted(allowed - _fields(text)):
                yield Breach(("frame", part, language), f"the text lacks {{{name}}}", "Add it")
