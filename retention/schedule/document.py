"""Read YAML text so that whatever is wrong with it can be shown by line.

Every scalar stays text, except `true` and `false`: YAML's own guesses (NO is
false, 10:00 is 600) have no place in a legal text. A key without a value,
aliases, anchors, tags, tabs, a second document and a key that comes twice are
refused: each makes a policy say something else than a reader sees.

Does no I/O and knows no policy: see `shape` for what keys there are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from retention.kernel.errors import InvalidInput

MOST_BYTES: Final = 262_144  #: of text; a policy of a hundred classes has about 60,000
MOST_LEVELS: Final = 16  #: of nesting; a policy needs 6

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
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(str(finding) for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Document:
    """A text's value, and the line on which each part of it stands."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def finding(self, path: Path, message: str, remedy: str) -> Finding:
        """A finding about the part at `path`, or about the nearest part around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return Finding(self.file, self.lines.get(path, 1), message, remedy)


def read(text: str, file: str) -> Document:
    """The document that `text` holds; `file` is only a name to show.

    Raises:
        PolicyError: The text is not YAML, or uses what is refused here.
    """
    findings = [*_forbidden_characters(text, file)]
    if findings:
        raise PolicyError(findings)
    node = _compose(text, file)
    if node is None:
        raise PolicyError([Finding(file, 1, "the text is empty", "Start from a copy of a pack in policies/")])
    document = Document(file, None, {})
    value = _value(node, (), document, findings)
    if findings:
        raise PolicyError(findings)
    return Document(file, value, document.lines)


def _forbidden_characters(text: str, file: str) -> Iterator[Finding]:
    if len(text) > MOST_BYTES:
        yield Finding(file, 1, f"the text has more than {MOST_BYTES:,} characters", "Divide it")
        return
    for line, content in enumerate(text.split("\n"), start=1):
        if "\t" in content:
            yield Finding(file, line, "the line holds a tab", "Use spaces")


class _Loader(yaml.SafeLoader):
    """Composes nodes, but refuses what hides meaning, and nesting without end."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(event.start_mark, "an alias (*)", "Write the value out")
        if event.anchor is not None:
            raise _Refused(event.start_mark, "an anchor (&)", "Write the value out where it is needed")
        if event.tag is not None:
            raise _Refused(
                event.start_mark, "a tag (!)", "Write the value without it; put quotes around text"
            )
        if self.depth > MOST_LEVELS:
            raise _Refused(event.start_mark, f"more than {MOST_LEVELS} levels", "Make it flatter")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Refused(yaml.MarkedYAMLError):
    def __init__(self, mark: Any, what: str, remedy: str) -> None:
        super().__init__(problem=f"the text uses {what}", problem_mark=mark)
        self.remedy = remedy


def _compose(text: str, file: str) -> Node | None:
    try:
        return _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        remedy = (
            error.remedy
            if isinstance(error, _Refused)
            else "Check indentation, colons and quotes around here"
        )
        message = " ".join(filter(None, (error.problem, error.context)))
        finding = Finding(file, mark.line + 1 if mark else 1, message, remedy)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        finding = Finding(
            file, line, f"character number {error.position} cannot stand in a text", "Remove it"
        )
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # PyYAML lets int() and chr() speak for themselves
        finding = Finding(
            file, 1, f"the text is not YAML: {error}", "Check numbers in escapes and directives"
        )
    raise PolicyError([finding])


def _value(node: Node, path: Path, document: Document, findings: list[Finding]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(node, path, document, findings)
    if isinstance(node, SequenceNode):
        return [
            _value(item, (*path, position), document, findings) for position, item in enumerate(node.value)
        ]
    if isinstance(node, ScalarNode) and node.style is None and node.value in ("", "null", "~"):
        name = path[-1] if path else "the text"
        findings.append(document.finding(path, f"`{name}` has no value", "Write one, or remove the line"))
    return _scalar(node)


def _mapping(node: MappingNode, path: Path, document: Document, findings: list[Finding]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            findings.append(Finding(document.file, line, "a key must be a word", "Write `key: value`"))
            continue
        key = key_node.value
        if key in mapping:
            first = document.lines[*path, key]
            message = f"`{key}` is written twice, first on line {first}"
            findings.append(Finding(document.file, line, message, "Keep one of the two"))
            continue
        document.lines[*path, key] = line
        mapping[key] = _value(value_node, (*path, key), document, findings)
    return mapping


def _scalar(node: Node) -> str | bool:
    """Text, unless it stands there plainly as true or false."""
    if isinstance(node, ScalarNode) and node.style is None and node.value in ("true", "false"):
        return bool(node.value == "true")
    return str(node.value)
