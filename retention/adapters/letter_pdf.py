"""Print letters as PDF with fpdf2 and Noto Sans CJK JP.

One font for all: it has the Japanese ideographs of JIS X 0213 (levels 1 to 4),
and the letters of Europe. It comes from the wheel `noto-cjk-sans-jp-regular`
(SIL Open Font License 1.1), and only the glyphs of a letter are embedded.

Files carry a title, a language and the letter's own date, and nobody's name
but the sender's. They are not tagged: fpdf2 writes no structure for text, so
this is not PDF/UA, and nothing in the file says that it is.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import partial
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences
from noto_cjk_sans_jp_regular import FONT_PATH

from retention.adapters.letter_layout import Piece, Rule, set_pages
from retention.adapters.letter_text import printable
from retention.requests.print import Printed, Sheet
from retention.requests.rules.letters import Paragraph

_FONT: Final = "NotoSansCJKjp"
_MM_PT: Final = 72 / 25.4
_GREY: Final = 95  # of 255: 6.5 : 1 on white, WCAG 2.2 asks for 4.5 : 1
_RULE_MM: Final = 0.15

logging.getLogger("fontTools").setLevel(logging.WARNING)


def print_letter(sheet: Sheet) -> Printed:
    """A Printer; see `retention.requests.print.Printer`."""
    pdf = FPDF(unit="mm", format="A4")
    pdf.add_font(_FONT, fname=str(FONT_PATH))
    pdf.set_font(_FONT)
    font = pdf.current_font
    assert isinstance(font, TTFFont)
    sheet, warnings = _printable(sheet, font)
    _describe(pdf, sheet)
    for page in set_pages(sheet, partial(_width_mm, font)):
        pdf.add_page()
        pdf.set_line_width(_RULE_MM)
        for mark in page:
            _draw(pdf, mark)
    return Printed(bytes(pdf.output()), warnings)


def _describe(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(sheet.subject)
    pdf.set_author(sheet.sender[0])
    pdf.set_producer("Retention")
    pdf.set_lang(sheet.language)
    pdf.set_creation_date(datetime.combine(sheet.dated_on, time(), UTC))
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)


def _printable(sheet: Sheet, font: TTFFont) -> tuple[Sheet, tuple[str, ...]]:
    """The sheet in characters that the font has, and a warning for each that it lacks."""
    warnings: list[str] = []

    def line(text: str) -> str:
        shown, said = printable(text, font.cmap)
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


def _width_mm(font: TTFFont, text: str, size_pt: float) -> float:
    return font.get_text_width(text, size_pt, None)[1] / _MM_PT


def _draw(pdf: FPDF, mark: Piece | Rule) -> None:
    if isinstance(mark, Rule):
        pdf.set_draw_color(_GREY)
        pdf.line(mark.from_mm, mark.y_mm, mark.to_mm, mark.y_mm)
        return
    pdf.set_font_size(mark.size_pt)
    pdf.set_text_color(_GREY if mark.is_grey else 0)
    pdf.set_char_spacing(mark.spacing_mm * _MM_PT)
    pdf.text(mark.x_mm, mark.y_mm, mark.text)
