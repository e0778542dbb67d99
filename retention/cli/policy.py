"""retention policy: check a policy's text, try its cases, see the form it must have and the packs there are."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.amendment.packs import CASES, Pack, packs, read_text
from retention.cli.shared import EPILOG, amount, home, is_json, say, show, styled, table
from retention.founding import POLICY_FILE
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule.cases import Case, CaseResult, parse_cases, run_cases
from retention.schedule.parse import Finding, PolicyError, json_schema, parse_policy

app = typer.Typer(help="Policies as text: check them, try their cases.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class _Text:
    """A policy, and the cases beside it; "" where there are none."""

    text: str
    file_name: str
    cases: str
    cases_file_name: str


@app.command(epilog=EPILOG)
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A policy, or a pack's name; what the store has by default.")
    ] = "",
) -> None:
    """Read a policy, and its cases, and say everything that is wrong: file, line, remedy.

    Without FILE: the store's policy.yaml, or every pack that ships with us.
    """
    answers: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for found in _texts(file):
        wrong = _findings(found)
        findings += wrong
        answers.append(
            {
                "file": found.file_name,
                "ok": not wrong,
                "findings": [
                    {"file": each.file, "line": each.line, "message": each.message, "remedy": each.remedy}
                    for each in wrong
                ],
            }
        )
    lines = [str(finding) for finding in findings]
    lines += [f"{answer['file']}: ok" for answer in answers if answer["ok"]]
    show({"ok": not findings, "files": answers}, lines)
    if findings:
        raise InvalidInput(amount(len(findings), "finding"), hint="Correct the text, then check again.")


def _findings(found: _Text) -> list[Finding]:
    wrong: list[Finding] = []
    for read, text, name in (
        (parse_policy, found.text, found.file_name),
        (parse_cases, found.cases, found.cases_file_name),
    ):
        try:
            if text:
                read(text, name)
        except PolicyError as error:
            wrong += error.findings
    return wrong


@app.command("try", epilog=EPILOG)
def try_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A policy, or a pack's name; what the store has by default.")
    ] = "",
    cases: Annotated[
        Path | None, typer.Option(help="The cases; by default the file beside the policy, NAME.cases.yaml.")
    ] = None,
) -> None:
    """Run the cases of a policy: recordings, and what must happen to them.

    Without FILE: the store's policy.yaml if it has cases beside it, or every pack that ships
    with us.
    """
    results: list[tuple[Case, CaseResult]] = []
    for found in _texts(file, with_cases=cases is None):
        text, name = (read_text(cases), str(cases)) if cases else (found.cases, found.cases_file_name)
        if not text:
            raise NotFound(
                f"there are no cases beside {found.file_name}",
                hint="Write some, or name a file with --cases.",
            )
        parsed = parse_cases(text, name)
        results += zip(parsed, run_cases(parse_policy(found.text, found.file_name), parsed), strict=True)
    failed = sum(not result.passed for _, result in results)
    show(
        {
            "ok": not failed,
            "passed": len(results) - failed,
            "failed": failed,
            "cases": [_case_json(case, result) for case, result in results],
        },
        [
            table("", ["", "case", "given", "expected", "came out"], [_row(*each) for each in results]),
            *_reasons(result for _, result in results),
            f"{len(results) - failed} cases came out as expected, {failed} did not.",
        ],
    )
    if failed:
        raise InvalidInput(
            f"{failed} of {len(results)} cases did not come out as expected",
            hint="Correct the policy, or the case.",
        )


def _row(case: Case, result: CaseResult) -> tuple[Any, ...]:
    mark = styled("ok", "green") if result.passed else styled("NO", "red")
    came_out = "" if result.passed else _told(result.actual)
    return mark, case.name, _given(case), _told(result.expected), came_out


def _reasons(results: Iterable[CaseResult]) -> Iterator[str]:
    for result in results:
        if not result.passed:
            yield f"{result.file}:{result.line}: {'; '.join(result.reasons)}"


def _told(values: Any) -> str:
    return ", ".join(
        f"{key} {value if isinstance(value, str) else ' and '.join(value) or 'none'}"
        for key, value in values.items()
    )


def _given(case: Case) -> str:
    given = case.stated.given.model_dump(mode="json", exclude_defaults=True)
    words = [f"{key} {_plain(value)}" for key, value in given.items() if value]
    return ", ".join([*words, f"asked at {case.stated.at.isoformat()}"])


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " and ".join(f"{key} on {day}" for key, day in value.items())
    return " and ".join(value) if isinstance(value, list) else str(value)


def _case_json(case: Case, result: CaseResult) -> dict[str, Any]:
    return {
        "file": result.file,
        "line": result.line,
        "case": result.name,
        "given": case.stated.given.model_dump(mode="json", exclude_defaults=True),
        "at": case.stated.at.isoformat(),
        "passed": result.passed,
        "expected": dict(result.expected),
        "actual": dict(result.actual),
        "reasons": list(result.reasons),
    }


@app.command(epilog=EPILOG)
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    sys.stdout.write(json.dumps(json_schema(), indent=None if is_json() else 2, ensure_ascii=False) + "\n")


@app.command("packs", epilog=EPILOG)
def packs_() -> None:
    """List the policies that ship with us: `retention init --pack NAME` starts from one."""
    rows: list[dict[str, Any]] = []
    for pack in packs():
        schedule = parse_policy(pack.text, pack.file_name)
        rows.append(
            {
                "pack": pack.name,
                "title": dict(schedule.title),
                "jurisdiction": schedule.jurisdiction,
                "languages": list(schedule.languages),
                "classes": len(schedule.classes),
                "file": pack.file_name,
                "reviewed_on": schedule.reviewed_on,
            }
        )
    cells = [
        (r["pack"], r["jurisdiction"], r["title"].get("en", ""), r["classes"], r["file"], r["reviewed_on"])
        for r in rows
    ]
    show(rows, table("", ["pack", "law", "title", ">classes", "file", "reviewed"], cells))


def _texts(named: str, *, with_cases: bool = False) -> list[_Text]:
    """The policy that is named; else the store's (if it has cases, where these are needed); else every pack."""
    if named:
        return [_named(named)]
    own = home() / POLICY_FILE
    if own.exists():
        found = _file(own)
        if found.cases or not with_cases:
            return [found]
        say(f"There are no cases beside {own}; these are the packs that ship with us.")
    return [_pack(pack) for pack in packs()]


def _named(name: str) -> _Text:
    for pack in packs():
        if pack.name == name:
            return _pack(pack)
    return _file(Path(name))


def _pack(pack: Pack) -> _Text:
    return _Text(pack.text, pack.file_name, pack.cases, pack.cases_file_name)


def _file(path: Path) -> _Text:
    beside = path.with_name(path.name.removesuffix(".yaml") + CASES)
    cases, text = read_text(beside) if beside.exists() else "", read_text(path)
    if text.startswith("rulebook:") or "\nrulebook:" in text:
        raise InvalidInput(
            f"{path} is a rulebook and no policy",
            hint=f"Check it with `retention request rules --check {path}`.",
        )
    return _Text(text, str(path), cases, str(beside))
