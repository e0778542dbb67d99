"""The public notice tells all that is in force, in each language, and lets nothing in from outside."""

import base64
import hashlib
import re
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from retention.kernel.errors import InvalidInput, NotFound
from retention.notice.model import State
from retention.notice.packs import words_for
from retention.notice.phrases import Phrases, unfolded
from retention.notice.render import render
from retention.requests.rules.model import BasisCode, Proves
from retention.schedule.model import Kind
from tests.builders.notice import PACKS, attributes, pages, parsed, source, version, words_of

JAPAN, GERMANY = PACKS
PAGES = [(JAPAN, "ja"), (JAPAN, "en"), (GERMANY, "de"), (GERMANY, "en")]
SOURCES = (
    source("lobby-1", notice="sign-2", owner="Mr Secret"),
    source("lobby-2", notice="sign-2"),
    source("till-1", area="cash-desk", site="osaka"),
    source("line-1", kind=Kind.CALL, purposes=("service-quality",), notice="ivr-3", site="fukuoka"),
)
SHORTER = {
    "area: {not: [cash-desk]}\n    keep: P30D": "area: {not: [cash-desk]}\n    keep: P14D",
    "cctv.general: P30D": "cctv.general: P14D",
}


@cache
def page(pack: str, language: str) -> str:
    found = SOURCES if pack == JAPAN else ()
    return pages(State((version(pack),), found), language)[f"notice.{language}.html"]


def changed() -> State:
    old = version(JAPAN, 1, date(2026, 11, 2), until=date(2027, 4, 1))
    return State((old, version(JAPAN, 2, date(2027, 4, 1), changes=SHORTER)), SOURCES)


# --- What it says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_every_purpose_is_told_with_its_description_basis_and_clause(pack: str, language: str) -> None:
    words, stated = words_of(page(pack, language)), version(pack).schedule
    known = words_for(version(pack).book.name)
    for purpose in stated.purposes.values():
        for text in (
            purpose.title[language],
            unfolded(purpose.description[language]),
            known.bases[purpose.acquisition][language],
            purpose.clause[language],
        ):
            assert text in words


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_every_class_and_floor_is_told_with_its_period_in_words(pack: str, language: str) -> None:
    stated = version(pack).schedule
    phrases = Phrases(language, words_for(version(pack).book.name))
    rows = rows_of(page(pack, language), "periods")
    assert len(rows) == len(stated.classes)
    for row, rule in zip(rows, stated.classes.values(), strict=True):
        what, period, trigger = row
        assert what.startswith(stated.purposes[rule.purpose].title[language])
        assert period == phrases.period(rule.period)
        assert trigger == " ".join(phrases.trigger(rule))
        assert rule.law is None or rule.law[language] in what
        assert unfolded(rule.basis) not in what
        assert rule.name not in " ".join(row)
    assert not re.search(r"\bP\d+[DWMY]", words_of(page(pack, language)))


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_every_sign_announcement_and_published_text_is_told_with_its_version(
    pack: str, language: str
) -> None:
    words = words_of(page(pack, language))
    phrases = Phrases(language, words_for(version(pack).book.name))
    for notice in version(pack).schedule.notices.values():
        assert unfolded(notice.text[language]) in words
        assert phrases.date(notice.effective_on) in words


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_every_forbidden_use_is_told_in_words(pack: str, language: str) -> None:
    words = words_of(page(pack, language))
    known = words_for(version(pack).book.name)
    for purpose in version(pack).schedule.forbidden_purposes:
        assert known.never[purpose][language] in words


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_the_eight_kinds_of_request_are_told_with_article_and_period(pack: str, language: str) -> None:
    book = version(pack).book
    phrases = Phrases(language, words_for(book.name))
    rows = rows_of(page(pack, language), "requests")
    assert len(rows) == 8
    for (what, answer, _), rule in zip(rows, book.kinds.values(), strict=True):
        assert what == f"{rule.title[language]} {rule.article[language]}"
        assert answer.startswith(phrases.period(rule.answer_within))
        assert rule.extension
        assert phrases.period(rule.extension.by) in answer


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_identity_authority_and_cases_of_provision_are_those_of_the_rulebook(
    pack: str, language: str
) -> None:
    words, book = words_of(page(pack, language)), version(pack).book
    for method in book.methods.values():
        assert method.title[language] in words
    assert any(method.proves is Proves.AUTHORITY for method in book.methods.values())
    for basis in book.bases.values():
        if basis.is_third_party and basis.code is not BasisCode.CONSENT:
            assert basis.article[language] in words


@pytest.mark.parametrize(("pack", "language"), PAGES)
def test_the_page_says_who_answers_and_what_is_done_for_security(pack: str, language: str) -> None:
    words, controller = words_of(page(pack, language)), version(pack).schedule.controller
    known = words_for(version(pack).book.name)
    for text in (controller.phone, controller.email, controller.hours[language], known.cookie):
        assert text in words
    for text in (controller.name[language], controller.manager[language]):
        assert text in words
    for measure in known.measures:
        assert measure.text[language] in words
    assert "{" not in words


def test_sources_are_told_by_place_and_sign_without_ids_or_owners() -> None:
    html = page(JAPAN, "ja")
    rows = rows_of(html, "sources")
    assert rows == [
        ["fukuoka 通話録音", "コールセンター業務におけるサービスレベルの向上", "音声アナウンス（ivr-3）"],
        ["大阪 現金取扱場所 防犯カメラ映像", "防犯", "掲示（第1版）"],
        ["東京 防犯カメラ映像", "防犯", "掲示（sign-2）"],
    ]
    for secret in ("lobby", "till-1", "line-1", "Mr Secret"):
        assert secret not in html


def test_a_store_without_sources_says_that_nothing_is_recorded() -> None:
    assert "We record nowhere at present." in words_of(pages(State((version(JAPAN),), ()))["notice.en.html"])


# --- Earlier versions --------------------------------------------------------------------------------


def test_after_a_change_the_earlier_version_keeps_a_page_of_its_own() -> None:
    found = pages(changed())
    assert list(found) == ["notice.ja.html", "notice.en.html", "notice.ja.1.html", "notice.en.1.html"]
    now, then = found["notice.en.html"], found["notice.en.1.html"]
    assert rows_of(now, "archive") == [
        [
            "Version 2 in force",
            "1 April 2027",
            "Crime prevention – camera footage (other than: where cash is handled): from 30 days to 14 days",
        ],
        ["Version 1", "2 November 2026", "First version"],
    ]
    assert 'href="notice.en.1.html"' in now
    assert "This is version 1. It was in force from 2 November 2026 to 1 April 2027." in words_of(then)
    assert [row[1] for row in rows_of(then, "periods")].count("14 days") == 0
    assert [row[1] for row in rows_of(now, "periods")].count("14 days") == 1


def test_every_page_can_be_reached_from_every_other() -> None:
    found = pages(changed())
    for name, html in found.items():
        reached, waiting = {name}, [html]
        while waiting:
            for link in re.findall(r'href="(notice[^"]+)"', waiting.pop()):
                assert link in found
                if link not in reached:
                    reached.add(link)
                    waiting.append(found[link])
        assert reached == set(found)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"Security cameras in our": "Cameras in our"}, "No change of periods"),
        (
            {"keep: P6M\n    from: recording-ended": "keep: P6M\n    from: recording-started"},
            "Service level in call-centre operations – call recordings: another scope or start",
        ),
    ],
)
def test_a_line_says_what_a_version_changed(changes: dict[str, str], line: str) -> None:
    old = version(JAPAN, 1, until=date(2027, 4, 1))
    state = State((old, version(JAPAN, 2, date(2027, 4, 1), changes=changes)), ())
    assert rows_of(pages(state)["notice.en.html"], "archive")[0][2] == line


def test_an_earlier_version_without_the_language_has_no_page_in_it() -> None:
    old = version(GERMANY, 1, until=date(2027, 4, 1))
    state = State((old, version(JAPAN, 2, date(2027, 4, 1))), ())
    assert list(pages(state)) == ["notice.ja.html", "notice.en.html", "notice.en.1.html"]


# --- What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("  recruitment: Applicants", "  astrology: Applicants", "no words for `astrology`"),
        ("from: case-closed", "from: moon-full", "no words for `moon-full`"),
    ],
)
def test_what_has_no_words_refuses_the_page(was: str, becomes: str, message: str) -> None:
    state = State((version(JAPAN, changes={was: becomes}),), ())
    with pytest.raises(InvalidInput, match=message) as refused:
        pages(state)
    assert "--words" in refused.value.hint


def test_a_language_that_a_text_lacks_is_refused_by_the_texts_name() -> None:
    with pytest.raises(InvalidInput, match="no page in `de`: the policy japan-call-centre-and-cameras is in"):
        pages(State((version(JAPAN),), ()), "de")


def test_a_rulebook_without_words_needs_words_of_ones_own() -> None:
    with pytest.raises(NotFound, match="no notice ships for the rulebook ccpa"):
        words_for("ccpa")


def test_words_of_ones_own_replace_those_that_ship() -> None:
    own = words_for("appi").model_copy(update={"cookie": "__Host-mine"})
    state = State((version(JAPAN),), ())
    (made,) = render(state, ("ja",), own)
    assert "__Host-mine" in made.content.decode()
    assert "__Host-session" not in made.content.decode()


# --- The page itself ---------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        "notice.ja.html",
        "notice.en.html",
        "notice.ja.1.html",
        "notice.en.1.html",
        "germany/notice.de.html",
    ]
)
def html(request: pytest.FixtureRequest) -> str:
    folder, _, name = request.param.rpartition("/")
    return pages(State((version(GERMANY),), ()) if folder else changed())[name]


def test_the_markup_has_no_error_and_no_broken_reference(html: str) -> None:
    tree = parsed(html)
    ids = [each["id"] for each in attributes(tree, "[id]")]
    assert len(set(ids)) == len(ids)
    for link in attributes(tree, 'a[href^="#"]'):
        assert link["href"][1:] in ids
    for each in attributes(tree, "[aria-labelledby]"):
        assert each["aria-labelledby"] in ids


def test_headings_come_in_order_and_tables_say_what_they_are(html: str) -> None:
    tree = parsed(html)
    levels = [int(each.name[1]) for each in tree.query("h1, h2, h3, h4, h5, h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert attributes(tree, "html")[0]["lang"] in {"ja", "en", "de"}
    assert attributes(tree, "a")[0] == {"class": "skip", "href": "#text"}
    for table in tree.query("table"):
        assert len(table.query("caption")) == 1
        assert all(each["scope"] in {"col", "row"} for each in attributes(table, "th"))


def test_nothing_runs_and_nothing_is_loaded(html: str) -> None:
    tree = parsed(html)
    assert {each.name for each in tree.query("*")}.isdisjoint(
        {"script", "img", "iframe", "object", "embed", "form", "input", "base", "audio", "video", "svg"}
    )
    for each in attributes(tree, "*"):
        assert {"src", "srcset", "style", "action", "ping", "background"}.isdisjoint(each)
        assert not any(name.startswith("on") for name in each)
    for link in attributes(tree, "link"):
        assert link["rel"] == "alternate"
    for link in attributes(tree, "a"):
        if not link["href"].startswith("#"):
            assert link["rel"] == "noopener noreferrer"
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert not re.search(r"url\(|@import|@font-face", style)


def test_the_page_admits_its_own_style_by_digest_and_nothing_else(html: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (stated,) = attributes(parsed(html), 'meta[http-equiv="Content-Security-Policy"]')
    assert stated["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_what_somebody_registers_stays_text() -> None:
    evil = "<script>alert(1)</script>\"'&<b>"
    html = pages(State((version(JAPAN),), (source(site=evil, area=evil, notice=evil),)), "en")
    tree = parsed(html["notice.en.html"])
    assert not tree.query("script")
    assert evil in rows_of(html["notice.en.html"], "sources")[0][0]


def test_the_same_state_gives_the_same_bytes_whatever_the_order_of_the_sources() -> None:
    state = changed()
    turned = State(state.versions, tuple(reversed(state.sources)))
    assert list(render(state)) == list(render(turned))


def rows_of(html: str, section: str) -> list[list[str]]:
    """The cells of the rows of a section's table."""
    (table,) = parsed(html).query(f'section[aria-labelledby="{section}"] table')
    return [
        [" ".join(cell.to_text().split()) for cell in row.query("th, td")] for row in table.query("tbody tr")
    ]
