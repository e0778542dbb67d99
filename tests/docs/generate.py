"""Write what the code can say of itself into the pages: `python -m tests.docs.generate`.

A page marks the place with `<!-- generated: NAME -->` and `<!-- end: NAME -->`;
what stands between them is replaced. `test_generated.py` fails while a page
says something else than the code.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.testing import CliRunner

from retention.amendment.model import TRANSITIONS as PLANS
from retention.amendment.model import PlanState
from retention.catalogue.states import TRANSITIONS, State
from retention.cli.main import app
from retention.kernel import errors
from retention.requests.model import Stage, path_of
from retention.requests.rules.model import Outcome, RequestKind
from retention.settings import Settings
from tests.docs.pages import ROOT, pages, text_of

_MARKED = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)
S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=str)
WIDTH = 100
#: Exit codes that no error class stands for.
OTHER_EXITS = {
    0: ("", "It is done.", ""),
    1: ("retention-error", "Something went wrong that none of the codes below describes.", ""),
    2: ("", "The command line is not valid: an unknown command, option or value.", "`--help` shows what is."),
    130: (
        "",
        "It was cancelled with Ctrl-C.",
        "What was finished stays finished. Run the same command to go on.",
    ),
}


def rewritten(text: str) -> str:
    """The page with every marked block as the code has it now.

    Raises:
        KeyError: A block has a name that nobody generates.
    """
    return _MARKED.sub(lambda found: f"{found[1]}\n{GENERATED[found[2]]()}\n{found[3]}", text)


def marked_blocks(text: str) -> list[str]:
    """The names of the marked blocks of a page."""
    return [found[2] for found in _MARKED.finditer(text)]


def state_diagram(transitions: Mapping[tuple[S, A], S], first: S) -> str:
    """A state machine as a Mermaid diagram."""
    left = {state for state, _ in transitions}
    ends = [state for state in dict.fromkeys(transitions.values()) if state not in left]
    lines = [f"    [*] --> {first}"]
    lines += [
        f"    {old} --> {new}: {action.replace('_', ' ')}" for (old, action), new in transitions.items()
    ]
    lines += [f"    {state} --> [*]" for state in ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"]) + "\n"


def settings_table() -> str:
    """Every setting: its variable, its default, its meaning."""
    rows = [
        (f"`{name}`", f"`RETENTION_{name.upper()}`", f"`{_shown(field.default)}`", field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _table(("setting", "variable", "default", "what it is"), rows)


def exit_codes() -> str:
    """Every exit code, with the word that `--json` gives for it."""
    found = dict(OTHER_EXITS)
    for error in error_classes():
        meaning = (error.__doc__ or "").strip().partition("\n")[0]
        found.setdefault(error.exit_code, (_code(error), meaning, error.default_hint))
    rows = [
        (str(code), f"`{word}`" if word else "", meaning, hint)
        for code, (word, meaning, hint) in sorted(found.items())
    ]
    return _table(("exit", "`error` in JSON", "what happened", "what to do"), rows)


def error_classes() -> list[type[errors.RetentionError]]:
    """Every error of the service, parents before children."""
    waiting: list[type[errors.RetentionError]] = [errors.RetentionError]
    found = []
    while waiting:
        found.append(waiting.pop(0))
        waiting += [each for each in found[-1].__subclasses__() if each.__module__ == errors.__name__]
    return found


def _code(error: type[errors.RetentionError]) -> str:
    return error().code


def command_reference() -> str:
    """Every command, as its own help describes it."""
    return "\n".join(f"### {path}\n\n```text\n{help_of(path)}\n```\n" for path in commands())


@cache
def commands() -> tuple[str, ...]:
    """The words that call each command."""
    tree = typer.main.get_command(app)
    return tuple(_walk("retention", tree, tree.make_context("retention", [], resilient_parsing=True)))


def _walk(path: str, command: Any, context: Any) -> Iterator[str]:
    if not hasattr(command, "list_commands"):
        yield path
        return
    for name in command.list_commands(context):
        yield from _walk(f"{path} {name}", command.get_command(context, name), context)


@cache
def help_of(path: str) -> str:
    """What the command says of itself, without what every command says."""
    words = [*path.split()[1:], "--help"]
    said = CliRunner().invoke(app, words, prog_name="retention", terminal_width=WIDTH).output
    own, _, _ = said.partition("\n  Every command also takes")
    return (
        "\n".join(line.rstrip() for line in own.splitlines() if not line.startswith("  --help"))
        .strip()
        .removesuffix("\n\nOptions:")
    )


def rooms_table() -> str:
    """Every room of the service in the order in which a recording meets them, with its own first sentence."""
    rows = [(f"`{_path(room)}`", _first_sentence(room)) for layer in reversed(layers()) for room in layer]
    return _table(("room", "what it is for"), rows)


def layers() -> list[list[str]]:
    """The rooms, top to bottom: an arrow may only point down. Rooms of one layer do not know each other."""
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]
    (contract,) = (each for each in settings["contracts"] if each["type"] == "layers")
    return [[room.strip() for room in re.split("[|:]", layer)] for layer in contract["layers"]]


def layer_list() -> str:
    """The layers as a list, top to bottom."""
    lines = [" · ".join(f"`{room}`" for room in layer) for layer in layers()]
    return "".join(f"{number}. {line}\n" for number, line in enumerate(lines, start=1))


def _path(room: str) -> str:
    return f"retention/{room}" + ("" if (ROOT / "retention" / room).is_dir() else ".py")


def _first_sentence(room: str) -> str:
    name = f"retention.{room}"
    file = ROOT / "retention" / room / "__init__.py"
    text = file.read_text(encoding="utf-8") if file.exists() else text_of(f"{name.replace('.', '/')}.py")
    said = ast.get_docstring(ast.parse(text)) or ""
    return " ".join(said.partition("\n\n")[0].split())


def _shown(value: object) -> str:
    return f"{value:_}" if isinstance(value, int) and value >= 1_000_000 else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


GENERATED: dict[str, Callable[[], str]] = {
    "recording-states": lambda: state_diagram(TRANSITIONS, State.RECEIVED),
    "plan-states": lambda: state_diagram(PLANS, PlanState.PLANNED),
    "request-told": lambda: state_diagram(path_of(RequestKind.DISCLOSURE), Stage.FILED),
    "request-acted-on": lambda: state_diagram(path_of(RequestKind.ERASURE, Outcome.FULL), Stage.FILED),
    "request-complaint": lambda: state_diagram(path_of(RequestKind.COMPLAINT), Stage.FILED),
    "rooms": rooms_table,
    "layers": layer_list,
    "settings": settings_table,
    "exit-codes": exit_codes,
    "commands": command_reference,
}


def main() -> int:
    """Rewrite every page that is out of date; how many were."""
    stale: list[Path] = []
    for page in pages():
        text = text_of(page)
        if rewritten(text) != text:
            (ROOT / page).write_text(rewritten(text), encoding="utf-8")
            stale.append(page)
    sys.stdout.write("".join(f"rewritten: {page}\n" for page in stale) or "nothing to rewrite\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
