"""The notice's words that ship: they load, nothing is missing or idle, and they fit the packs."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

import retention.notice
from retention.notice.packs import words_for
from retention.notice.phrases import Phrases, unfolded
from retention.notice.words import LABELS, STATEMENTS, NoticeWordsError, json_schema, parse_words
from retention.requests.packs import rulebook_for
from retention.requests.rulebooks import read_rulebook
from retention.schedule.document import read
from retention.schedule.model import Period
from retention.schedule.parse import parse_policy

FOLDER = resources.files("policies").joinpath("notices")
NAMES = ("appi", "gdpr")
PACKS = ("defaults/japan.yaml", "packs/germany.yaml")


def text_of(name: str) -> str:
    return FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def test_the_words_that_are_shipped() -> None:
    assert {entry.name for entry in FOLDER.iterdir()} == {"appi.yaml", "gdpr.yaml", "schema.json"}


def test_the_schema_beside_the_words_is_the_one_the_loader_uses() -> None:
    stored = json.loads(FOLDER.joinpath("schema.json").read_text(encoding="utf-8"))
    assert stored == json_schema(), "write it anew, as policies/README.md says"


@pytest.mark.parametrize("name", NAMES)
def test_the_words_fit_the_schema_and_name_it_for_editors(name: str) -> None:
    text = text_of(name)
    jsonschema.validate(read(text, name).value, json_schema(), cls=jsonschema.Draft202012Validator)
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_its_rulebook_and_its_words_share_every_language(pack: str) -> None:
    text = resources.files("policies").joinpath(pack).read_text(encoding="utf-8")
    schedule = parse_policy(text, pack)
    found = rulebook_for(schedule.jurisdiction)
    assert found
    book = read_rulebook(*found)
    assert set(schedule.languages) == set(book.languages) == set(words_for(book.name).languages)


def test_every_label_and_statement_that_must_be_written_is_used_on_the_page() -> None:
    folder = Path(next(iter(retention.notice.__path__)))
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (*folder.glob("*.py"), *folder.glob("templates/*.html"))
        if path.name != "words.py"
    )
    used = set(re.findall(r'"([a-z]+(?:[.-][a-z]+)*)"', source))
    assert not (set(LABELS) - used)
    assert not (set(STATEMENTS) - used)


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("  skip: {", "  skipp: {", "`skip` is missing"),
        ("  sources.none: {ja: ", "  sources.none: {jp: ", "it is in en, jp"),
        ("{manager}までお申し出", "{boss}までお申し出", "there is no field {boss} here"),
        ('day: {ja: {other: "{n}日"}', 'day: {ja: {one: "{n}日"}', "the form `other` is missing"),
        ('day: {ja: {other: "{n}日"}', 'day: {ja: {other: "{m}日"}', "there is no field {m} here"),
        ("  sign: {ja: 掲示, ", "  sign: {", "the text is in en, but the policy is in en, ja"),
        ("cookie: __Host-session", "cookie: a b", "is not a cookie's name"),
    ],
)
def test_words_that_cannot_be_used_are_refused_by_their_line(was: str, becomes: str, message: str) -> None:
    text = text_of("appi")
    assert was in text
    with pytest.raises(NoticeWordsError, match=re.escape(message)) as refused:
        parse_words(text.replace(was, becomes, 1), "mine.yaml")
    assert re.match(r"mine\.yaml:\d+: ", refused.value.message)


@pytest.mark.parametrize("text", ["", "- a list", "labels: [1", "notice: appi"])
def test_what_holds_no_words_is_refused_like_any_other_text(text: str) -> None:
    with pytest.raises(NoticeWordsError):
        parse_words(text, "mine.yaml")


@pytest.mark.parametrize(
    ("name", "language", "period", "said"),
    [
        ("appi", "ja", "P30D", "30日間"),
        ("appi", "ja", "P2W", "2週間"),
        ("appi", "ja", "P6M", "6か月間"),
        ("appi", "ja", "P1Y6M", "1年6か月間"),
        ("appi", "en", "P30D", "30 days"),
        ("appi", "en", "P1D", "1 day"),
        ("appi", "en", "P1Y6M", "1 year and 6 months"),
        ("gdpr", "de", "P1M", "1 Monat"),
        ("gdpr", "de", "P3D", "3 Tage"),
    ],
)
def test_a_period_is_said_as_people_say_it(name: str, language: str, period: str, said: str) -> None:
    assert Phrases(language, words_for(name)).period(Period.parse(period)) == said


def test_folded_lines_leave_no_gap_between_japanese_sentences() -> None:
    assert unfolded("録音します。 保存し、 消去します。 A, b.") == "録音します。保存し、消去します。A, b."
