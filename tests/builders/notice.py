"""What the public notice is made from, out of the packs that ship; and a page, taken apart."""

from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from justhtml import JustHTML

from retention.catalogue.model import Source
from retention.catalogue.schedules import read_schedule
from retention.notice.model import State, Version
from retention.notice.render import render
from retention.requests.packs import rulebook_for
from retention.requests.rulebooks import read_rulebook
from retention.schedule.model import Kind

PACKS = ("defaults/japan.yaml", "packs/germany.yaml")


@cache
def pack_text(pack: str) -> str:
    return resources.files("policies").joinpath(pack).read_text(encoding="utf-8")


def version(pack: str, number: int = 1, since: date = date(2026, 11, 2), **given: Any) -> Version:
    """A version of a pack; `changes` replaces words of its text, `until` says when it ended."""
    text = pack_text(pack)
    for was, becomes in given.get("changes", {}).items():
        assert was in text
        text = text.replace(was, becomes)
    schedule = read_schedule(text, pack)
    found = rulebook_for(schedule.jurisdiction)
    assert found
    return Version(number, schedule, read_rulebook(*found), since, given.get("until"))


def source(source_id: str = "lobby-1", **given: Any) -> Source:
    """A camera at the entrance of Tokyo, or something else."""
    values: dict[str, Any] = {
        "kind": Kind.FOOTAGE,
        "site": "tokyo",
        "zone": "Asia/Tokyo",
        "area": "",
        "owner": "",
        "notice": "",
        "purposes": ("crime-prevention",),
        "clock_error_s": 0.0,
        "channels": (),
        "mount": "",
        "raw_format": "",
    }
    return Source(id=source_id, **(values | given))


def pages(state: State, *languages: str) -> dict[str, str]:
    """File name → page."""
    return {each.name: each.content.decode() for each in render(state, languages)}


def parsed(html: str) -> JustHTML:
    """The page as a browser reads it; any error of its markup is one of the test's."""
    return JustHTML(html, sanitize=False, strict=True)


def words_of(html: str) -> str:
    """What a reader sees of a page, on one line."""
    return " ".join(parsed(html).query("body")[0].to_text().split())


def attributes(tree: Any, selector: str) -> list[dict[str, str]]:
    """The attributes of every element that a selector finds."""
    return [
        {name: value or "" for name, value in (each.attrs or {}).items()} for each in tree.query(selector)
    ]
