"""Make text printable with one font, and break it into lines.

Line ends follow UAX #14 (no 、 at the start of a line, no 「 at its end), and
characters are taken as people see them (UAX #29): both from `uniseg`. Widths
are in millimetres and add up, as no font is kerned here.
"""

import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from uniseg.graphemecluster import grapheme_clusters
from uniseg.linebreak import line_break_units

#: What Japanese printers set where they lack a type: GETA MARK.
GETA: Final = "〓"
_VARIATION_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

Measure = Callable[[str], float]  #: text → mm


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and how far it is from full."""

    text: str
    slack_mm: float
    is_last: bool  #: of its paragraph: never stretched


def printable(text: str, glyphs: Container[int]) -> tuple[str, tuple[str, ...]]:
    """The text with a mark for every character that the font lacks, and a warning for each.

    A variant of an ideograph that a selector asks for is printed in its usual
    form. Letters and marks are composed where one character says the same;
    ideographs are never normalised, as 神 would become 神.
    """
    parts: list[str] = []
    warnings: list[str] = []
    for cluster in grapheme_clusters(text):
        part, warning = _printable(cluster, glyphs)
        parts.append(part)
        warnings += [warning] if warning else []
    return "".join(parts), tuple(dict.fromkeys(warnings))


def _printable(cluster: str, glyphs: Container[int]) -> tuple[str, str]:
    base = "".join(each for each in cluster if not _is_selector(each))
    composed = unicodedata.normalize("NFC", base) if len(base) > 1 else base
    if not composed or any(_is_unprintable(each, glyphs) for each in composed):
        return GETA, f"{_names(cluster)} cannot be printed; {GETA} stands in its place"
    if base != cluster:
        return composed, f"{_names(cluster)} is printed as {_names(composed)}, without its variant"
    return composed, ""


def _is_selector(character: str) -> bool:
    return any(ord(character) in each for each in _VARIATION_SELECTORS)


def _is_unprintable(character: str, glyphs: Container[int]) -> bool:
    return ord(character) not in glyphs or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"}


def _names(characters: str) -> str:
    return " + ".join(
        f"U+{ord(each):04X} ({unicodedata.name(each, 'a character of no name')})" for each in characters
    )


def break_lines(text: str, measure: Measure, width_mm: float, first_indent_mm: float = 0) -> list[Line]:
    """The text in lines that are no wider than `width_mm`, the first less `first_indent_mm`."""
    lines: list[Line] = []
    line, free_mm = "", width_mm - first_indent_mm
    for unit in _units(text, measure, width_mm - first_indent_mm):
        needed_mm = measure(unit.rstrip(" "))
        if line and needed_mm > free_mm:
            lines.append(_line(line, measure, free_mm, is_last=False))
            line, free_mm = "", width_mm
        line += unit
        free_mm -= measure(unit)
    lines.append(_line(line, measure, free_mm, is_last=True))
    return lines


def _line(text: str, measure: Measure, free_mm: float, *, is_last: bool) -> Line:
    stripped = text.rstrip(" ")
    return Line(stripped, free_mm + measure(text) - measure(stripped), is_last)


def _units(text: str, measure: Measure, width_mm: float) -> Iterator[str]:
    """Pieces between which a line may end; one that fits no line ends anywhere."""
    for unit in _with_their_numbers(line_break_units(text)):
        if measure(unit.rstrip(" ")) <= width_mm:
            yield unit
        else:
            yield from grapheme_clusters(unit)


def _with_their_numbers(units: Iterable[str]) -> Iterator[str]:
    """The units, but none that begins with a digit after a space: "Art." stays with its "15"."""
    held = ""
    for unit in units:
        if held.endswith(" ") and unit[:1].isdecimal():
            held += unit
            continue
        if held:
            yield held
        held = unit
    if held:
        yield held
