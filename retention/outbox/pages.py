"""The public pages as HTML: no script, nothing loaded from anywhere, one style sheet named by its digest."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import format_decimal

from retention.outbox.ledger import AGAIN_FOR
from retention.outbox.link import Head
from retention.outbox.passphrase import GROUP, LINK_GROUPS
from retention.outbox.words import OFFERED, WORDS
from retention.pages import style, templates

_ROOM: Final = "retention.outbox"
_LOCALES: Final = {"en": "en_GB"}  # 2 November 2026: no reader takes the day for the month


def _style() -> tuple[str, str]:
    return style(_ROOM, "page.css")


@cache
def content_security_policy() -> str:
    """What the pages may do: show themselves and send their form to where they came from."""
    _, source = _style()
    return f"default-src 'none'; style-src '{source}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def language_of(head: Head, asked: str) -> str:
    """The language of a page: the one that was asked for where the page has it, else that of what waits."""
    own = head.language if head.language in WORDS else "en"
    return asked if asked in OFFERED[own] else own


@cache
def nowhere() -> bytes:
    """The one answer to everything that is not a live link."""
    return templates(_ROOM).get_template("nowhere.html").render(words=WORDS, style=_style()[0]).encode()


def form(head: Head, language: str, alarm: str = "", **numbers: int) -> bytes:
    """The page that asks for the passphrase.

    Args:
        head: What waits.
        language: From `language_of`.
        alarm: The label of what went wrong, or empty.
        numbers: What the alarm's text wants.
    """
    said: Mapping[str, str] = WORDS[language]
    own = head.language if head.language in OFFERED else "en"
    text = (
        templates(_ROOM)
        .get_template("page.html")
        .render(
            said=said,
            language=language,
            languages=[(code, WORDS[code]["language"]) for code in OFFERED[own]],
            style=_style()[0],
            alarm=said[alarm].format(**numbers) if alarm else "",
            is_wrong=alarm in ("wrong", "nothing"),
            length=GROUP * LINK_GROUPS,
            minutes=int(AGAIN_FOR.total_seconds() // 60),
            until=_moment(head.expires_at, head.zone, language),
            size=_size(head.size_bytes, language),
        )
    )
    return text.encode()


def _moment(at: datetime, zone: str, language: str) -> str:
    locale = _LOCALES.get(language, language)
    place = ZoneInfo(zone)
    day, hour = format_date(at.astimezone(place), "long", locale), format_time(at, "HH:mm", place, locale)
    return f"{day} {hour} ({get_timezone_name(at.astimezone(place), 'long', locale=locale)})"


def _size(size_bytes: int, language: str) -> str:
    mega = max(size_bytes / 1_000_000, 0.1)
    return f"{format_decimal(mega, '#,##0.0' if mega < 10 else '#,##0', locale=_LOCALES.get(language, language))} MB"
