"""Fit a document into a pydantic model, and say in plain words where it does not fit.

Turns pydantic's errors into findings with a line and a remedy. Knows no
policy: the words of the field come from the models.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from retention.schedule.document import MOST_FINDINGS, Document, Finding, Path

Shape = TypeVar("Shape", bound=BaseModel)


_PLAIN: Final = {
    "list_type": ("a list is needed here", "Write [one, two], or one item a line after a hyphen"),
    "dict_type": ("keys and values are needed here", "Write `key: value`, one a line"),
    "model_type": ("keys and values are needed here", "Write `key: value`, one a line"),
    "too_short": ("at least one is needed here", "Add one"),
    "union_tag_not_found": (
        "the choice is neither a list nor a list of exceptions",
        "Write [word, word], or {not: [word, word]}",
    ),
    "bool_type": ("a yes or no is needed here", "Write true or false"),
}


def said(message: str, remedy: str) -> PydanticCustomError:
    """An error for a validator to raise that already says what is wrong and what to do."""
    return PydanticCustomError("said", "{message}", {"message": message, "remedy": remedy})


def did_you_mean(word: str, words: Iterable[str], otherwise: str) -> str:
    """A remedy that proposes the nearest of `words`."""
    near = get_close_matches(word, sorted(words), n=1)
    return f"Write `{near[0]}` if that is meant" if near else otherwise


def fit(model: type[Shape], document: Document, context: Any = None) -> tuple[Shape | None, list[Finding]]:
    """The document as a `model`, None if it does not fit; and every finding in the document so far.

    What does not fit on a line of which something was already said is left out.
    """
    try:
        return model.model_validate(document.value, context=context), list(document.findings)
    except ValidationError as error:
        lines = {finding.line for finding in document.findings}
        misfits = (
            _finding(each, document, model) for each in error.errors(include_url=False)[:MOST_FINDINGS]
        )
        return None, [*document.findings, *(finding for finding in misfits if finding.line not in lines)]


def readable(model: type[Shape], value: Any, context: Any = None) -> Shape | None:
    """The value as a `model`; None if it does not fit."""
    try:
        return model.model_validate(value, context=context)
    except ValidationError:
        return None


def _finding(error: ErrorDetails, document: Document, model: type[BaseModel]) -> Finding:
    path = _path(error["loc"], document.value)
    last = str(error["loc"][-1]) if error["loc"] else ""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "said":
        return document.finding(path, context["message"], context["remedy"])
    if kind == "missing":
        return document.finding(path, f"`{last}` is missing", "Add it")
    if kind == "extra_forbidden":
        remedy = did_you_mean(last, _keys(model), "Remove it; the schema lists the keys there are")
        return document.finding(path, f"there is no key `{last}`", remedy)
    if kind == "enum":
        return document.finding(
            path, f"`{str(error['input'])[:64]}` is no choice here", f"Write {context['expected']}"
        )
    return document.finding(path, *_PLAIN.get(kind, (error["msg"], "Compare with a pack in policies/")))


def _path(location: tuple[str | int, ...], value: Any) -> Path:
    """The place in the document: pydantic names branches of unions, which are no places."""
    path: list[str | int] = []
    for step in location:
        inside = (
            value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        )
        if step in inside:
            path.append(step)
            value = value[step]
    return tuple(path)


@cache
def _keys(model: type[BaseModel]) -> frozenset[str]:
    """Every key that the model and those inside it know."""
    schema = model.model_json_schema()
    objects = [schema, *schema.get("$defs", {}).values()]
    return frozenset(key for each in objects for key in each.get("properties", {}))
