"""retention request rules: the rulebook in force, another one, and whether a text can be one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from retention.cli.shared import amount, named_actor, show, store, styled, table
from retention.kernel.errors import InvalidInput
from retention.requests.packs import cases_beside, read_text
from retention.requests.rulebooks import Rules, read_rulebook
from retention.requests.rulebooks import put_in_force as put_rules_in_force
from retention.requests.rules.cases import CaseResult, parse_cases, run_case


def rules_(
    file_given: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A rulebook to put in force.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only read FILE and try the cases beside it; needs no store.")
    ] = False,
) -> None:
    """Show the rulebook in force, or put another one in force; requests on file keep theirs."""
    if check:
        _check(file_given)
        return
    who = named_actor()
    with store() as opened:
        if file_given is not None:
            put_rules_in_force(opened.database, *read_text(file_given), opened.clock.now(), who)
        rules = opened.rules()
    show(_rules_json(rules), _rules_lines(rules))


def _check(file: Path | None) -> None:
    if file is None:
        raise InvalidInput("this does not say which rulebook to check", hint="Name its FILE.")
    book = read_rulebook(*read_text(file))
    cases = cases_beside(file)
    results = [run_case(book, case) for case in parse_cases(*cases)] if cases else []
    failed = [each for each in results if not each.passed]
    show(
        {
            "ok": not failed,
            "file": str(file),
            "cases": len(results),
            "failed": [_case_json(each) for each in failed],
        },
        [
            f"{file}: it can be used; {len(results) - len(failed)} of {amount(len(results), 'case')} beside it came out as expected",
            *(
                f"{_place(each)}: {each.case.name}: expected {_days(each.expected)}, came out {_days(each.actual)}"
                for each in failed
            ),
        ],
    )
    if failed:
        raise InvalidInput(
            f"{len(failed)} of {len(results)} cases did not come out as expected",
            hint="Correct the rulebook, or the case.",
        )


def _place(result: CaseResult) -> str:
    return f"{result.case.file}:{result.case.line}"


def _days(found: Any) -> str:
    return ", ".join(f"{name} {day}" for name, day in found.items())


def _case_json(result: CaseResult) -> dict[str, Any]:
    return {
        "file": result.case.file,
        "line": result.case.line,
        "case": result.case.name,
        "expected": dict(result.expected),
        "actual": dict(result.actual),
    }


def _rules_json(rules: Rules) -> dict[str, Any]:
    book = rules.book
    return {
        "version": rules.version,
        "rulebook": book.name,
        "digest": book.digest,
        "languages": list(book.languages),
        "methods": sorted(book.methods),
        "grounds": sorted(book.grounds),
    }


def _rules_lines(rules: Rules) -> list[Any]:
    book = rules.book
    return [
        styled(f"Version {rules.version}: {book.name}", "bold"),
        table(
            "",
            ["kind", "article", "answer within"],
            [
                (kind, rule.article[book.languages[0]], str(rule.answer_within))
                for kind, rule in book.kinds.items()
            ],
        ),
        table(
            "",
            ["method", "points"],
            [(code, str(each.points)) for code, each in sorted(book.methods.items())],
        ),
        table(
            "",
            ["ground", "of"],
            [(code, ", ".join(sorted(each.kinds))) for code, each in sorted(book.grounds.items())],
        ),
    ]
