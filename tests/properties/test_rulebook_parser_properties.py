"""However a rulebook's text is damaged, it is read or it is told what is wrong, line by line."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.requests.rules.parse import Finding, RulebookError, parse_rulebook
from tests.builders.rulebooks import text_of

LINES = text_of("appi.yaml").split("\n")

damage = st.tuples(
    st.integers(0, len(LINES) - 1),
    st.one_of(
        st.just(None),
        st.text(max_size=12),
        st.sampled_from(
            [
                "",
                "  - x",
                "kinds: 3",
                "letters: []",
                "  : ",
                "      of: {}",
                "{{}}",
                "frame:",
                "  x: {y: [z]}",
            ]
        ),
    ),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(damage, min_size=1, max_size=3))
def test_damaged_text_is_read_or_refused_with_lines_and_remedies(
    changes: list[tuple[int, str | None]],
) -> None:
    lines: list[str | None] = list(LINES)
    for number, line in changes:
        lines[number] = line
    text = "\n".join(line for line in lines if line is not None)
    findings: tuple[Finding, ...] = ()
    try:
        parse_rulebook(text, "book.yaml")
    except RulebookError as error:
        findings = error.findings or (Finding("", 0, "", ""),)
    for finding in findings:
        assert 1 <= finding.line <= text.count("\n") + 1
        assert finding.remedy
