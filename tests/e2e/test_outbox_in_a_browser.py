"""The public pages of the outbox in a real browser: a person gets her answer, is told what is wrong, and sees a page.

They are the pages as they are served, with their own policy: styled, without an
objection of axe-core's, nothing kept in the browser, nothing asked of anybody else.
"""

import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Response

from retention.disposal import verifier
from tests.builders.browser import browsing, judged, needs_a_browser
from tests.builders.disclosure import bytes_of, granted, plain_answer
from tests.builders.house import House
from tests.builders.outbox import CONTENT, PASSPHRASE, Outbox, Put, served

pytestmark = [pytest.mark.slow, needs_a_browser]
PAPER, STRONG, DARK_PAPER = (251, 250, 247), (13, 85, 96), (20, 24, 27)
FIELD, SENT = "#passphrase", "button[type=submit]"
CLOSED = {"ja": "このページは使えません", "en": "This page is not available"}


def come(page: Page, outbox: Outbox, put: Put) -> None:
    page.goto(f"http://localhost:{outbox.port}{put.path}")


def enter(page: Page, passphrase: str) -> None:
    """As somebody does who has no mouse."""
    page.focus(FIELD)
    page.keyboard.type(passphrase)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def fetched(page: Page, passphrase: str, folder: Path) -> Path:
    page.fill(FIELD, passphrase)
    with page.expect_download() as download:
        page.click(SENT)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_she_types_the_passphrase_as_she_wrote_it_down_and_opens_what_she_gets(
    sqlite_house: House, tmp_path: Path
) -> None:
    """An unzip, and the verifier as it comes with the program, are all that it takes."""
    sqlite_house.add_source()
    package = bytes_of(sqlite_house, plain_answer(sqlite_house, granted(sqlite_house)))
    with served(tmp_path / "outbox") as outbox, browsing() as page:
        put = outbox.put(package)
        come(page, outbox, put)
        got = fetched(page, f" {PASSPHRASE.replace('-', '－').upper()} ", tmp_path)
        assert (got.name, got.read_bytes()) == ("documents.zip", package)
        page.reload()
        assert page.inner_text("h1") == CLOSED["ja"]
        assert (outbox.receipt(put).state, outbox.is_there(put)) == ("downloaded", False)
    shutil.unpack_archive(got, tmp_path / "opened")
    assert (tmp_path / "opened" / "letter.pdf").read_bytes().startswith(b"%PDF")
    key = sqlite_house.app.signer.public_key.hex()
    checked = subprocess.run(
        [sys.executable, "-I", verifier.__file__, str(got), "--key", key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("language", "left"),
    [("ja", "あと{}回入力できます"), ("en", "Attempts left: {}.")],
)
def test_five_wrong_passphrases_are_counted_down_and_then_the_right_one_does_not_help(
    tmp_path: Path, language: str, left: str
) -> None:
    with served(tmp_path / "outbox") as outbox, browsing() as page:
        put = outbox.put(language=language)
        come(page, outbox, put)
        for number in (4, 3, 2, 1):
            enter(page, "aaaa-bbbb-cccc")
            assert left.format(number) in page.inner_text("[role=alert]")
            assert page.get_attribute(FIELD, "aria-invalid") == "true"
            assert page.input_value(FIELD) == ""
        enter(page, "aaaa-bbbb-cccc")
        assert CLOSED[language] in page.inner_text("main")
        come(page, outbox, put)
        assert page.query_selector(FIELD) is None
        assert (outbox.receipt(put).state, outbox.is_there(put)) == ("died", False)


def test_nothing_is_sent_and_no_try_is_used_up_where_nothing_was_typed(tmp_path: Path) -> None:
    with served(tmp_path / "outbox") as outbox, browsing() as page:
        come(page, outbox, outbox.put())
        page.click(SENT)
        assert page.evaluate(f"document.querySelector('{FIELD}').validity.valueMissing")
        assert fetched(page, PASSPHRASE, tmp_path).read_bytes() == CONTENT


def test_a_page_that_was_left_open_past_its_last_day_gives_nothing(tmp_path: Path) -> None:
    with served(tmp_path / "outbox") as outbox, browsing() as page:
        put = outbox.put(days=14)
        come(page, outbox, put)
        outbox.clock.move(days=14)
        enter(page, PASSPHRASE)
        assert CLOSED["ja"] in page.inner_text("main")
        assert outbox.receipt(put).state == "expired"


def test_the_language_that_she_chose_stays_when_the_passphrase_is_wrong(tmp_path: Path) -> None:
    with served(tmp_path / "outbox") as outbox, browsing() as page:
        come(page, outbox, outbox.put(language="ja"))
        page.click("text=English")
        enter(page, "aaaa-bbbb-cccc")
        assert page.inner_text("h1") == "Collect your documents"
        assert "not right" in page.inner_text("[role=alert]")
        assert fetched(page, PASSPHRASE, tmp_path).read_bytes() == CONTENT


def test_nothing_is_kept_in_the_browser_and_nobody_else_is_asked_for_anything(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def note(response: Response) -> None:
        asked.append((response.request.method, response.url))

    with served(tmp_path / "outbox") as outbox, browsing() as page:
        page.on("response", note)
        come(page, outbox, outbox.put())
        enter(page, "aaaa-bbbb-cccc")
        kept = page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]")
        assert (kept, page.context.cookies()) == (["", 0, 0], [])
        sent = [(method, url.partition("?")[0]) for method, url in asked if not url.endswith("/favicon.ico")]
        assert sent == [("GET", page.url.partition("?")[0]), ("POST", page.url.partition("?")[0])]


@pytest.mark.parametrize(
    ("language", "width", "dark"), [("ja", 1280, False), ("en", 390, True), ("de", 320, False)]
)
def test_axe_core_objects_to_none_of_the_pages(tmp_path: Path, language: str, width: int, dark: bool) -> None:
    with served(tmp_path / "outbox") as outbox, browsing(width, dark=dark) as page:
        come(page, outbox, outbox.put(language=language))
        found = [judged(page)]
        enter(page, "aaaa-bbbb-cccc")
        found.append(judged(page))
        page.goto(f"http://localhost:{outbox.port}/")
        found.append(judged(page))
    for each in found:
        assert each["said"] == []
        assert each["passes"] > 8
        assert each["wide"] <= 0
        assert each["dark"] is dark


@pytest.mark.parametrize("dark", [False, True])
def test_the_served_page_s_own_policy_lets_its_style_through(tmp_path: Path, dark: bool) -> None:
    with served(tmp_path / "outbox") as outbox, browsing(800, dark=dark) as page:
        come(page, outbox, outbox.put())
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    assert picture.getpixel((3, 3)) == (DARK_PAPER if dark else PAPER)
    colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert (STRONG in colours) is not dark


def test_no_title_says_what_it_is_about(tmp_path: Path) -> None:
    with served(tmp_path / "outbox") as outbox:
        titles = {
            re.search(r"<title>(.*)</title>", outbox.get(outbox.put(language=code)).body.decode())
            for code in ("ja", "en", "de")
        }
    assert {each and each[1] for each in titles} == {
        "資料の受け取り", "Collect your documents", "Ihre Unterlagen abholen",
    }  # fmt: skip
