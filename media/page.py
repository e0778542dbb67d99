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

#: Colours have a contrast of at least 4.5 to 1 on their ground (WCAG 2.2 AA, 1.4.3), in both schemes. A line holds
#: about 75 Latin letters, or 40 Japanese ones. On paper, the page of an ordinary copy fits on one side of A4.
_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--ground:#fff;--line:#d1d9e0;
--good:#1a7f37;--good-ground:#eefbf1;--bad:#b3261e;--bad-ground:#fdf0ef}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa4af;--ground:#0d1117;--line:#3d444d;
--good:#3fb950;--good-ground:#0f2417;--bad:#ff7b72;--bad-ground:#2d1214}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:44rem;padding:2.5rem 1.25rem 3rem;background:var(--ground);color:var(--ink);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI","Hiragino Sans","Noto Sans CJK JP","Noto Sans JP",sans-serif;
text-wrap:pretty}
:lang(ja){line-height:1.75;line-break:strict;text-wrap:wrap}
h1{font-size:1.6rem;line-height:1.3;margin:0 0 1.25rem;text-wrap:balance}
h2{font-size:1.1rem;line-height:1.4;margin:2rem 0 .6rem;padding-bottom:.3rem;border-bottom:1px solid var(--line);
break-after:avoid}
.verdict{margin:0;padding:.8rem 1rem;border-left:.35rem solid var(--bad);border-radius:.25rem;
background:var(--bad-ground);font-weight:600}
.clean{border-left-color:var(--good);background:var(--good-ground)}
ul{margin:0;padding-left:1.25rem}
li{margin:.35rem 0;overflow-wrap:anywhere;break-inside:avoid}
li::marker{color:var(--quiet)}
.todo{list-style:none;padding:0}
.todo li{display:flex;gap:.7rem}
.todo li::before{content:"";flex:none;width:.95em;height:.95em;margin-top:.33em;border:1.5px solid var(--quiet);
border-radius:.2rem}
dl{margin:2rem 0 0;padding-top:.9rem;border-top:1px solid var(--line);font-size:.85rem;break-inside:avoid}
dt{color:var(--quiet)}
dd{margin:0 0 .5rem;font-family:ui-monospace,"Noto Sans Mono CJK JP",monospace;overflow-wrap:anywhere}
@page{size:A4;margin:14mm 16mm}
@media print{:root{color-scheme:light;--ink:#000;--quiet:#444;--ground:#fff;--line:#bbb;--good:#1a7f37;--bad:#b3261e}
body{max-width:none;padding:0;font-size:9.5pt;line-height:1.45}
h1{font-size:15pt;margin-bottom:8pt}h2{font-size:11pt;margin:11pt 0 4pt}li{margin:2pt 0}
.verdict{background:none;border:1px solid var(--bad);border-left-width:5pt;padding:5pt 8pt}.clean{border-color:var(--good)}
dl{margin-top:12pt;padding-top:6pt;font-size:8pt}dd{margin-bottom:3pt}}
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
    comma: str
    stop: str


COMMON: dict[Language, Common] = {
    "en": Common(
        copy="SHA-256 of the copy",
        remains="What is still there, or was not looked for",
        still="What a person must still do",
        more="And {count} more; the JSON report lists them.",
        weaker="Areas that are a mosaic of at most 8 × 8 cells: {count}. That is weaker than a fill: a person may be recognised.",
        colon=": ",
        comma=", ",
        stop=".",
    ),
    "ja": Common(
        copy="複製の SHA-256",
        remains="残っているもの、調べていないもの",
        still="人が必ず行う確認",
        more="ほか {count} 件（JSON 報告書に全件を記載）。",
        weaker="最大 8 × 8 マスのモザイク：{count} か所。塗りつぶしより弱く、個人が識別されるおそれがあります。",
        colon="：",
        comma="、",
        stop="。",
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
    colon = COMMON[page.language].colon
    lines = [page.title, f"  - {page.verdict}", ""]
    for section in page.sections:
        lines += [section.heading, *(f"  - {line}" for line in section.lines), ""]
    return "\n".join([*lines, *(f"{name}{colon}{value}" for name, value in page.facts), ""])


def as_html(page: Page) -> str:
    """The page as a whole HTML document; it loads nothing."""
    parts = [
        f'<!doctype html>\n<html lang="{page.language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(page.title)}</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(page.title)}</h1>",
        f'<p class="verdict{" clean" * page.is_clean}">{escape(page.verdict)}</p>',
    ]
    for section in page.sections:
        parts.append(f"<h2>{escape(section.heading)}</h2><ul{' class=todo' * section.is_to_do}>")
        parts += [f"<li><span>{escape(line)}</span></li>" for line in section.lines]
        parts.append("</ul>")
    facts = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.facts)
    return "\n".join([*parts, "<dl>", *facts, "</dl></main></body></html>", ""])


def language_of(environ: Mapping[str, str] | None = None) -> Language:
    """The language of this machine's user, by POSIX's variables; English unless it is Japanese."""
    environ = os.environ if environ is None else environ
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "ja" if value.partition("_")[0].lower() == "ja" else "en"
    return "en"
