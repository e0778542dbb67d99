"""What a finished copy's report is written as: JSON for machines, and one page for people, in their language."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from media.files import write_whole
from media.note import LANGUAGES, Language
from media.page import Page, as_html, as_text, language_of
from retention.kernel.errors import InvalidInput

Reports = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write what was looked for and found: .json for machines, .html or .txt for people; repeatable.",
    ),
]
ReportLanguage = Annotated[
    str,
    typer.Option(
        "--report-language", metavar="|".join(LANGUAGES), help="Of the page; without it, that of the system."
    ),
]


def checked_language(text: str) -> Language:
    """The language of a page.

    Raises:
        InvalidInput: There is no page in it.
    """
    for language in LANGUAGES:
        if text == language:
            return language
    if text:
        raise InvalidInput(f"there is no page in {text!r}", hint=f"Give one of {', '.join(LANGUAGES)}.")
    return language_of()


def write_reports(paths: Sequence[Path] | None, document: bytes, page: Page) -> None:
    """Write each file in the form that its name asks for."""
    for path in paths or ():
        if path.suffix == ".json":
            write_whole(path, document)
        else:
            write_whole(path, (as_html(page) if path.suffix == ".html" else as_text(page)).encode())
