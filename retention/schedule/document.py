"""Read YAML text so that whatever is wrong with it can be shown by line.

Every scalar stays text, except `true` and `false`: YAML's own guesses (NO is
false, 10:00 is 600) have no place in a legal text. A key without a value,
aliases, anchors, tags, tabs, a second document and a key that comes twice are
refused: each makes a policy say something else than a reader sees.

Does no I/O and knows no policy: see `shape` for what keys there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from retention.kernel.errors import InvalidInput

MOST_CHARACTERS: Final = 262_144  #: a policy of a hundred classes has about 60,000
MOST_LEVELS: Final = 16  #: of nesting; a policy needs 6
MOST_FINDINGS: Final = 200  #: said at once; nobody reads more

Path = tuple[str | int, ...]  #: keys and list positions from the top of a document


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong with a text, and what to do about it."""

    file: str
    line: int  #: from 1
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}. {self.remedy}."


class PolicyError(InvalidInput):
    """The policy's text cannot be used as it stands."""

    default_hint = "Nothing was changed. Correct the text, then run `retention policy check FILE`."

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(set(findings))[:MOST_FINDINGS])
        super().__init__("\n".join(str(finding) for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Document:
    """What a text holds, the line on which each part stands, and what is refused in it."""

    file: str
    value: Any
    lines: Mapping[Path, int]
    findings: tuple[Finding, ...]

    def finding(self, path: Path, message: str, remedy: str) -> Finding:
        """A finding about the part at `path`, or about the nearest part around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return Finding(self.file, self.lines.get(path, 1), message, remedy)


def read(text: str, file: str) -> Document:
    """The document that `text` holds; `file` is only a name to show.

    What can be read in spite of a finding is read, so that more can be found.

    Raises:
        PolicyError: The text is not YAML, or is refused as a whole.
    """
    if len(text) > MOST_CHARACTERS:
        raise PolicyError(
            [Finding(file, 1, f"the text has more than {MOST_CHARACTERS:,} characters", "Divide it")]
        )
    tabs = [number for number, line in enumerate(text.split("\n"), start=1) if "\t" in line]
    if tabs:
        raise PolicyError(Finding(file, line, "the line holds a tab", "Use spaces") for line in tabs)
    node = _compose(text, file)
    if node is None:
        raise PolicyError([Finding(file, 1, "the text is empty", "Start from a copy of a pack in policies/")])
    reader = _Reader(file)
    return Document(file, reader.value_of(node, ()), reader.lines, tuple(reader.findings))


class _Refused(yaml.MarkedYAMLError):
    """The text uses something that YAML allows and a policy does not."""

    def __init__(self, event: Any, what: str, remedy: str) -> None:
        super().__init__(problem=f"the text uses {what}", problem_mark=event.start_mark)
        self.remedy = remedy


class _Loader(yaml.SafeLoader):
    """Composes nodes, but refuses what hides meaning, and nesting without end."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(event, "an alias (*)", "Write the value out")
        if event.anchor is not None:
            raise _Refused(event, "an anchor (&)", "Write the value out where it is needed")
        if event.tag is not None:
            raise _Refused(event, "a tag (!)", "Write the value without it; put quotes around text")
        if self.depth > MOST_LEVELS:
            raise _Refused(event, f"more than {MOST_LEVELS} levels", "Make it flatter")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, file: str) -> Node | None:
    try:
        return _Loader(text).get_single_node()
    except _Refused as error:
        finding = Finding(file, _line_of(error), str(error.problem), error.remedy)
    except yaml.MarkedYAMLError as error:
        message = " ".join(filter(None, (error.problem, error.context)))
        finding = Finding(file, _line_of(error), message, "Check indentation, colons and quotes around here")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        finding = Finding(
            file, line, f"character {error.position + 1} of the text cannot stand in it", "Remove it"
        )
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML hands numbers in escapes and directives to int() and chr(), and lets them speak for themselves.
        finding = Finding(
            file, 1, f"the text is not YAML: {error}", "Check numbers in escapes and directives"
        )
    raise PolicyError([finding])


def _line_of(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


class _Reader:
    """Turns nodes into values, and notes lines and findings on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.findings: list[Finding] = []

    def value_of(self, node: Node, path: Path) -> Any:
        line = self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value_of(item, (*path, position)) for position, item in enumerate(node.value)]
        is_plain = isinstance(node, ScalarNode) and node.style is None
        if is_plain and node.value in ("true", "false"):
            return node.value == "true"
        if is_plain and node.value in ("", "null", "~"):
            name = f"`{path[-1]}`" if path else "the text"
            self._find(line, f"{name} has no value", "Write one, or remove the line")
        return str(node.value)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key_node, ScalarNode):
                self._find(line, "a key must be a word", "Write `key: value`")
            elif key in mapping:
                first = self.lines[*path, key]
                self._find(line, f"`{key}` is written twice, first on line {first}", "Keep one of the two")
            else:
                self.lines[*path, key] = line
                mapping[key] = self.value_of(value_node, (*path, key))
        return mapping

    def _find(self, line: int, message: str, remedy: str) -> None:
        self.findings.append(Finding(self.file, line, message, remedy))
