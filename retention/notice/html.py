"""The public notice as HTML: one file a page, with its style in it.

Static: no script, nothing loaded from anywhere, no cookie. The page forbids
itself all of that by its own Content-Security-Policy (CSP level 3), which
admits the one style sheet by its SHA-256. The same page gives the same bytes.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from retention.notice.page import SECTIONS, Page
from retention.notice.phrases import PROSE_LANGUAGE, Phrases

_TEMPLATES = files("retention.notice").joinpath("templates")


def _text(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _style() -> tuple[Markup, str]:
    """The style sheet, and how the policy names it."""
    text = _text("notice.css")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704 - our own file, and no value is put into it


def html_of(page: Page, phrases: Phrases) -> bytes:
    """The page in UTF-8; every value in it is escaped."""
    style, style_hash = _style()
    text = (
        _environment()
        .get_template("notice.html")
        .render(
            page=page,
            controller=page.schedule.controller,
            language=page.language,
            prose=PROSE_LANGUAGE,
            sections=SECTIONS,
            style=style,
            style_hash=style_hash,
            label=phrases.label,
            measures=phrases.words.measures,
            refusal=bool(page.schedule.do_not_record.tags),
            statement=lambda name: phrases.statement(name, page.schedule, page.book),
        )
    )
    return text.encode()
