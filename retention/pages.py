"""What the pages for the public have in common: templates in which every value is escaped, and one style sheet.

A page loads nothing: its style stands in it, and its Content-Security-Policy
(CSP level 3) admits that style by its SHA-256.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined


@cache
def templates(room: str) -> Environment:
    """The templates of a room, a package with a folder `templates`."""
    return Environment(
        loader=FunctionLoader(lambda name: _text(room, name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def style(room: str, name: str) -> tuple[str, str]:
    """A style sheet of a room, and how a Content-Security-Policy names it."""
    text = _text(room, name)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text, f"sha256-{digest}"


def _text(room: str, name: str) -> str:
    return files(room).joinpath("templates", name).read_text(encoding="utf-8")
