"""The rulebooks that ship: they load, their cases come out right, and they say what the laws ask."""

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from retention.kernel.errors import InvalidInput
from retention.requests.packs import read_text, rulebook_for
from retention.requests.provisions import rule_for
from retention.requests.rulebooks import Rules
from retention.requests.rules.cases import Case, parse_cases, run_case
from retention.requests.rules.letters import FIELD, compose
from retention.requests.rules.model import (
    FIELDS,
    LETTERS,
    OUTCOMES,
    BasisCode,
    ClosedDays,
    IdentityNeed,
    KeepFrom,
    MonthRule,
    Outcome,
    Period,
    Proves,
    RequestKind,
    letter_key,
)
from retention.requests.rules.parse import json_schema, parse_rulebook
from retention.schedule.document import read
from tests.builders.rulebooks import FOLDER, NAMES, facts, kind_of, office, rulebook, text_of

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EVERY_LETTER = [
    (name, key, language) for name in NAMES for key in LETTERS for language in rulebook(name).languages
]
EVERY_CASE = [
    pytest.param(name, case, id=f"{name}: {case.name}")
    for name in NAMES
    for case in parse_cases(text_of(f"{name}.cases.yaml"), f"{name}.cases.yaml")
]


def test_the_rulebooks_that_are_shipped() -> None:
    shipped = {entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".yaml")}
    assert shipped == {f"{name}{end}" for name in NAMES for end in (".yaml", ".cases.yaml")}


@pytest.mark.parametrize(("name", "case"), EVERY_CASE)
def test_every_case_beside_a_rulebook_comes_out_right(name: str, case: Case) -> None:
    result = run_case(rulebook(name), case)
    assert result.actual == result.expected
    assert result.passed


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_request_has_a_case(name: str) -> None:
    cases = parse_cases(text_of(f"{name}.cases.yaml"), name)
    assert {case.stated.kind for case in cases} == set(RequestKind)


# --- The schema -------------------------------------------------------------------------------------------


def test_the_schema_beside_the_rulebooks_is_the_one_the_loader_uses() -> None:
    assert json.loads(text_of("schema.json")) == json_schema(), "write it anew, as policies/README.md says"


@pytest.mark.parametrize("name", NAMES)
def test_a_rulebook_fits_the_schema_and_names_it_for_editors(name: str) -> None:
    text = text_of(f"{name}.yaml")
    jsonschema.validate(read(text, name).value, json_schema(), cls=jsonschema.Draft202012Validator)
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("clock", "closed_days"), "sometimes"),
        (("kinds", "disclosure", "answer_within"), "14 days"),
        (("kinds", "disclosure", "identity"), "optional"),
        (("kinds", "hearing"), {}),
        (("identity", "points"), "0"),
        (("countries",), ["Japan"]),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(path: tuple[str, ...], wrong: Any) -> None:
    value = read(text_of("appi.yaml"), "appi.yaml").value
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json_schema(), cls=jsonschema.Draft202012Validator)


# --- What the laws ask ------------------------------------------------------------------------------------


def test_under_the_appi_every_kind_is_answered_within_fourteen_days_and_before_a_closed_day() -> None:
    book = rulebook("appi")
    assert {rule.answer_within for rule in book.kinds.values()} == {Period(days=14)}
    assert book.clock.closed_days is ClosedDays.BEFORE
    assert book.clock.months is MonthRule.CIVIL_CODE
    assert "Art. 39(1)" in book.clock.basis
    assert "Art. 97(1)" in book.clock.arrival


def test_under_the_gdpr_every_kind_is_answered_within_a_month_that_two_more_can_follow() -> None:
    book = rulebook("gdpr")
    for rule in book.kinds.values():
        assert rule.answer_within == Period(months=1)
        assert rule.extension is not None
        assert rule.extension.by == Period(months=2)
    assert book.clock.closed_days is ClosedDays.AFTER
    assert book.clock.months is MonthRule.EU_1182_71


def test_the_gdpr_is_the_law_of_the_union_and_of_the_three_others_in_the_eea() -> None:
    assert set(rulebook("gdpr").countries) == {*EU.split(), "IS", "LI", "NO"}


def test_article_33_2_has_its_three_grounds_and_they_serve_disclosure() -> None:
    book = rulebook("appi")
    grounds = {
        ground.code: ground.article["en"]
        for ground in book.grounds_for(RequestKind.DISCLOSURE, Outcome.REFUSED)
    }
    assert grounds == {
        "harm-to-rights": "Article 33(2)(i)",
        "hindrance": "Article 33(2)(ii)",
        "other-law": "Article 33(2)(iii)",
    }


@pytest.mark.parametrize("name", NAMES)
def test_only_a_complaint_may_come_from_nobody_in_particular(name: str) -> None:
    asked = {kind for kind, rule in rulebook(name).kinds.items() if rule.identity is IdentityNeed.ASKED}
    assert asked == {RequestKind.COMPLAINT}


def test_of_a_my_number_card_only_the_front_is_kept() -> None:
    method = rulebook("appi").methods["my-number-card"]
    assert method.image == "front"
    assert "裏面" in method.care["ja"]


@pytest.mark.parametrize("name", NAMES)
def test_every_ground_speaks_a_sentence_that_names_its_law(name: str) -> None:
    for ground in rulebook(name).grounds.values():
        for language, sentence in ground.sentence.items():
            assert "第" in sentence if language == "ja" else any(digit in sentence for digit in "123456789")
            assert sentence.endswith(("。", "."))


@pytest.mark.parametrize("name", NAMES)
def test_giving_to_others_names_who_asked_and_how_that_was_verified_wherever_an_authority_may_ask(
    name: str,
) -> None:
    bases = rulebook(name).bases
    assert set(bases) == set(BasisCode)
    for code, basis in bases.items():
        if code not in {BasisCode.CONSENT, BasisCode.ENTRUSTMENT}:
            assert {"requested_by", "verified_by", "why_minimal"} <= set(basis.fields)
            assert basis.is_third_party
        assert basis.needs_two_people
    assert not bases[BasisCode.ENTRUSTMENT].is_third_party


def test_the_ledger_is_kept_as_rules_article_21_says() -> None:
    keeps = {name: (keep.period, keep.from_) for name, keep in rulebook("appi").keeps.items()}
    assert keeps == {
        "each": (Period(years=3), KeepFrom.PROVIDED),
        "batch": (Period(years=3), KeepFrom.LAST_PROVIDED),
        "contract-document": (Period(years=1), KeepFrom.LAST_PROVIDED),
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_can_come_with_a_power_or_by_law(name: str) -> None:
    codes = {each.code for each in rulebook(name).methods.values() if each.proves is Proves.AUTHORITY}
    assert codes == {"power-of-attorney", "statutory-representative"}


# --- Letters ----------------------------------------------------------------------------------------------


def test_there_is_a_letter_for_every_way_in_which_a_request_can_end() -> None:
    assert set(LETTERS) >= {
        letter_key(kind, outcome) for kind, outcomes in OUTCOMES.items() for outcome in outcomes
    }
    for name in NAMES:
        assert set(rulebook(name).letters) == set(LETTERS)


@pytest.mark.parametrize(("name", "key", "language"), EVERY_LETTER)
def test_every_letter_can_be_written_and_leaves_no_field_open(name: str, key: str, language: str) -> None:
    book = rulebook(name)
    written = compose(book, key, language, facts(book, kind_of(key), language))
    said = "\n".join([written.subject, *(each.text for each in written.paragraphs)])
    assert FIELD.search(said) is None
    assert "R-2026-0042" in said


@pytest.mark.parametrize(("name", "key", "language"), EVERY_LETTER)
def test_every_letter_but_the_receipt_says_where_to_complain(name: str, key: str, language: str) -> None:
    authority = {"ja": "個人情報保護委員会", "de": "Datenschutz-Aufsichtsbehörde"}.get(
        language, "Personal Information Protection Commission" if name == "appi" else "supervisory authority"
    )
    body = " ".join(rulebook(name).letters[key].paragraphs[language])
    assert (authority in body) is (key != "receipt")


@pytest.mark.parametrize(("name", "key", "language"), EVERY_LETTER)
def test_a_letter_says_the_same_things_in_every_language(name: str, key: str, language: str) -> None:
    letter = rulebook(name).letters[key]
    own_language = rulebook(name).languages[0]
    fields = [set(FIELD.findall(" ".join(letter.paragraphs[each]))) for each in (own_language, language)]
    assert fields[0] - {"manager"} == fields[1] - {"manager"}


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_about_failed_identification_says_that_it_says_nothing(name: str) -> None:
    denial = {
        "ja": "保有しているか否かを示すものではありません",
        "en": "does not say whether",
        "de": "sagt nichts darüber aus, ob",
    }
    letter = rulebook(name).letters["not-identified"]
    for language, paragraphs in letter.paragraphs.items():
        assert denial[language] in " ".join(paragraphs)


def test_japanese_letters_are_polite() -> None:
    for letter in rulebook("appi").letters.values():
        for paragraph in letter.paragraphs["ja"]:
            sentences = [each for each in paragraph.split("。") if each and not FIELD.fullmatch(each)]
            for sentence in sentences:
                assert sentence.endswith(("ます", "ません", "ました", "ませんでした", "です", "ください")), (
                    sentence
                )


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_is_that_of_the_text(name: str) -> None:
    changed = parse_rulebook(text_of(f"{name}.yaml") + "# a note\n", name)
    assert changed.digest != rulebook(name).digest
    assert len(changed.digest) == 64


# --- What is written about rulebooks ------------------------------------------------------------------------


README = resources.files("policies").joinpath("README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_section_and_every_field_of_a_letter() -> None:
    section = README.partition("\n## Rulebooks\n")[2].partition("\n## ")[0]
    about_itself = {"rulebook", "title", "reviewed_on"}
    assert [key for key in set(json_schema()["properties"]) - about_itself if f"`{key}`" not in section] == []
    assert set(FIELD.findall(section)) == FIELDS


def test_the_readme_s_case_is_one_of_the_rulebook_s() -> None:
    example = next(
        block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "received:" in block
    )
    office = text_of("appi.cases.yaml").partition("cases:\n")[0]
    (case,) = parse_cases(f"{office}cases:\n{example}", "README.md")
    assert case.stated in [each.stated for each in parse_cases(text_of("appi.cases.yaml"), "appi")]


def test_a_country_about_which_no_rulebook_ships_has_none() -> None:
    assert rulebook_for("JP")
    assert rulebook_for("BR") is None


def test_a_rulebook_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "not text").write_bytes(b"\xff\xfe")
    for name in ("nowhere", ".", "not text"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_text(tmp_path / name)


def test_a_provision_needs_a_basis_and_a_period_that_the_rulebook_knows() -> None:
    book = rulebook("appi")
    without = replace(book, bases={code: each for code, each in book.bases.items() if code != BasisCode.LAW})
    with pytest.raises(InvalidInput, match="knows no basis law"):
        rule_for(Rules(1, without, office(), "Asia/Tokyo"), BasisCode.LAW)
    keeping_nothing = replace(book.bases[BasisCode.LAW], keeps=())
    unkept = replace(book, bases={**book.bases, BasisCode.LAW: keeping_nothing})
    with pytest.raises(InvalidInput, match="does not say how long"):
        rule_for(Rules(1, unkept, office(), "Asia/Tokyo"), BasisCode.LAW)
