"""Every command that a page, a message or a compose file names exists, with the options it is given."""

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.docs.generate import commands, help_of
from tests.docs.pages import ROOT, pages, text_of

INLINE = re.compile(r"`(retention [^`\n]+)`")
FENCED = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EVERYWHERE = {"--json", "--home", "--as", "--help", "--version", "--install-completion", "--show-completion"}
#: Words that stand for a choice of commands in a sentence.
NOUNS = {path.rpartition(" ")[0] for path in commands()}


def _named() -> Iterator[tuple[str, str]]:
    """(where, command) of every command that a page names."""
    for page in pages():
        text = text_of(page)
        if "<!-- generated: commands -->" in text:
            text = text.partition("<!-- generated: commands -->")[0]
        yield from ((str(page), found) for found in INLINE.findall(text))
        for block in FENCED.findall(text):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.search(r"(?:^|[$ /])(retention (?:[a-z]|--).*)$", line)
                if found and "docker compose" not in line.partition("retention")[0].replace("exec", ""):
                    yield str(page), found[1]


def _in_the_code() -> Iterator[tuple[str, str]]:
    """(where, command) of every command that a message or a docstring of the service names."""
    for path in (ROOT / "retention").rglob("*.py"):
        for found in INLINE.findall(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), re.sub(r"\{[^}]*\}", "X", found)


def _fault(command: str) -> str:
    """What is wrong with a command; empty when nothing is."""
    words = shlex.split(command.rstrip(" &").replace("…", ""), comments=True)
    path = _longest(words)
    if path is None:
        return "" if " ".join(words) in NOUNS or set(words[1:]) <= EVERYWHERE else "there is no such command"
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    known = set(re.findall(r"--[a-z-]+", help_of(path))) | EVERYWHERE
    return f"it has no option {', '.join(sorted(given - known))}" if given - known else ""


def _longest(words: list[str]) -> str | None:
    known = set(commands())
    for length in range(len(words), 1, -1):
        if " ".join(words[:length]) in known:
            return " ".join(words[:length])
    return None


@pytest.mark.parametrize(("where", "command"), sorted({*_named(), *_in_the_code()}))
def test_a_command_that_is_named_exists(where: str, command: str) -> None:
    assert _fault(command) == "", f"{where} names `{command}`"


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert _fault("retention delete everything") == "there is no such command"
    assert _fault("retention due --never") == "it has no option --never"
    assert _fault("retention hold place --recording ID --kind legal") == ""
