"""A policy's text is read, or everything that is wrong with it is said by line, with a remedy."""

import hashlib
from datetime import date, time, timedelta
from importlib import resources
from typing import NamedTuple

import pytest

from retention.kernel.errors import InvalidInput
from retention.schedule.model import (
    AcquisitionBasis,
    Approval,
    Kind,
    MonthRule,
    NoticeForm,
    Period,
    Schedule,
    Weekday,
)
from retention.schedule.parse import Finding, PolicyError, parse_policy

JAPAN = resources.files("policies").joinpath("defaults", "japan.yaml").read_text(encoding="utf-8")


def changed(*edits: tuple[str, str]) -> str:
    text = JAPAN
    for old, new in edits:
        assert text.count(old) >= 1, f"the pack does not say {old!r}"
        text = text.replace(old, new, 1)
    return text


def findings_in(text: str) -> tuple[Finding, ...]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, "policy.yaml")
    return refused.value.findings


def line_of(text: str, marker: str) -> int:
    return text[: text.index(marker)].count("\n") + 1


@pytest.fixture(scope="module")
def japan() -> Schedule:
    return parse_policy(JAPAN, "japan.yaml")


# --- What is read ------------------------------------------------------------------------------------


def test_a_class_carries_everything_that_the_text_says_about_it(japan: Schedule) -> None:
    rule = japan.classes["cctv.cash-desk"]
    assert rule.purpose == "crime-prevention"
    assert rule.selector.kinds == {Kind.FOOTAGE}  # the purpose's kinds, as it names none
    assert rule.period == Period(days=90)
    assert rule.trigger == "recording-ended"
    assert rule.month_rule is MonthRule.CIVIL_CODE
    assert rule.approval is Approval.ROUTINE
    assert (rule.count_first_day, rule.is_floor, rule.has_open_trigger) == (False, False, False)
    assert rule.reviewed_on == date(2026, 11, 2)
    assert "Art. 22" in rule.basis


def test_the_rest_of_the_text_is_read_as_it_stands(japan: Schedule) -> None:
    assert japan.name == "japan-call-centre-and-cameras"
    assert (japan.jurisdiction, japan.languages) == ("JP", ("ja", "en"))
    assert japan.controller.zone == "Asia/Tokyo"
    assert japan.controller.hours["en"].startswith("Monday to Friday, 10:00 a.m. to 7:00 p.m.")
    assert japan.calendar.open_days[0] is Weekday.MONDAY
    assert (japan.calendar.opens, japan.calendar.closes) == (time(10), time(19))
    assert (japan.calendar.closures[0].starts, japan.calendar.closures[0].ends) == ((12, 29), (1, 3))
    assert japan.purposes["crime-prevention"].acquisition is AcquisitionBasis.OBVIOUS
    assert japan.notices["camera-sign"].form is NoticeForm.SIGN
    assert japan.notices["camera-sign"].states["cctv.general"] == Period(days=30)
    assert japan.ceilings["cctv.maximum"].unless == {"dispute", "statutory"}
    assert japan.do_not_record.tags == {"do-not-record", "opt-out"}
    assert japan.changes.cool_off == timedelta(hours=72)
    assert "hr-evaluation" in japan.forbidden_purposes


def test_the_digest_is_that_of_the_text(japan: Schedule) -> None:
    assert japan.digest == hashlib.sha256(JAPAN.encode()).hexdigest()
    assert parse_policy(JAPAN + "\n# a word\n", "japan.yaml").digest != japan.digest


def test_the_order_of_sections_and_entries_does_not_matter(japan: Schedule) -> None:
    head, classes = JAPAN.split("\nclasses:\n")
    body, rest = classes.split("\n# Kept at least this long")
    entries = ["  calls." + entry for entry in body.split("  calls.") if entry.strip()]
    turned = head + "\nclasses:\n" + "".join(reversed(entries)) + "\n# Kept at least this long" + rest
    again = parse_policy(turned, "japan.yaml")
    assert list(again.classes) != list(japan.classes)
    assert again.classes == japan.classes


def test_yaml_s_guesses_do_not_change_what_is_written() -> None:
    text = changed(("tags: [do-not-record, opt-out]", "tags: [no, 0x10, 1_000, 12:30]"))
    assert parse_policy(text, "japan.yaml").do_not_record.tags == {"no", "0x10", "1_000", "12:30"}


def test_a_source_without_an_area_is_written_as_an_empty_word() -> None:
    text = changed(
        ("area: {not: [cash-desk]}", 'area: [""]'),
        ("area: [cash-desk]", 'area: {not: [""]}'),
    )
    rules = parse_policy(text, "japan.yaml").classes
    assert rules["cctv.general"].selector.areas.match("")
    assert not rules["cctv.cash-desk"].selector.areas.match("")


# --- What is refused -----------------------------------------------------------------------------------


def test_a_refused_policy_is_invalid_input_that_reads_like_a_compiler_s_list() -> None:
    text = changed(("keep: P6M", "keep: P0D"))
    with pytest.raises(InvalidInput) as refused:
        parse_policy(text, "policy.yaml")
    assert refused.value.message.startswith(
        f"policy.yaml:{line_of(text, 'keep: P0D')}: 'P0D' is not a calendar period. "
    )
    assert "retention policy check" in refused.value.hint


class Wrong(NamedTuple):
    """An edit of the Japanese pack, the text up to the line it is found on, and what is said about it."""

    old: str
    new: str
    upto: str
    message: str
    remedy: str


KEYS_AND_FORMS = [
    Wrong("    keep: P6M", "    kept: P6M", "kept: P6M", "there is no key `kept`", "Write `keep`"),
    Wrong("    keep: P6M\n", "", "\n  calls.service-quality:", "`keep` is missing", "Add it"),
    Wrong("approval: routine", "approval: always", "approval: always", "`always` is no choice", "'routine'"),
    Wrong("first_day: false", "first_day: no", "first_day: no", "a yes or no", "true or false"),
    Wrong("kinds: [call]", "kinds: call", "kinds: call", "a list is needed", "Write [one, two]"),
    Wrong("kinds: [call]", "kinds: []", "kinds: []", "at least one", "Add one"),
    Wrong("  cool_off: PT72H", "  cool_off:", "cool_off:", "`cool_off` has no value", "remove the line"),
    Wrong("cool_off: PT72H", "cool_off: 72", "cool_off: 72", "`72` is not a number of hours", "PT72H"),
    Wrong("area: [cash-desk]", "area: cash-desk", "area: cash-desk", "neither a list nor", "{not:"),
    Wrong("area: [cash-desk]", "area: {nor: [a]}", "area: {nor", "there is no key `nor`", "Write `not`"),
    Wrong("on: 2026-11-02", "on: 2026-02-30", "2026-02-30", "is not a date", "year-month-day"),
    Wrong("on: 2026-11-02", "on: 20261102", "20261102", "is not a date", "year-month-day"),
    Wrong("opens: 10:00", "opens: 25:00", "25:00", "is not a time of day", "10:00"),
    Wrong("from: 12-29", "from: 02-31", "02-31", "is not a day of the year", "12-29"),
    Wrong("jurisdiction: JP", "jurisdiction: Japan", "n: Japan", "not a country code", "two capital"),
    Wrong(
        "\n  calls.service-quality:", "\n  Calls QA:", "Calls QA", "`Calls QA` is not a name", "small letters"
    ),
    Wrong("email: privacy@call-centre.example", "email: us", "email: us", "not an e-mail", "name@"),
    Wrong(
        "      ja: 防犯\n", "", "[footage]\n    title:", "in en, but the policy is in en, ja", "each language"
    ),
]

PERIODS_AND_ZONES = [
    Wrong("zone: Asia/Tokyo", "zone: Asia/Tokio", "Asia/Tokio", "`Asia/Tokio` is not a time zone", "IANA"),
    Wrong("zone: Asia/Tokyo", "zone: ../etc/passwd", "etc/passwd", "is not a time zone", "IANA"),
    Wrong("keep: P6M", "keep: P0D", "keep: P0D", "'P0D' is not a calendar period", "P30D"),
    Wrong("keep: P6M", "keep: P-1D", "keep: P-1D", "'P-1D' is not a calendar period", "P30D"),
    Wrong("keep: P6M", "keep: PT5H", "keep: PT5H", "'PT5H' is not a calendar period", "P30D"),
    Wrong("keep: P6M", "keep: P101Y", "keep: P101Y", "longer than a hundred years", "100 years"),
    Wrong("keep: P6M", "keep: P1M15D", "keep: P1M15D", "mixes months, weeks and days", "P30D"),
    Wrong("keep: P6M", "keep: six months", "keep: six", "not a calendar period", "P30D"),
    Wrong(
        "from: recording-ended",
        "from: recording-end",
        "keep: P6M\n    from: recording-end",
        "not a trigger",
        "recording-ended",
    ),
]

NAMES = [
    Wrong("purpose: dispute", "purpose: disputes", "e: disputes", "no purpose `disputes`", "Write `dispute`"),
    Wrong("unless: [dispute,", "unless: [strike,", "unless: [strike", "no purpose `strike`", "Add it"),
    Wrong("notice: camera-sign", "notice: camera-sing", "e: camera-sing", "no notice", "Write `camera-sign`"),
    Wrong("cctv.cash-desk: P90D", "cctv.cash: P90D", "cctv.cash:", "no class `cctv.cash`", "Write `cctv"),
    Wrong(
        "purpose: service-quality", "purpose: marketing", "e: marketing", "is forbidden", "Remove the class"
    ),
    Wrong(
        "  customer-inquiry:\n", "  advertising:\n", "  advertising:", "is forbidden", "Remove the purpose"
    ),
]

BETWEEN_PARTS = [
    Wrong("area: [cash-desk]", "area: [lobby]", "  cctv.cash-desk:\n    purpose: crime-prevention\n    applies_to:",
          "cctv.general and cctv.cash-desk can both match", "Narrow"),
    Wrong("area: [cash-desk]", "kind: call", "  cctv.cash-desk:\n    purpose: crime-prevention\n    applies_to:",
          "stated for footage only", "kind: footage"),
    Wrong("purpose: contract-record", "purpose: statutory", "floors:\n  calls.contract-line:",
          "calls.statutory and calls.contract-line can both match", "a purpose of its own"),
    Wrong("\n  calls.contract-line:\n", "\n  calls.statutory:\n", "floors:\n  calls.statutory:",
          "also the name of a class", "another name"),
    Wrong("{not: [cash-desk]}", "[lobby]", "\n  crime-prevention:", "has no class for footage without an area", "Add"),
    Wrong("keep: P30D", "keep: P14D", "cctv.general: P30D", "P30D, but cctv.general keeps P14D", "version"),
    Wrong("keep: P30D", "keep: P366D", "keep: P366D", "class above ceiling", "unless"),
    Wrong("keep: P2Y", "keep: P6M", "keep: P1Y", "class above ceiling: calls.customer-inquiry", "Shorten the class"),
    Wrong("statutory, contract-record]", "statutory]", "keep: P11Y", "floor above ceiling", "Shorten the floor"),
]  # fmt: skip

HIDDEN_MEANINGS = [
    Wrong(
        "    keep: P6M", "    keep: P6M\n    keep: P1D", "keep: P1D", "`keep` is written twice", "Keep one"
    ),
    Wrong("purpose: dispute", "purpose: &d dispute", "&d", "an anchor", "Write the value out"),
    Wrong("purpose: dispute", "purpose: *d", "*d", "an alias", "Write the value out"),
    Wrong("purpose: dispute", "purpose: !!str dispute", "!!str", "a tag", "without it"),
    Wrong("    purpose: dispute", "\tpurpose: dispute", "\tpurpose", "holds a tab", "Use spaces"),
    Wrong("purpose: dispute", "purpose: a: b", "purpose: a: b", "mapping values are not allowed", "colons"),
    Wrong("purpose: dispute", "purpose: dis\x00pute", "dis\x00", "cannot stand in it", "Remove it"),
    Wrong("    purpose: dispute", "    ? [a]\n    : b", "? [a]", "a key must be a word", "key: value"),
    Wrong("changes:\n", "<<: {}\nchanges:\n", "\n<<", "there is no key `<<`", "Remove it"),
]


@pytest.mark.parametrize(
    "wrong",
    [*KEYS_AND_FORMS, *PERIODS_AND_ZONES, *NAMES, *BETWEEN_PARTS, *HIDDEN_MEANINGS],
    ids=lambda wrong: wrong.new,
)
def test_what_is_wrong_is_said_with_its_line_and_remedy(wrong: Wrong) -> None:
    text = changed((wrong.old, wrong.new))
    line = text[: text.index(wrong.upto) + len(wrong.upto)].count("\n") + 1
    findings = findings_in(text)
    assert any(
        found.line == line and wrong.message in found.message and wrong.remedy in found.remedy
        for found in findings
    ), f"line {line}: {wrong.message}\n" + "\n".join(map(str, findings))


def test_all_findings_come_at_once_in_the_order_of_their_lines() -> None:
    text = changed(
        ("zone: Asia/Tokyo", "zone: Mars/Base"),
        ("keep: P6M", "kept: P6M"),
        ("purpose: dispute", "purpose: strike"),
        ("keep: P90D", "keep: P400D"),
        ("cool_off: PT72H", "cool_off: soon"),
        ("approval: routine", "approval: routine\n    approval: each-run"),
        ("email: privacy@call-centre.example", "email:"),
    )
    findings = findings_in(text)
    said = [finding.message for finding in findings]
    for message in (
        "`Mars/Base` is not a time zone",
        "there is no key `kept`",
        "`keep` is missing",
        "there is no purpose `strike`",
        "class above ceiling: cctv.cash-desk keeps P400D, cctv.maximum allows P1Y",
        "`soon` is not a number of hours",
        f"`approval` is written twice, first on line {line_of(text, 'approval: routine')}",
        "`email` has no value",
        "the notice tells people P90D, but cctv.cash-desk keeps P400D",
    ):
        assert message in said
    assert len(findings) == 9
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


def test_a_broken_entry_is_not_also_missed() -> None:
    text = changed(("  crime-prevention:\n    kinds: [footage]", "  crime-prevention:\n    kind: [footage]"))
    assert {finding.message for finding in findings_in(text)} == {
        "there is no key `kind`",
        "`kinds` is missing",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is empty"),
        ("# only a remark\n", "the text is empty"),
        ("just words", "keys and values are needed"),
        ("- a\n- b\n", "keys and values are needed"),
        ("a: b\n---\nc: d\n", "another document"),
        ("classes: [a]\npurposes: 1\n", "keys and values are needed"),
        ("[" * 100_000, "levels"),
        ("a: " * 30, "mapping values are not allowed"),
        ('"\\UFFFFFFFF"', "not YAML"),
        ("%YAML " + "9" * 5000 + ".1\n---\na: b", ""),
        ("a: [b\n", ""),
        ("x" * 300_000, "more than 262,144 characters"),
        ("\ufeff", "the text is empty"),
    ],
)
def test_text_that_is_no_policy_at_all_is_refused_in_the_same_way(text: str, message: str) -> None:
    findings = findings_in(text)
    assert any(message in finding.message for finding in findings), "\n".join(map(str, findings))
    assert all(finding.line >= 1 and finding.remedy for finding in findings)


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{next_}: &{next_} [{', '.join([f'*{last}'] * 9)}]\n"
        for last, next_ in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert "an anchor" in findings_in(bomb)[0].message


def test_an_overlap_by_site_is_seen_and_a_division_by_site_is_not_one() -> None:
    by_site = "    applies_to:\n      site: {not: [osaka]}\n      area: {not: [cash-desk]}\n"
    osaka = (
        "  cctv.osaka:\n    purpose: crime-prevention\n    applies_to:\n      site: [osaka]\n"
        "      area: {not: [cash-desk]}\n    keep: P14D\n    from: recording-ended\n    approval: routine\n"
        "    basis: b\n    source: s\n    reviewed_on: 2026-11-02\n"
    )
    narrow = ("    applies_to:\n      area: {not: [cash-desk]}\n", by_site)
    schedule = parse_policy(
        changed(narrow, ("  cctv.cash-desk:\n    purpose", osaka + "  cctv.cash-desk:\n    purpose")), "p"
    )
    assert schedule.classes["cctv.osaka"].period == Period(days=14)
    only_osaka_missing = findings_in(changed(narrow))
    assert "has no class for footage at the site `osaka`" in only_osaka_missing[0].message
    both = findings_in(changed(("  cctv.cash-desk:\n    purpose", osaka + "  cctv.cash-desk:\n    purpose")))
    assert "cctv.general and cctv.osaka can both match" in both[0].message


def test_counted_from_an_event_a_class_may_outlast_a_ceiling_for_that_is_reported_when_it_happens() -> None:
    text = changed(("    unless: [dispute, statutory]", "    unless: [statutory]"))
    assert parse_policy(text, "japan.yaml").ceilings["cctv.maximum"].unless == {"statutory"}


def test_a_class_under_a_ceiling_is_compared_as_it_is_counted() -> None:
    text = changed(
        (
            "    keep: P1Y\n    unless: [dispute, statutory]",
            "    keep: P90D\n    unless: [dispute, statutory]",
        ),
    )
    parse_policy(text, "japan.yaml")
    counted = text.replace(
        "    keep: P90D\n    unless", "    keep: P90D\n    count_first_day: true\n    unless"
    )
    assert "class above ceiling: cctv.cash-desk keeps P90D" in findings_in(counted)[0].message
