"""The public notice as HTML: one file a page, with its style in it.

Static: no script, nothing loaded from anywhere, no cookie. The page forbids
itself all of that by its own Content-Security-Policy (CSP level 3), which
admits the one style sheet by its SHA-256. The same page gives the same bytes.
"""

from retention.notice.page import SECTIONS, Page
from retention.notice.phrases import Phrases
from retention.pages import style, templates

_ROOM = "retention.notice"


def html_of(page: Page, phrases: Phrases) -> bytes:
    """The page in UTF-8; every value in it is escaped."""
    text_of_style, style_hash = style(_ROOM, "notice.css")
    text = (
        templates(_ROOM)
        .get_template("notice.html")
        .render(
            page=page,
            controller=page.schedule.controller,
            language=page.language,
            sections=SECTIONS,
            style=text_of_style,
            style_hash=style_hash,
            label=phrases.label,
            measures=phrases.words.measures,
            refusal=bool(page.schedule.do_not_record.tags),
            statement=lambda name: phrases.statement(name, page.schedule, page.book),
        )
    )
    return text.encode()
