"""Read a rulebook's text, or say everything that is wrong with it.

Text in, Rulebook out. No files: callers read them, and `file` is only a name
to show. Nothing but RulebookError is ever raised for any text; it carries all
findings at once, each with file, line, message and remedy.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, RootModel

from retention.requests.rules import shape
from retention.requests.rules.checks import Parts, breaches
from retention.requests.rules.letters import paragraphs_of
from retention.requests.rules.model import (
    Basis,
    Clock,
    Extension,
    Frame,
    Ground,
    Keep,
    KindRule,
    Letter,
    Method,
    Rulebook,
)
from retention.schedule.document import Document, Finding, PolicyError, read
from retention.schedule.fit import fit, readable
from retention.schedule.shape import TextsShape

__all__ = ["Finding", "RulebookError", "document_of", "json_schema", "parse_rulebook"]

Shape = TypeVar("Shape", bound=BaseModel)


class RulebookError(PolicyError):
    """The rulebook's text cannot be used as it stands."""

    default_hint = "Nothing was changed. Correct the text; policies/README.md says how to read and test it."


class _Texts(RootModel[TextsShape]):
    """A text in every language."""


#: Sections whose entries are read one by one where the whole cannot be read.
_SECTIONS: Final[dict[tuple[str, ...], type[BaseModel]]] = {
    ("kinds",): shape.KindShape,
    ("identity", "methods"): shape.MethodShape,
    ("grounds",): shape.GroundShape,
    ("provision", "bases"): shape.BasisShape,
    ("passages",): _Texts,
    ("letters",): shape.LetterShape,
}
_NAMED: Final = (*_SECTIONS, ("provision", "fields"), ("provision", "keep"))


def parse_rulebook(text: str, file: str) -> Rulebook:
    """The rulebook that a text states.

    Args:
        text: One YAML document, in the form of `policies/jurisdictions/schema.json`.
        file: The name to show in findings.

    Raises:
        RulebookError: The text cannot be used; all findings at once.
    """
    document = document_of(text, file)
    rulebook, findings = fit(shape.RulebookShape, document, _languages(document.value))
    parts = _parts(document.value)
    findings += (document.finding(breach.path, breach.message, breach.remedy) for breach in breaches(parts))
    if rulebook is None or findings:
        raise RulebookError(findings)
    return _rulebook(rulebook, hashlib.sha256(text.encode()).hexdigest())


def document_of(text: str, file: str) -> Document:
    """The document that a text holds.

    Raises:
        RulebookError: The text is not YAML, or is refused as a whole.
    """
    try:
        return read(text, file)
    except PolicyError as error:
        raise RulebookError(error.findings) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a rulebook file, for editors and reviewers."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **shape.RulebookShape.model_json_schema(),
    }


def _languages(value: Any) -> list[str]:
    """The languages a rulebook says it is written in, as far as that can be read."""
    languages = value.get("languages") if isinstance(value, dict) else None
    return [each for each in languages if isinstance(each, str)] if isinstance(languages, list) else []


def _section(value: Any, path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _parts(value: Any) -> Parts:
    """What can be read of a rulebook, so that a broken entry hides no finding about another."""
    languages = _languages(value)
    entries: dict[str, dict[Any, Any]] = {
        path[-1]: {
            name: entry
            for name, raw in _section(value, path).items()
            if (entry := readable(model, raw, languages)) is not None
        }
        for path, model in _SECTIONS.items()
    }
    identity = _section(value, ("identity",))
    points = identity.get("points")
    return Parts(
        languages=tuple(languages),
        kinds=entries["kinds"],
        points=int(points) if points in tuple("123456789") else None,
        methods=entries["methods"],
        grounds=entries["grounds"],
        bases=entries["bases"],
        frame=readable(shape.FrameShape, _section(value, ("frame",)), languages),
        passages={name: texts.root for name, texts in entries["passages"].items()},
        letters=entries["letters"],
        names={path[-1]: frozenset(_section(value, path)) for path in _NAMED},
    )


def _rulebook(stated: shape.RulebookShape, digest: str) -> Rulebook:
    return Rulebook(
        name=stated.rulebook,
        title=stated.title,
        law=stated.law,
        countries=tuple(stated.countries),
        languages=tuple(stated.languages),
        reviewed_on=stated.reviewed_on,
        clock=_clock(stated.clock),
        kinds={
            kind: KindRule(
                kind,
                rule.title,
                rule.article,
                rule.answer_within,
                _extension(rule.extension),
                rule.identity,
                rule.basis,
            )
            for kind, rule in stated.kinds.items()
        },
        points_needed=stated.identity.points,
        identity_basis=stated.identity.basis,
        methods={name: _method(name, each) for name, each in stated.identity.methods.items()},
        grounds={name: _ground(name, each) for name, each in stated.grounds.items()},
        provision_fields=stated.provision.fields,
        bases={
            code: Basis(
                code,
                each.title,
                each.article,
                tuple(each.fields),
                each.third_party,
                each.two_people,
                tuple(each.keep),
                each.basis,
            )
            for code, each in stated.provision.bases.items()
        },
        keeps={
            name: Keep(name, each.period, each.from_, each.when, each.basis)
            for name, each in stated.provision.keep.items()
        },
        letters={name: _letter(name, each, stated.passages) for name, each in stated.letters.items()},
        frame=_frame(stated.frame),
        digest=digest,
    )


def _clock(stated: shape.ClockShape) -> Clock:
    return Clock(
        months=stated.months,
        count_first_day=stated.count_first_day,
        closed_days=stated.closed_days,
        rest_days=frozenset(stated.rest_days),
        arrival=stated.arrival,
        basis=stated.basis,
    )


def _extension(stated: shape.ExtensionShape | None) -> Extension | None:
    return None if stated is None else Extension(stated.by, stated.basis)


def _method(code: str, stated: shape.MethodShape) -> Method:
    return Method(
        code=code,
        title=stated.title,
        proves=stated.proves,
        of=frozenset(stated.of),
        points=stated.points or 0,
        image=stated.image,
        care=stated.care or {},
        basis=stated.basis,
    )


def _ground(code: str, stated: shape.GroundShape) -> Ground:
    return Ground(
        code=code,
        title=stated.title,
        article=stated.article,
        kinds=frozenset(stated.kinds),
        outcomes=frozenset(stated.outcomes),
        sentence=stated.sentence,
        keeps_statement=stated.keeps_statement,
    )


def _letter(key: str, stated: shape.LetterShape, passages: Mapping[str, Mapping[str, str]]) -> Letter:
    """The letter with the passages that close it, as paragraphs."""
    return Letter(
        key=key,
        subject=stated.subject,
        paragraphs={
            language: tuple(
                paragraph
                for text in (body, *(passages[name][language] for name in stated.closing))
                for paragraph in paragraphs_of(text)
            )
            for language, body in stated.body.items()
        },
    )


def _frame(stated: shape.FrameShape) -> Frame:
    return Frame(
        form=stated.form,
        number=stated.number,
        addressee=stated.addressee,
        page=stated.page,
        contact=stated.contact,
        greeting=stated.greeting,
        regards=stated.regards,
    )
