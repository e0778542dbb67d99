"""Letters as PDF: what is on the paper, and what can be read out of the file again."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from pypdfium2 import raw

from retention.adapters.letter_layout import Page, Piece, set_pages
from retention.adapters.letter_pdf import _FONTS, print_letter
from retention.adapters.letter_text import GETA
from retention.requests.print import Printed, Printer, Sheet
from retention.requests.rules.model import LETTERS
from tests.builders.rulebooks import NAMES, rulebook, sheet

#: Of JIS X 0213 levels 3 and 4, and forms that only names have.
RARE = "髙﨑𠮷𩸽剝頰神塚德栁濵"
LETTER = [("appi", "ja"), ("appi", "en"), ("gdpr", "de")]
_PIXELS_A_MM = 4


@cache
def printed(book: str, language: str, key: str = "disclosure.partial") -> Printed:
    return print_letter(sheet(book, key, language))


@contextmanager
def opened(letter: Printed) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(letter.pdf)
    try:
        yield document
    finally:
        document.close()


def text_of(letter: Printed) -> str:
    """The text of all pages, without white space and hyphens: lines end where the paper does."""
    with opened(letter) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    return compact(text)


def words(shown: Sheet) -> list[str]:
    """What stands on the sheet, in the order of reading."""
    body = [text for each in shown.paragraphs for text in (each.items or (each.text,))]
    return [shown.subject, *body, shown.regards, shown.contact_heading]


def compact(text: str) -> str:
    return re.sub(r"[\s\ufffe\u0002-]", "", text)


def test_the_function_is_a_printer() -> None:
    printer: Printer = print_letter
    assert printer(sheet("appi", "withdrawn", "en")).pdf.startswith(b"%PDF-")


@pytest.mark.parametrize(("book", "language"), LETTER)
def test_all_words_can_be_read_out_again_in_their_order(book: str, language: str) -> None:
    text = text_of(printed(book, language))
    position = 0
    for part in words(sheet(book, "disclosure.partial", language)):
        position = text.index(compact(part), position) + 1


@pytest.mark.parametrize(("book", "language"), LETTER)
def test_number_date_addressee_and_sender_are_on_it(book: str, language: str) -> None:
    shown, text = sheet(book, "disclosure.partial", language), text_of(printed(book, language))
    for part in (shown.number, shown.date, shown.addressee, *shown.address, *shown.sender, *shown.contact):
        assert compact(part) in text


@pytest.mark.parametrize(("book", "language"), LETTER)
def test_every_font_is_embedded(book: str, language: str) -> None:
    fonts = 0
    with opened(printed(book, language)) as document:
        for page in document:
            for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
                assert raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(thing.raw)) == 1
                fonts += 1
    assert fonts > 10


def test_only_the_glyphs_of_the_letter_are_embedded() -> None:
    assert len(printed("appi", "ja").pdf) < 120_000


@pytest.mark.parametrize(("book", "language"), LETTER)
def test_the_file_says_its_title_language_and_date_and_names_nobody_but_the_sender(
    book: str, language: str
) -> None:
    shown, letter = sheet(book, "disclosure.partial", language), printed(book, language)
    with opened(letter) as document:
        about = document.get_metadata_dict(skip_empty=True)
    assert about["Title"] == shown.subject
    assert about["Author"] == shown.sender[0]
    assert about["CreationDate"].startswith("D:20261112000000")
    assert set(about) <= {"Title", "Author", "CreationDate", "Producer"}
    assert f"/Lang ({language})".encode() in letter.pdf
    assert b"/DisplayDocTitle true" in letter.pdf


def test_the_same_sheet_gives_the_same_bytes() -> None:
    letter = sheet("appi", "withdrawn", "ja")
    assert print_letter(letter).pdf == printed("appi", "ja", "withdrawn").pdf


def test_the_page_is_a4() -> None:
    with opened(printed("appi", "ja")) as document:
        for page in document:
            assert page.get_size() == pytest.approx((595.28, 841.89), abs=0.01)


@pytest.mark.parametrize(("book", "language"), LETTER)
def test_the_margins_are_white_and_the_page_is_not(book: str, language: str) -> None:
    with opened(printed(book, language)) as document:
        picture = np.asarray(document[0].render(scale=_PIXELS_A_MM * 25.4 / 72, grayscale=True).to_numpy())
    ink = picture.squeeze() < 200
    assert 0.01 < ink.mean() < 0.2
    margin = 20 * _PIXELS_A_MM
    for edge in (ink[:, :margin], ink[:, -margin:], ink[: 15 * _PIXELS_A_MM], ink[-8 * _PIXELS_A_MM :]):
        assert not edge.any()


# --- Names ----------------------------------------------------------------------------------------------------


def test_the_characters_of_rare_names_are_printed_without_a_word() -> None:
    letter = print_letter(sheet("appi", "withdrawn", "ja", name=RARE))
    assert letter.warnings == ()
    assert RARE in text_of(letter)


def test_every_character_of_jis_x_0213_can_be_printed() -> None:
    glyphs = {
        code
        for package, file, _ in _FONTS
        for code in TTFont(str(files(package).joinpath(file))).getBestCmap()
    }
    missing = [chr(code) for code in range(0xA0, 0x30000) if _is_jis(chr(code)) and code not in glyphs]
    # Spacing tone letters, an empty set and the like: none that a name could hold.
    assert [each for each in missing if unicodedata.category(each) in {"Lo", "Lu", "Ll", "Nd"}] == []


def _is_jis(character: str) -> bool:
    try:
        return bool(character.encode("euc_jis_2004"))
    except UnicodeEncodeError:
        return False


def test_a_name_of_any_language_in_europe_is_printed_without_a_word() -> None:
    name = "Kovačević Łukasz Dvořák Őry Șerban Ħal Ģirts Αλέξανδρος Ελύτης Ђорђе Їжак Þóra Nguyễn Şükrü"
    letter = print_letter(sheet("gdpr", "withdrawn", "de", name=name))
    assert letter.warnings == ()
    assert compact(name) in text_of(letter)


def test_what_cannot_be_printed_leaves_a_mark_on_the_paper_and_a_warning() -> None:
    letter = print_letter(sheet("appi", "withdrawn", "ja", name="山田😀\U000e0100"))
    assert f"山田{GETA}様" in text_of(letter)
    assert [warning.partition(" cannot")[0] for warning in letter.warnings] == [
        "U+1F600 (GRINNING FACE) + U+E0100 (VARIATION SELECTOR-17)"
    ]


def test_markup_in_a_name_is_printed_as_it_was_written() -> None:
    name = "**A** __B__ <b>C</b> {pages} (D) \\n [E](https://company.example)"
    letter = print_letter(sheet("appi", "withdrawn", "en", name=name))
    assert compact(f"Dear {name},") in text_of(letter)
    assert b"/URI" not in letter.pdf


# --- Pages ----------------------------------------------------------------------------------------------------


def width_mm(text: str, size_pt: float) -> float:
    return sum(size_pt if ord(each) > 0x2E7F else size_pt / 2 for each in text) * 25.4 / 72


def pieces(page: Page) -> list[Piece]:
    return [mark for mark in page if isinstance(mark, Piece)]


EVERY_LETTER = [
    (name, key, each) for name in NAMES for key in LETTERS for each in rulebook(name).languages[:1]
]


@pytest.mark.parametrize(("book", "key", "language"), EVERY_LETTER)
def test_every_letter_stays_within_its_margins(book: str, key: str, language: str) -> None:
    pages = set_pages(sheet(book, key, language), width_mm)
    for page in pages:
        for piece in pieces(page):
            stretched_mm = piece.spacing_mm * (len(piece.text) - 1)
            assert piece.x_mm >= 25 - 1e-6
            assert piece.x_mm + width_mm(piece.text, piece.size_pt) + stretched_mm <= 185 + 1e-6
            assert 20 <= piece.y_mm <= 285


@pytest.mark.parametrize("items", [0, 6, 7, 8, 9, 24])
@pytest.mark.parametrize(("book", "language"), [("appi", "ja"), ("gdpr", "de")])
def test_a_long_letter_goes_on_and_every_page_says_which_it_is(book: str, language: str, items: int) -> None:
    long = [f"ITEM-{number} " + "資料 material " * 12 for number in range(items + 1)]
    pages = set_pages(sheet(book, "disclosure.full", language, items=long), width_mm)
    template = rulebook(book).frame.page[language]
    for number, page in enumerate(pages, start=1):
        assert pieces(page)[-1].text == template.format(page=number, pages=len(pages))
        assert len({piece.y_mm for piece in pieces(page)}) > 2  # never a line alone on a page
        assert all(piece.y_mm <= 275 for piece in pieces(page)[:-1])
    said = compact("".join(piece.text for page in pages for piece in pieces(page)))
    for number in range(items + 1):
        assert compact(f"ITEM-{number}資料") in said


@pytest.mark.parametrize("items", range(9, 19, 2))
def test_the_end_of_a_letter_never_stands_on_a_page_without_its_last_paragraph(items: int) -> None:
    shown = sheet("appi", "disclosure.full", "ja", items=[f"ITEM-{number}" for number in range(items)])
    last_page = pieces(set_pages(shown, width_mm)[-1])
    texts = [piece.text for piece in last_page]
    last = shown.paragraphs[-1].text
    assert last.endswith(texts[texts.index("以上") - 1])
    assert any(last.startswith(text) for text in texts)


def test_full_lines_of_japanese_end_at_the_right_margin() -> None:
    page = set_pages(sheet("appi", "receipt", "ja"), width_mm)[0]
    full = [piece for piece in pieces(page) if piece.spacing_mm]
    assert len(full) > 3
    for piece in full:
        end_mm = piece.x_mm + width_mm(piece.text, piece.size_pt) + piece.spacing_mm * (len(piece.text) - 1)
        assert end_mm == pytest.approx(185)


def test_a_language_without_greeting_and_regards_has_none() -> None:
    shown = replace(sheet("gdpr", "receipt", "de"), greeting="", regards="")
    texts = [piece.text for page in set_pages(shown, width_mm) for piece in pieces(page)]
    assert all(texts)
    assert "Mit freundlichen Grüßen" not in texts


def test_a_greeting_of_ones_own_stands_in_a_japanese_letter_too() -> None:
    """The rulebook that ships has none there."""
    letter = replace(
        sheet("appi", "disclosure.partial", "ja"), greeting="時下ますますご清祥のこととお慶び申し上げます。"
    )
    assert "時下ますますご清祥" in text_of(print_letter(letter))
