"""Print letters as PDF with fpdf2, Noto Sans CJK JP and Source Sans Pro.

The first has the ideographs of JIS X 0213 (levels 1 to 4), the second the
letters of Europe's languages that the first lacks: č, ł, ő, ş, Greek and
Cyrillic. The Latin letters of the first were taken from the second and
enlarged, so a name such as Kovačević looks like one name. Both come from
wheels (SIL Open Font License 1.1); only the glyphs of a letter are embedded.

Files carry a title, a language and the letter's own date, and nobody's name
but the sender's. They are not tagged: fpdf2 writes no structure for text, so
this is not PDF/UA, and nothing in the file says that it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import partial
from importlib.resources import files
from itertools import groupby
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

from retention.adapters.letter_layout import Piece, Rule, set_pages
from retention.adapters.letter_text import printable
from retention.requests.print import Printed, Sheet
from retention.requests.rules.letters import Paragraph

#: Package, file in it, and how much larger it is set: an "a" is 563 units wide in the first, 504 in the second.
_FONTS: Final = (
    ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf", 1.0),
    ("font_source_sans_pro", "files/SourceSansPro-Regular.ttf", 563 / 504),
)
_MM_PT: Final = 72 / 25.4
_GREY: Final = 95  # of 255: 6.4 : 1 on white, WCAG 2.2 asks for 4.5 : 1
_RULE_MM: Final = 0.15


@dataclass(frozen=True, slots=True)
class _Face:
    """One of the fonts, as this file embeds it."""

    family: str
    font: TTFFont
    scale: float

    def has(self, character: str) -> bool:
        return ord(character) in self.font.cmap

    def width_mm(self, text: str, size_pt: float) -> float:
        return float(self.font.get_text_width(text, size_pt * self.scale, None)[1]) / _MM_PT


def print_letter(sheet: Sheet) -> Printed:
    """A Printer; see `retention.requests.print.Printer`."""
    pdf = FPDF(unit="mm", format="A4")
    faces = [_face(pdf, *each) for each in _FONTS]
    sheet, warnings = _printable(sheet, frozenset[int]().union(*(each.font.cmap for each in faces)))
    _describe(pdf, sheet)
    for page in set_pages(sheet, partial(_width_mm, faces)):
        pdf.add_page()
        pdf.set_line_width(_RULE_MM)
        for mark in page:
            _draw(pdf, faces, mark)
    return Printed(bytes(pdf.output()), warnings)


def _face(pdf: FPDF, package: str, file: str, scale: float) -> _Face:
    pdf.add_font(package, fname=str(files(package).joinpath(file)))
    pdf.set_font(package)
    font = pdf.current_font
    assert isinstance(font, TTFFont)
    # The box of all its glyphs holds for some of them too; finding a closer one means drawing each, twice.
    font.ttfont.recalcBBoxes = False
    return _Face(package, font, scale)


def _describe(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(sheet.subject)
    pdf.set_author(sheet.sender[0])
    pdf.set_producer("Retention")
    pdf.set_lang(sheet.language)
    pdf.set_creation_date(datetime.combine(sheet.dated_on, time(), UTC))
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)


def _printable(sheet: Sheet, glyphs: frozenset[int]) -> tuple[Sheet, tuple[str, ...]]:
    """The sheet in characters that there are glyphs for, and a warning for each other."""
    warnings: list[str] = []

    def line(text: str) -> str:
        shown, said = printable(text, glyphs)
        warnings.extend(said)
        return shown

    def lines(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(line, texts))

    shown = replace(
        sheet,
        number=line(sheet.number),
        addressee=line(sheet.addressee),
        address=lines(sheet.address),
        sender=lines(sheet.sender),
        subject=line(sheet.subject),
        greeting=line(sheet.greeting),
        paragraphs=tuple(Paragraph(line(each.text), lines(each.items)) for each in sheet.paragraphs),
        regards=line(sheet.regards),
        contact_heading=line(sheet.contact_heading),
        contact=lines(sheet.contact),
    )
    return shown, tuple(dict.fromkeys(warnings))


def _runs(faces: Sequence[_Face], text: str) -> Iterator[tuple[_Face, str]]:
    """The text in runs of one face each: the first that has the character."""
    chosen = ((next(each for each in faces if each.has(character)), character) for character in text)
    for face, run in groupby(chosen, key=lambda pair: pair[0].family):
        yield next(each for each in faces if each.family == face), "".join(character for _, character in run)


def _width_mm(faces: Sequence[_Face], text: str, size_pt: float) -> float:
    return sum(face.width_mm(run, size_pt) for face, run in _runs(faces, text))


def _draw(pdf: FPDF, faces: Sequence[_Face], mark: Piece | Rule) -> None:
    if isinstance(mark, Rule):
        pdf.set_draw_color(_GREY)
        pdf.line(mark.from_mm, mark.y_mm, mark.to_mm, mark.y_mm)
        return
    pdf.set_text_color(_GREY if mark.is_grey else 0)
    pdf.set_char_spacing(mark.spacing_mm * _MM_PT)
    x_mm = mark.x_mm
    for face, run in _runs(faces, mark.text):
        pdf.set_font(face.family, size=mark.size_pt * face.scale)
        pdf.text(x_mm, mark.y_mm, run)
        x_mm += face.width_mm(run, mark.size_pt) + mark.spacing_mm * len(run)
