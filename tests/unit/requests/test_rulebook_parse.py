"""What a rulebook's text may not say, and how it is told: file, line, what is wrong, what to do."""

import re

import pytest

from retention.requests.rules.cases import parse_cases
from retention.requests.rules.model import LETTERS, LIST_FIELDS, RequestKind
from retention.requests.rules.parse import RulebookError, parse_rulebook
from tests.builders.rulebooks import rulebook, text_of

APPI = text_of("appi.yaml")


def findings(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(text, "book.yaml")
    return [str(each) for each in caught.value.findings]


def changed(old: str, new: str, text: str = APPI) -> str:
    assert old in text
    return text.replace(old, new, 1)


def without(start: str, end: str, text: str = APPI) -> str:
    """The text without the lines from the one that begins with `start` up to the one that begins with `end`."""
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(start))
    last = next(number for number, line in enumerate(lines) if number > first and line.startswith(end))
    return "\n".join(lines[:first] + lines[last:])


def line_of(part: str, text: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "closed_days: before",
            "closed_days: maybe",
            "`maybe` is no choice here. Write 'before', 'after' or 'stay'",
        ),
        ("  disclosure:\n    title", "  hearing:\n    title", "`hearing` is no choice here"),
        ("      of: [subject, agent]", "      of: [subject, agnt]", "`agnt` is no choice here"),
        ("answer_within: P14D", "answer_within: 14", "'14' is not a calendar period"),
        ("countries: [JP]", "countries: [Japan]", "`Japan` is not a country code"),
        ("      points: 2", "      points: 99", "`99` is not a number of points"),
        ("reviewed_on: 2026-11-02", "reviewed: 2026-11-02", "there is no key `reviewed`"),
        (
            "languages: [ja, en]",
            "languages: [ja, en, ko]",
            "the text is in en, ja, but the policy is in en, ja, ko",
        ),
        ("    kinds: [disclosure, provision-records]", "    kinds: [closure]", "`closure` is no choice here"),
        ("    sentence:\n      ja: 開示", "    sentnce:\n      ja: 開示", "there is no key `sentnce`"),
    ],
)
def test_what_is_written_wrongly_is_found(old: str, new: str, message: str) -> None:
    assert any(message in finding for finding in findings(changed(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message", "place"),
    [
        ("by: P14D", "by: P1M", "P14D is extended by P1M", "by: P1M"),
        (
            "identity: required",
            "identity: asked",
            "`disclosure` would be answered to anybody",
            "identity: asked",
        ),
        (
            "      points: 1\n      image: none",
            "      image: none",
            "proves identity, but has no points",
            "call-back:",
        ),
        (
            "of: [agent]",
            "of: [subject, agent]",
            "`power-of-attorney` proves that an agent may act",
            "of: [subject, agent]\n      image: whole\n      care:\n        ja: 委任",
        ),
        (
            "      of: [agent]\n",
            "      of: [agent]\n      points: 1\n",
            "points count identity",
            "points: 1\n      image: whole\n      care:\n        ja: 委任",
        ),
        ("outcomes: [substitute]", "outcomes: [full]", "`full` needs no ground", "outcomes: [full]"),
        (
            "kinds: [correction]",
            "kinds: [complaint]",
            "a complaint is answered, not refused",
            "kinds: [complaint]",
        ),
        (
            "kinds: [correction]",
            "kinds: [purpose-notification, complaint]",
            "a complaint is answered",
            "kinds: [purpose-notification, complaint]",
        ),
        (
            "fields: [recipient, recipient_address",
            "fields: [recipent, recipient_address",
            "there is no field `recipent`. Write `recipient` if that is meant",
            "fields: [recipent",
        ),
        (
            "keep: [each, batch, contract-document]",
            "keep: [each, batch]",
            "no basis uses the period `contract-document`",
            "contract-document:",
        ),
        (
            "closing: [complain, court]",
            "closing: [complain, curt]",
            "there is no passage `curt`. Write `court` if that is meant",
            "closing: [complain, curt]",
        ),
        (
            "  disclosure.full:",
            "  disclosure.fully:",
            "no letter is called `disclosure.fully`. Write `disclosure.full` if that is meant",
            "disclosure.fully:",
        ),
        (
            "{due_on}までに書面",
            "{du_on}までに書面",
            "there is no field {du_on} here. Write `due_on` if that is meant",
            "ja: |-\n        このたび",
        ),
        (
            "お問い合わせの際は、受付番号 {receipt_no} を",
            "お問い合わせの際は、受付番号を",
            "the letter does not say {receipt_no}",
            "ja: |-\n        このたび",
        ),
        (
            "        なお、当該保有個人データは",
            "        {reasons}なお、当該保有個人データは",
            "the list {reasons} stands within words",
            "ja: |-\n        {law}{article}に基づき、{received_on}に受け付けました保有個人データの消去のご請求（受付番号 {receipt_no}）につきまして、\n        調査",
        ),
        ("このたびは、当社", "このたびは、{当社", "a brace stands alone", "ja: |-\n        このたび"),
        (
            'ja: "{name} 様"',
            'ja: "{name} {receipt_no} 様"',
            "there is no field {receipt_no} here",
            "addressee:",
        ),
        ('en: "Page {page} of {pages}"', 'en: "Page {page}"', "the text lacks {pages}", "page: {ja"),
        (
            "form: {ja: japanese, en: european}",
            "form: {ja: japanese}",
            "the form of the language `en` is missing",
            "form: {ja: japanese}",
        ),
        (
            'greeting: {en: "Dear {name},"}',
            'greeting: {fr: "Bonjour {name},"}',
            "the rulebook has no language `fr`",
            "greeting:",
        ),
    ],
)
def test_what_does_not_hold_between_the_parts_is_found_where_it_stands(
    old: str, new: str, message: str, place: str
) -> None:
    text = changed(old, new)
    found = [each for each in findings(text) if message in each]
    assert found
    assert found[0].startswith(f"book.yaml:{line_of(place, text)}: ")


def test_every_missing_kind_is_found() -> None:
    found = findings(without("  purpose-notification:", "# --- Who asks"))
    for kind in RequestKind:
        missing = f"the kind `{kind}` is missing"
        assert any(missing in each for each in found) is (kind is not RequestKind.DISCLOSURE)


def test_every_missing_letter_is_found() -> None:
    lines = APPI.split("\n")
    found = findings("\n".join(lines[: lines.index("  extension:")]))
    for key in LETTERS:
        assert any(f"the letter `{key}` is missing" in each for each in found) is (key != "receipt")


def test_a_basis_that_is_missing_is_found() -> None:
    text = without("    state-bodies:", "    entrustment:")
    assert any("the basis `state-bodies` is missing" in each for each in findings(text))


def test_a_kind_that_could_not_be_refused_is_found() -> None:
    text = without("  facts-correct:", "  no-breach:")
    found = findings(text)
    assert any("no ground lets a request of the kind `correction` be refused" in each for each in found)
    assert any("no ground lets a request of the kind `correction` be partial" in each for each in found)


def test_a_rulebook_in_which_somebody_could_not_show_who_they_are_is_refused() -> None:
    found = findings(APPI.replace("of: [subject, agent]", "of: [subject]"))
    assert ["the agent can reach 0 of 2 points" in each for each in found] == [True]
    found = findings(without("    power-of-attorney:", "# --- Why"))
    assert ["no method proves an agent's authority" in each for each in found] == [True]


@pytest.mark.parametrize("key", ["not-identified", "withdrawn"])
def test_a_letter_to_somebody_unidentified_cannot_hold_what_was_found(key: str) -> None:
    start = APPI.index(f"  {key}:\n    subject")
    at = APPI.index("    closing:", start)
    lists = "".join(f"\n\n        {{{field}}}" for field in sorted(LIST_FIELDS))
    found = findings(f"{APPI[:at].rstrip()}{lists}\n{APPI[at:]}")
    for field in LIST_FIELDS:
        assert any(f"{{{field}}} could tell somebody unidentified what is held" in each for each in found)


def test_a_law_may_know_no_extension() -> None:
    book = parse_rulebook(re.sub(r"    extension:\n(      .*\n)+", "", APPI), "book.yaml")
    assert {rule.extension for rule in book.kinds.values()} == {None}


def test_a_letter_that_does_not_say_where_to_complain_is_found() -> None:
    (found,) = findings(changed("    closing: [complain]\n", ""))
    assert "the letter does not say where to complain" in found
    assert "Add closing: [passage]" in found


def test_all_findings_come_at_once_and_a_broken_entry_hides_none_of_another() -> None:
    text = changed("closed_days: before", "closed_days: maybe")
    text = changed("answer_within: P14D", "answer_within: soon", text)
    text = changed("closing: [complain, court]", "closing: [complain, curt]", text)
    found = findings(text)
    assert len(found) == 3
    assert [int(each.split(":")[1]) for each in found] == sorted(int(each.split(":")[1]) for each in found)


def test_nothing_is_reported_missing_only_because_its_neighbour_is_broken() -> None:
    found = findings(changed("    kinds: [correction]", "    kinds: [corection]"))
    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rulebook: [",
        "- a\n- b\n",
        "rulebook: x\n",
        "a: &b c\n",
        "\tx: y\n",
        "kinds: {complaint: 3}\n",
        "letters: {receipt: {body: {en: [1]}}}\n",
    ],
)
def test_no_text_does_worse_than_findings_with_a_line_and_a_remedy(text: str) -> None:
    for finding in findings(text):
        assert re.match(r"book\.yaml:[1-9]\d*: .+\. .+\.$", finding, re.DOTALL)


def test_the_error_says_what_to_do_next() -> None:
    with pytest.raises(RulebookError) as caught:
        parse_rulebook("", "book.yaml")
    assert "policies/README.md" in caught.value.hint


def test_lines_of_a_paragraph_are_joined_as_their_script_asks() -> None:
    letter = rulebook("appi").letters["receipt"]
    assert "ありがとうございます。「{kind}」のお申出として" in letter.paragraphs["ja"][0]
    assert "personal information. We received" in letter.paragraphs["en"][0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: disclosure", "kind: closure", "`closure` is no choice here"),
        ("received: 2026-11-02", "received: 2026-02-30", "`2026-02-30` is not a date"),
        ("    answer_by: 2026-11-16\n", "", "`answer_by` is missing"),
        ("open_days:", "open:", "there is no key `open`"),
    ],
)
def test_a_file_of_cases_is_read_as_strictly(old: str, new: str, message: str) -> None:
    text = changed(old, new, text_of("appi.cases.yaml"))
    with pytest.raises(RulebookError) as caught:
        parse_cases(text, "book.cases.yaml")
    assert any(message in str(finding) for finding in caught.value.findings)
