"""The one page about a copy: in two languages, for footage, sound and stills, and readable wherever it is opened."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.note import LANGUAGES, Language, note
from media.page import Page, Section, as_html, as_text, language_of
from media.picture.page import page_of as picture_page
from media.picture.redact import PictureResult
from media.picture.redact import Redacted as RedactedPicture
from media.sound.page import page_of as sound_page
from media.sound.report import Muted, Redacted
from media.sound.samples import Style as Silence
from media.sound.suggest import Suggestions
from media.video.masks import Box, Mask, Style
from media.video.verify.model import Finding, Kind, MovedFacts, SecondLookFacts, VerifyReport
from media.video.verify.report import page_of as footage_page
from tests.builders.browser import looked_at, needs_a_browser, sheets

NAMES = r"[abc]{8,}|SHA-256|CenterFace|libfacedetection|PSNR|JSON|DTMF|Hz|dB|AAC|MP4|wav|pcm_s16le|retention\[speech\]|'<b>x'"
ECHO = note("echo")
LOOK = SecondLookFacts("CenterFace", "1", "c" * 64, 6, (0, 90), 174, 12, 66, 63, 3)
SEEN = Finding(
    Kind.SEEN,
    note("somebody", frame=12, left=120.0, top=80.0, width=40.0, height=50.0, confidence=0.61),
    12,
)
STRANGE = Finding(Kind.CONTAINER, note("box_strange", box="<b>x"))
HEARD = Suggestions(
    30.0, 2, (), (), (), (note("keys"), note("voice_by_energy")), (note("words_missing", why="no model"),)
)


def footage(language: Language, *findings: Finding, proved: int = 0) -> Page:
    report = VerifyReport(
        *("a" * 64, "b" * 64, 99, 7, 1, 0.4, 47.2, 44.1, "identical", replace(LOOK, known=proved // 6)),
        *(MovedFacts(4, 1), findings, proved),
    )
    return footage_page(report, language, [note("camera_moves"), note("mosaic_weaker")])


def sound(language: Language) -> Page:
    muted = Muted(1, ((4000, 8000),), ((4000, 8000),))
    track = Redacted(
        "splice", "wav", "pcm_s16le", 8000, 2, 80_000, Silence.SILENCE, 40, (muted,), "read again", (ECHO,)
    )
    digests = {"source_sha256": "a" * 64, "copy_sha256": "b" * 64}
    return sound_page([track], language, **digests, again=HEARD, remains=HEARD.not_looked_for)


def still(language: Language) -> Page:
    masks = (Mask(Box(10, 20, 60, 90)), Mask(Box(0, 0, 9, 9), Style.MOSAIC))
    done = RedactedPicture(PictureResult(640, 480, 2, 51.5, 1000), masks, (), 1)
    return picture_page(done, language, source_sha256="a" * 64, copy_sha256="b" * 64)


PAGES: dict[str, Callable[[Language], Page]] = {
    "footage": footage,
    "footage with findings": lambda language: footage(language, SEEN, STRANGE),
    "footage, mostly copied": lambda language: footage(language, proved=60),
    "sound": sound,
    "still": still,
}
of_every_kind = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


@of_every_kind
def test_both_languages_say_the_same_things(page: Callable[[Language], Page]) -> None:
    english, japanese = page("en"), page("ja")
    assert [len(section.lines) for section in english.sections] == [
        len(section.lines) for section in japanese.sections
    ]
    assert [value for _, value in english.facts] == [value for _, value in japanese.facts]
    assert english.title.isascii()
    assert not japanese.title.isascii()
    assert english.sections[-1].is_to_do
    assert english.sections[-1].lines


@of_every_kind
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_loads_nothing_and_runs_nothing(page: Callable[[Language], Page], language: Language) -> None:
    html = as_html(page(language))
    assert f'<html lang="{language}">' in html
    assert "a" * 64 in html
    for never in ("http", "<script", "<img", "url(", "@import", "<b>"):
        assert never not in html


@of_every_kind
def test_a_japanese_page_is_japanese(page: Callable[[Language], Page]) -> None:
    """But for names, units and what is quoted out of a file."""
    text = re.sub(NAMES, "", as_text(page("ja")))
    assert not re.findall(r"[A-Za-z]{2,}", text)
    assert not re.findall(r"[:;()!?](?=[^0-9]|$)", text)


def test_what_was_muted_is_said_in_seconds_and_channels_and_what_remains_too() -> None:
    text = as_text(sound("en"))
    assert "0.500 s in all; silence" in text
    assert "Channel 1: 0.500-1.000 s" in text
    assert f"  - {ECHO.sentence('en')}" in text


def test_a_mosaic_is_named_as_what_it_is() -> None:
    assert "weaker than a fill" in as_text(still("en"))
    assert "塗りつぶしより弱く" in as_text(still("ja"))


def test_a_copy_in_which_something_was_found_is_not_clean() -> None:
    assert "verdict clean" in as_html(footage("en"))
    assert "verdict clean" not in as_html(footage("en", SEEN))
    assert "must not be released" in as_text(footage("en", SEEN))


@given(st.text())
def test_whatever_a_line_holds_is_text_on_the_page(line: str) -> None:
    page = Page("en", line, line, is_clean=True, facts=((line, line),), sections=(Section(line, (line,)),))
    html = as_html(page)
    assert html.count("<li>") == 1
    assert html.count("<") == as_html(Page("en", "", "", True, (("", ""),), (Section("", ("",)),))).count("<")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ja", "LANG": "en_GB"}, "ja"),
    ],
)
def test_the_language_is_that_of_whoever_uses_the_machine(
    environ: dict[str, str], language: Language
) -> None:
    assert language_of(environ) == language


@needs_a_browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "dark"), [(1200, False), (500, True)], ids=["wide and light", "narrow and dark"]
)
def test_a_browser_finds_nothing_to_object_to(tmp_path: Path, width: int, *, dark: bool) -> None:
    for number, make in enumerate(PAGES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = looked_at(as_html(make("ja" if dark else "en")), folder, width, dark=dark)
        assert (found["said"], found["wide"], found["dark"]) == ([], 0, dark)


@needs_a_browser
@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_an_ordinary_copy_is_one_sheet_of_paper(tmp_path: Path, language: Language) -> None:
    for number, make in enumerate(PAGES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert sheets(as_html(make(language)), folder) == 1
