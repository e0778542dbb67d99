"""One page about a finished copy: what was done and looked for, what was found, what a person must still do.

As text, and as HTML that loads nothing, has no script, and can be read in the
dark, on a narrow screen and on paper. What a page says comes from elsewhere:
`media.video.verify.report`, `media.sound.page`, `media.picture.page`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from media.note import Language

#: Colours have a contrast of at least 4.5 to 1 on their ground (WCAG 2.2 AA, 1.4.3), in both schemes.
_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--ground:#fff;--line:#d1d9e0;--good:#1a7f37;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa4af;--ground:#0d1117;--line:#3d444d;--good:#3fb950;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:46rem;padding:2rem 1.25rem 3rem;background:var(--ground);color:var(--ink);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI","Hiragino Sans","Noto Sans CJK JP","Noto Sans JP",sans-serif}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 1rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
.verdict{margin:0 0 1.5rem;padding:.75rem 1rem;border:1px solid var(--line);border-left:.4rem solid var(--bad);font-weight:600}
.clean{border-left-color:var(--good)}
dl{margin:0}dt{color:var(--quiet);font-size:.9rem}dd{margin:0 0 .75rem;overflow-wrap:anywhere}
ul{margin:0;padding-left:1.4rem}li{margin:.4rem 0;overflow-wrap:anywhere}
.todo{list-style:none;padding-left:1.9rem}.todo li::before{content:"";float:left;width:.85rem;height:.85rem;
margin:.35rem 0 0 -1.7rem;border:1.5px solid var(--quiet);border-radius:.15rem}
@media print{body{max-width:none;padding:0}}
""".strip()


@dataclass(frozen=True, slots=True)
class Common:
    """What every page says in the same words."""

    copy: str
    remains: str
    still: str
    more: str
    weaker: str
    colon: str  #: between a name and what is said of it


COMMON: dict[Language, Common] = {
    "en": Common(
        copy="SHA-256 of the copy",
        remains="What is still there, or was not looked for",
        still="What a person must still do",
        more="And {count} more; the JSON report lists them.",
        weaker="{count} of them are a mosaic of at most 8 × 8 cells. That is weaker than a fill: a person may be recognised.",
        colon=": ",
    ),
    "ja": Common(
        copy="複製の SHA-256",
        remains="残っているもの、調べていないもの",
        still="人が必ず行う確認",
        more="ほか {count} 件（JSON 報告書に全件を記載）。",
        weaker="うち {count} か所は最大 8 × 8 マスのモザイクです。塗りつぶしより弱く、個人が識別されるおそれがあります。",
        colon="：",
    ),
}


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading."""

    heading: str
    lines: tuple[str, ...]
    is_to_do: bool = False  #: what a person ticks off


@dataclass(frozen=True, slots=True)
class Page:
    """What is said, in one language."""

    language: Language
    title: str
    verdict: str
    is_clean: bool  #: whether nothing was found that forbids to hand the copy over
    facts: tuple[tuple[str, str], ...]  #: what the page is about: name and value
    sections: tuple[Section, ...]


def as_text(page: Page) -> str:
    """The page as plain text."""
    lines = [page.title, f"  - {page.verdict}", *(f"  - {name}: {value}" for name, value in page.facts), ""]
    for section in page.sections:
        lines += [section.heading, *(f"  - {line}" for line in section.lines), ""]
    return "\n".join(lines)


def as_html(page: Page) -> str:
    """The page as a whole HTML document; it loads nothing."""
    facts = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.facts)
    parts = [
        f'<!doctype html>\n<html lang="{page.language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(page.title)}</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(page.title)}</h1>",
        f'<p class="verdict{" clean" * page.is_clean}">{escape(page.verdict)}</p>',
        "<dl>",
        *facts,
        "</dl>",
    ]
    for section in page.sections:
        parts.append(f"<h2>{escape(section.heading)}</h2><ul{' class=todo' * section.is_to_do}>")
        parts += [f"<li>{escape(line)}</li>" for line in section.lines]
        parts.append("</ul>")
    return "\n".join([*parts, "</main></body></html>", ""])


def language_of(environ: Mapping[str, str] | None = None) -> Language:
    """The language of this machine's user, by POSIX's variables; English unless it is Japanese."""
    environ = os.environ if environ is None else environ
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "ja" if value.partition("_")[0].lower() == "ja" else "en"
    return "en"
