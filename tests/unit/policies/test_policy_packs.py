"""The packs that are shipped: they load, their cases come out right, and they promise what they must."""

import json
import re
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from retention.schedule.calendar import Counting, due_on
from retention.schedule.cases import Case, parse_cases, run_cases
from retention.schedule.document import read
from retention.schedule.model import Approval, Facts, Kind, MonthRule, Period, Schedule
from retention.schedule.parse import json_schema, parse_policy

ROOT = resources.files("policies")
PACKS = {
    f"{folder}/{entry.name}": entry
    for folder in ("defaults", "packs")
    for entry in ROOT.joinpath(folder).iterdir()
    if entry.name.endswith(".yaml") and not entry.name.endswith(".cases.yaml")
}


def text_of(entry: Traversable) -> str:
    return entry.read_text(encoding="utf-8")


def schedule_of(name: str) -> Schedule:
    return parse_policy(text_of(PACKS[name]), name)


def cases_of(name: str) -> tuple[Case, ...]:
    beside = name.replace(".yaml", ".cases.yaml")
    return parse_cases(text_of(ROOT.joinpath(beside)), beside)


JAPAN = schedule_of("defaults/japan.yaml")
GERMANY = schedule_of("packs/germany.yaml")
EVERY_CASE = [
    pytest.param(name, case, id=f"{name}: {case.name}") for name in sorted(PACKS) for case in cases_of(name)
]


def test_the_packs_that_are_shipped() -> None:
    assert sorted(PACKS) == ["defaults/japan.yaml", "packs/germany.yaml"]


@pytest.mark.parametrize(("name", "case"), EVERY_CASE)
def test_every_case_beside_a_pack_comes_out_right(name: str, case: Case) -> None:
    (result,) = run_cases(JAPAN if name == "defaults/japan.yaml" else GERMANY, [case])
    assert result.actual == result.expected, "\n".join(result.reasons)


def test_every_class_of_a_pack_has_a_case() -> None:
    for name in PACKS:
        schedule = schedule_of(name)
        reached = {
            each.class_name
            for case in cases_of(name)
            for each in schedule.classify(
                Facts(case.stated.given.kind, case.stated.given.site, case.stated.given.area, "UTC"),
                case.stated.given.purposes,
            ).assigned
        }
        assert reached == set(schedule.classes)


# --- The schema -------------------------------------------------------------------------------------------


def test_the_schema_beside_the_packs_is_the_one_the_loader_uses() -> None:
    stored = json.loads(text_of(ROOT.joinpath("schema.json")))
    assert stored == json_schema(), "write it anew, as policies/README.md says"


@pytest.mark.parametrize("name", sorted(PACKS))
def test_a_pack_fits_the_schema_and_names_it_for_editors(name: str) -> None:
    text = text_of(PACKS[name])
    jsonschema.validate(read(text, name).value, json_schema(), cls=jsonschema.Draft202012Validator)
    assert text.startswith("# yaml-language-server: $schema=../schema.json\n")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("classes", "cctv.general", "keep"), "P1M15D"),
        (("classes", "cctv.general", "keep"), "30 days"),
        (("classes", "cctv.general", "from"), "recording-end"),
        (("classes", "cctv.general", "applies_to"), {"area": "cash-desk"}),
        (("classes", "cctv.general", "extra"), "x"),
        (("controller", "phone"), "call us"),
        (("languages",), []),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(path: tuple[str, ...], wrong: Any) -> None:
    value = read(text_of(PACKS["defaults/japan.yaml"]), "japan.yaml").value
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json_schema(), cls=jsonschema.Draft202012Validator)


# --- The Japanese pack, clause by clause --------------------------------------------------------------------


def test_the_purposes_are_those_of_the_published_policy() -> None:
    clauses = {name: purpose.clause["en"] for name, purpose in JAPAN.purposes.items()}
    assert "improve service level in call center operations" in clauses["service-quality"]
    assert "security cameras in our facilities for crime prevention" in clauses["crime-prevention"]
    assert "responding to customer inquiries" in clauses["customer-inquiry"]
    assert {"dispute", "statutory"} <= clauses.keys()


@pytest.mark.parametrize("area", ["", "cash-desk", "contract-line", "lobby"])
def test_every_purpose_has_a_class_in_every_area_for_the_kinds_it_is_stated_for(area: str) -> None:
    own_floor = {rule.purpose for rule in JAPAN.classes.values() if rule.is_floor}
    for kind, purpose in product(Kind, JAPAN.purposes.values()):
        if kind in purpose.kinds and purpose.name not in own_floor:
            found = JAPAN.classify(Facts(kind, "anywhere", area, "Asia/Tokyo"), [purpose.name])
            assert found.unclassified == ()


@pytest.mark.parametrize(
    ("class_name", "period", "trigger", "approval"),
    [
        ("calls.service-quality", "P6M", "recording-ended", Approval.ROUTINE),
        ("calls.customer-inquiry", "P1Y", "recording-ended", Approval.ROUTINE),
        ("cctv.general", "P30D", "recording-ended", Approval.ROUTINE),
        ("cctv.cash-desk", "P90D", "recording-ended", Approval.ROUTINE),
        ("calls.dispute", "P3Y", "case-closed", Approval.EACH_RUN),
        ("cctv.dispute", "P3Y", "case-closed", Approval.EACH_RUN),
        ("calls.statutory", "P7Y", "recording-ended", Approval.EACH_RUN),
        ("cctv.statutory", "P7Y", "recording-ended", Approval.EACH_RUN),
        ("calls.contract-line", "P11Y", "recording-ended", Approval.EACH_RUN),
    ],
)
def test_how_long_the_japanese_pack_keeps(
    class_name: str, period: str, trigger: str, approval: Approval
) -> None:
    rule = JAPAN.classes[class_name]
    assert (rule.period, rule.trigger, rule.approval) == (Period.parse(period), trigger, approval)
    assert rule.month_rule is MonthRule.CIVIL_CODE
    assert not rule.count_first_day


@pytest.mark.parametrize("kind", Kind)
def test_ordinary_recordings_have_no_floor(kind: Kind) -> None:
    for area in ("", "cash-desk", "lobby"):
        assert JAPAN.classify(Facts(kind, "anywhere", area, "Asia/Tokyo"), []).assigned == ()


def test_recordings_may_not_serve_marketing_advertising_or_the_judging_of_people() -> None:
    assert {"marketing", "advertising", "hr-evaluation", "recruitment", "face-recognition"} <= set(
        JAPAN.forbidden_purposes
    )


def test_whoever_refuses_is_not_recorded() -> None:
    assert JAPAN.do_not_record.tags == {"do-not-record", "opt-out"}


# --- What holds for every pack ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PACKS))
def test_people_are_told_of_every_purpose_in_every_language_and_of_every_period(name: str) -> None:
    schedule = schedule_of(name)
    told = {class_name for notice in schedule.notices.values() for class_name in notice.states}
    assert told == set(schedule.classes)
    for purpose in schedule.purposes.values():
        assert set(schedule.notices[purpose.notice].text) == set(purpose.title) == set(schedule.languages)


@pytest.mark.parametrize("name", sorted(PACKS))
def test_the_company_is_invented(name: str) -> None:
    schedule = schedule_of(name)
    assert schedule.controller.email.endswith(".example")
    assert set(schedule.controller.phone[-6:]) == {"0"} or schedule.controller.phone.endswith("0000-0000")


def test_german_footage_never_becomes_older_than_three_days_of_the_calendar() -> None:
    rule = GERMANY.classes["video.premises"]
    assert (rule.period, rule.count_first_day) == (Period(days=3), True)
    assert rule.month_rule is MonthRule.EU_1182_71
    assert "EDPB" in rule.basis


# --- What is written about policies ---------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_readme_s_way_to_write_the_schemas_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("jurisdictions", "notices"):
        (tmp_path / "policies" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    exec(program, {})
    for file in ("schema.json", "jurisdictions/schema.json", "notices/schema.json"):
        written = (tmp_path / "policies" / file).read_text(encoding="utf-8")
        assert written == text_of(ROOT.joinpath(file))


def test_the_readme_s_case_is_one_of_the_pack_s() -> None:
    example = next(block for block in blocks("yaml") if block.startswith("- case:"))
    (case,) = parse_cases(example, "README.md")
    assert case.stated in [each.stated for each in cases_of("defaults/japan.yaml")]


def test_the_readme_s_class_is_the_pack_s() -> None:
    example = next(block for block in blocks("yaml") if block.startswith("cctv."))
    shown = read(example, "README.md").value["cctv.cash-desk"]
    real = read(text_of(PACKS["defaults/japan.yaml"]), "japan.yaml").value["classes"]["cctv.cash-desk"]
    assert shown | {"basis": "", "source": ""} == real | {"basis": "", "source": ""}


def test_the_readme_names_every_section_of_a_policy() -> None:
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    about_itself = {"policy", "title", "jurisdiction", "languages", "reviewed_on"}
    assert [key for key in set(json_schema()["properties"]) - about_itself if f"`{key}`" not in text] == []


TIME = (Path(__file__).parents[3] / "docs" / "time.md").read_text(encoding="utf-8")


def test_the_table_of_month_rules_in_the_page_about_time_is_true() -> None:
    rows = re.findall(r"\| (\d{4}-\S+) \| (P\w+) \| \**(\d{4}-[\d-]+)\** \| \**(\d{4}-[\d-]+)\** \|", TIME)
    assert len(rows) == 6
    for trigger_on, period, japan, eu in rows:
        for rule, expected in ((MonthRule.CIVIL_CODE, japan), (MonthRule.EU_1182_71, eu)):
            counting = Counting(Period.parse(period), rule, count_first_day=False)
            assert due_on(date.fromisoformat(trigger_on), counting) == date.fromisoformat(expected)
