"""No text whatever makes the parser fail in another way than by saying what is wrong, and where."""

from importlib import resources

from hypothesis import example, given, settings
from hypothesis import strategies as st

from retention.schedule.cases import parse_cases, run_cases
from retention.schedule.parse import PolicyError, parse_policy

FOLDER = resources.files("policies").joinpath("defaults")
PACK = FOLDER.joinpath("japan.yaml").read_text(encoding="utf-8")
CASES = FOLDER.joinpath("japan.cases.yaml").read_text(encoding="utf-8")
JAPAN = parse_policy(PACK, "japan.yaml")

FRAGMENTS = [
    *(
        "",
        " ",
        "\n",
        "\t",
        ":",
        "-",
        "#",
        "'",
        '"',
        "|",
        ">",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "!!int ",
        "? ",
        "<<: ",
        "%",
    ),
    *(
        "---\n",
        "...",
        "null",
        "true",
        "no",
        "0",
        "P0D",
        "P-1D",
        "PT5H",
        "P100Y",
        "P1M1D",
        "2026-02-30",
        "99:99",
        "~",
    ),
    *(
        "\x00",
        "\ufeff",
        "\u2028",
        "\x85",
        "\\U99999999",
        "あ",
        "footage",
        "marketing",
        "case-closed",
        "{not: [a]}",
    ),
]
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(FRAGMENTS) | st.text(max_size=12)),
    min_size=1,
    max_size=3,
)


def mutated(text: str, changes: list[tuple[float, int, str]]) -> str:
    for place, removed, inserted in changes:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + removed :]
    return text


def must_be_well_said(error: PolicyError, text: str) -> None:
    lines = 1 + sum(text.count(end) for end in "\n\r\x85\u2028\u2029")
    assert error.findings
    for found in error.findings:
        assert found.file == "p.yaml"
        assert 1 <= found.line <= lines
        assert found.message
        assert found.remedy


@settings(max_examples=400, deadline=None)
@given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
@example("? " * 500)
@example("- " * 500)
@example("{" * 5000)
@example('"\\U00110000"')
@example("%YAML 1.1\n%YAML 1.1\n---\n")
@example("%TAG ! tag:\n--- !x\n")
@example("? {a: b}\n: c\n")
@example("a: 1\r\rb: [")
def test_any_text_is_read_or_refused_with_findings(text: str) -> None:
    for parse in (parse_policy, parse_cases):
        try:
            parse(text, "p.yaml")
        except PolicyError as error:
            must_be_well_said(error, text)


@settings(max_examples=60, deadline=None)
@given(edits)
def test_any_edit_of_a_pack_is_read_or_refused_with_findings(changes: list[tuple[float, int, str]]) -> None:
    text = mutated(PACK, changes)
    try:
        schedule = parse_policy(text, "p.yaml")
    except PolicyError as error:
        must_be_well_said(error, text)
    else:
        assert set(schedule.classes) >= {"calls.service-quality"} or "calls.service-quality" not in text


@settings(max_examples=60, deadline=None)
@given(edits)
def test_any_edit_of_the_cases_is_run_or_refused_with_findings(changes: list[tuple[float, int, str]]) -> None:
    text = mutated(CASES, changes)
    try:
        run_cases(JAPAN, parse_cases(text, "p.yaml"))
    except PolicyError as error:
        must_be_well_said(error, text)


JSON = st.recursive(
    st.sampled_from(["call", "footage", "P6M", "x", "", "true", "2026-01-01", "recording-ended"])
    | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "area", "not", "purpose", "keep", "from", "ja", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(
            ["classes", "floors", "ceilings", "purposes", "notices", "languages", "counting", "controller"]
        ),
        JSON,
    )
)
def test_any_shape_in_any_section_is_refused_with_findings(sections: dict[str, object]) -> None:
    text = "".join(f"{name}: {_flow(value)}\n" for name, value in sections.items()) or "{}"
    try:
        parse_policy(text, "p.yaml")
    except PolicyError as error:
        must_be_well_said(error, text)
    else:
        raise AssertionError("this is no policy")


def _flow(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(inner) for inner in value) + "]"
        case bool():
            return str(value).lower()
        case _:
            return f'"{value}"'
