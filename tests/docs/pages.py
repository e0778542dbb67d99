"""The pages of the documentation, and the blocks of code in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_AT_THE_TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "policies/README.md")
_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ```language … ```."""

    page: str
    line: int  #: of its first line of text
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, as editors understand it."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page, relative to the root of the repository."""
    found = [ROOT / name for name in _AT_THE_TOP if (ROOT / name).exists()]
    found += sorted((ROOT / "docs").rglob("*.md"))
    return [path.relative_to(ROOT) for path in found]


def text_of(page: Path | str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    """The prose of a page: its text without fenced blocks."""
    return _FENCE.sub("", text)


def blocks(page: Path | str, *languages: str) -> Iterator[Block]:
    """The fenced blocks of a page; only of the languages named, where any are."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        if not languages or found[2] in languages:
            yield Block(str(page), text.count("\n", 0, found.start()) + 2, found[2], found[3])


def all_blocks(*languages: str) -> list[Block]:
    """The fenced blocks of every page."""
    return [block for page in pages() for block in blocks(page, *languages)]
