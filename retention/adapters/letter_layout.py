"""Put a sheet's words on pages of A4: what stands where.

Two forms. `japanese` follows what Japanese companies send: number and date at
the right, 様, the sender at the right, the subject in the middle, paragraphs
indented by one character and set in full lines, 以上. `european` follows
DIN 5008 and its neighbours: the address where a window shows it, subject and
body at the left, a signature.

Measures are millimetres from the top left corner; text stands on its baseline.
Pure: the caller measures text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from retention.adapters.letter_text import Line, break_lines
from retention.requests.print import Sheet
from retention.requests.rules.letters import Paragraph
from retention.requests.rules.model import Form

WIDTH_MM: Final = 210.0
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 25.0, 185.0, 25.0, 275.0
_TEXT_MM: Final = _RIGHT_MM - _LEFT_MM
_FOOT_MM: Final = 284.0
_PT_MM: Final = 25.4 / 72
_SMALL_PT: Final = 8.5
_DOT: Final = "  ·  "
#: Characters are not drawn further apart than this: a line that a long word left short stays short.
_MOST_STRETCH: Final = 0.12

Measure = Callable[[str, float], float]  #: text, size in points → mm
Align = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text on one line."""

    x_mm: float
    y_mm: float
    text: str
    size_pt: float
    spacing_mm: float = 0.0  #: after each character
    is_grey: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across the text."""

    y_mm: float
    from_mm: float = _LEFT_MM
    to_mm: float = _RIGHT_MM


Page = list[Piece | Rule]


@dataclass(frozen=True, slots=True)
class _Style:
    size_pt: float
    leading_mm: float
    between_mm: float  #: between paragraphs
    indent: float  #: of a paragraph's first line, in characters
    is_justified: bool
    single_mark: str  #: before the only item of a list
    mark: str  #: before an item, with its {number}


_STYLES: Final = {
    Form.JAPANESE: _Style(10.5, 6.3, 2.3, 1, is_justified=True, single_mark="・", mark="({number})"),
    Form.EUROPEAN: _Style(10.5, 5.4, 3.2, 0, is_justified=False, single_mark="–", mark="{number}."),
}


def set_pages(sheet: Sheet, measure: Measure) -> list[Page]:
    """The letter's pages, in order; what stands on each, in the order of reading."""
    flow = _Flow(measure, _STYLES[sheet.form])
    if sheet.form is Form.JAPANESE:
        _japanese_head(flow, sheet)
    else:
        _european_head(flow, sheet)
    for paragraph in sheet.paragraphs[:-1]:
        flow.paragraph(paragraph)
    end = _japanese_end if sheet.form is Form.JAPANESE else _european_end
    _keep_together(flow, sheet, end)
    _number_pages(flow, sheet.page)
    return flow.pages


def _japanese_head(flow: "_Flow", sheet: Sheet) -> None:
    flow.line(sheet.number, "right")
    flow.line(sheet.date, "right")
    flow.gap(5)
    for line in sheet.address:
        flow.wrapped(line)
    flow.gap(1)
    flow.wrapped(sheet.addressee, size_pt=12.5)
    flow.gap(5)
    for line in sheet.sender:
        flow.wrapped(line, "right")
    flow.gap(9)
    flow.wrapped(sheet.subject, "centre", size_pt=14)
    flow.gap(7)
    if sheet.greeting:
        flow.paragraph(Paragraph(sheet.greeting))


def _japanese_end(flow: "_Flow", sheet: Sheet) -> None:
    if sheet.regards:
        flow.line(sheet.regards, "right")
    _contact(flow, sheet, (" ".join(sheet.sender), *sheet.contact))


def _european_head(flow: "_Flow", sheet: Sheet) -> None:
    flow.wrapped(_DOT.join(sheet.sender), size_pt=_SMALL_PT, is_grey=True)
    flow.y_mm = 48
    top_mm = flow.y_mm
    for line in (sheet.addressee, *sheet.address):
        flow.wrapped(line, width_mm=85)
    low_mm, flow.y_mm = flow.y_mm, top_mm
    flow.line(sheet.number, "right")
    flow.line(sheet.date, "right")
    flow.y_mm = max(low_mm + 8, flow.y_mm, 83)
    flow.wrapped(sheet.subject, size_pt=13.5)
    flow.gap(6)
    if sheet.greeting:
        flow.paragraph(Paragraph(sheet.greeting))


def _european_end(flow: "_Flow", sheet: Sheet) -> None:
    flow.gap(3)
    if sheet.regards:
        flow.line(sheet.regards)
        flow.gap(9)
    for line in sheet.sender:
        flow.wrapped(line)
    _contact(flow, sheet, (_DOT.join(sheet.contact),))


def _contact(flow: "_Flow", sheet: Sheet, lines: tuple[str, ...]) -> None:
    flow.gap(9)
    flow.page.append(Rule(flow.y_mm - flow.style.leading_mm))
    flow.line(sheet.contact_heading, size_pt=9.5, is_grey=True)
    for line in lines:
        flow.wrapped(line, size_pt=9.5)


def _keep_together(flow: "_Flow", sheet: Sheet, end: Callable[["_Flow", Sheet], None]) -> None:
    """The last paragraph and what follows it, on one page if any page can hold them."""
    trial = _Flow(flow.measure, flow.style)
    for last in sheet.paragraphs[-1:]:
        trial.paragraph(last)
    end(trial, sheet)
    if len(trial.pages) == 1:
        flow.need(max(mark.y_mm for mark in trial.page) - _TOP_MM)
    for last in sheet.paragraphs[-1:]:
        flow.paragraph(last)
    end(flow, sheet)


def _number_pages(flow: "_Flow", template: str) -> None:
    for number, page in enumerate(flow.pages, start=1):
        text = template.replace("{pages}", str(len(flow.pages))).replace("{page}", str(number))
        x_mm = (WIDTH_MM - flow.measure(text, _SMALL_PT)) / 2
        page.append(Piece(x_mm, _FOOT_MM, text, _SMALL_PT, is_grey=True))


class _Flow:
    """Sets lines one below the other, and begins a page where one is full."""

    def __init__(self, measure: Measure, style: _Style) -> None:
        self.measure = measure
        self.style = style
        self.pages: list[Page] = [[]]
        self.y_mm = _TOP_MM  #: baseline of the next line

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def gap(self, height_mm: float) -> None:
        self.y_mm += height_mm

    def need(self, height_mm: float) -> None:
        """Begin a page if what comes next, which belongs together, does not fit on this one."""
        if self.y_mm + height_mm > _BOTTOM_MM and self.page:
            self.pages.append([])
            self.y_mm = _TOP_MM

    def line(
        self, text: str, align: Align = "left", *, size_pt: float | None = None, is_grey: bool = False
    ) -> None:
        """One line, and on to the next."""
        self.need(0)
        size_pt = size_pt or self.style.size_pt
        free_mm = _TEXT_MM - self.measure(text, size_pt)
        x_mm = _LEFT_MM + {"left": 0.0, "centre": free_mm / 2, "right": free_mm}[align]
        self.page.append(Piece(x_mm, self.y_mm, text, size_pt, is_grey=is_grey))
        self.y_mm += self.style.leading_mm * size_pt / self.style.size_pt

    def wrapped(
        self,
        text: str,
        align: Align = "left",
        *,
        size_pt: float | None = None,
        width_mm: float = _TEXT_MM,
        is_grey: bool = False,
    ) -> None:
        """Text in as many lines as it needs."""
        size_pt = size_pt or self.style.size_pt
        for line in break_lines(text, lambda each: self.measure(each, size_pt), width_mm):
            self.line(line.text, align, size_pt=size_pt, is_grey=is_grey)

    def paragraph(self, paragraph: Paragraph) -> None:
        """A paragraph or a list, and the space after it."""
        if paragraph.items:
            for number, item in enumerate(paragraph.items, start=1):
                template = self.style.mark if len(paragraph.items) > 1 else self.style.single_mark
                self._item(template.replace("{number}", str(number)), item)
        else:
            em_mm = self.style.size_pt * _PT_MM
            self._body(paragraph.text, first_indent_mm=self.style.indent * em_mm)
        self.gap(self.style.between_mm)

    def _item(self, mark: str, text: str) -> None:
        em_mm = self.style.size_pt * _PT_MM
        hang_mm = max(2.2 * em_mm, self.measure(mark, self.style.size_pt) + 0.4 * em_mm)
        self._body(text, left_mm=1.2 * em_mm + hang_mm, mark=mark, hang_mm=hang_mm)

    def _body(
        self,
        text: str,
        *,
        first_indent_mm: float = 0,
        left_mm: float = 0,
        mark: str = "",
        hang_mm: float = 0,
    ) -> None:
        """Lines of running text, never one alone at the foot or the head of a page."""
        size_pt = self.style.size_pt
        lines = break_lines(
            text, lambda each: self.measure(each, size_pt), _TEXT_MM - left_mm, first_indent_mm
        )
        for position, line in enumerate(lines):
            rest = len(lines) - position
            if position == 0 or rest == 2:
                self.need(self.style.leading_mm * (min(rest, 2) - 1))
            x_mm = _LEFT_MM + left_mm + (first_indent_mm if position == 0 else 0)
            if position == 0 and mark:
                self.page.append(Piece(x_mm - hang_mm, self.y_mm, mark, size_pt))
            self.need(0)
            self.page.append(Piece(x_mm, self.y_mm, line.text, size_pt, self._spacing_mm(line)))
            self.y_mm += self.style.leading_mm

    def _spacing_mm(self, line: Line) -> float:
        """What makes a full line end at the right margin, to the eye."""
        if not self.style.is_justified or line.is_last or len(line.text) < 2:
            return 0.0
        spacing_mm = line.slack_mm / (len(line.text) - 1)
        return spacing_mm if spacing_mm <= _MOST_STRETCH * self.style.size_pt * _PT_MM else 0.0
