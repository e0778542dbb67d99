"""The README's transcript: its commands, and what they print. `python -m tests.docs.transcript` takes it anew.

Ids, digests, keys, instants and sizes differ from run to run. They are compared by
place: what stands for one thing in the README stands for one thing in the output.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import ROOT, blocks, text_of

VOLATILE = re.compile(
    r"(?P<id>\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b)"
    r"|(?P<hex>\b[0-9a-f]{16,}\b)"
    r"|(?P<instant>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z)"
    r"|(?P<size>\b\d[\d.]* (?:B|kB|MB|GB|bytes)\b)"
)


@dataclass
class Translation:
    """What stands in the README for what is there in this run."""

    of: dict[str, str] = field(default_factory=dict)

    def learn(self, written: str, printed: str) -> None:
        """Learn from two texts that should say the same.

        Raises:
            AssertionError: One thing of the README would stand for two.
        """
        for ours, theirs in zip(_volatile(written), _volatile(printed), strict=True):
            assert self.of.setdefault(ours, theirs) == theirs, (
                f"{ours} stands for {self.of[ours]} and for {theirs}"
            )

    def apply(self, command: str) -> str:
        """The README's command, for this run."""
        return VOLATILE.sub(lambda found: self.of.get(found[0], found[0]), command)


def _volatile(text: str) -> list[str]:
    return [found[0] for found in VOLATILE.finditer(text) if found.lastgroup != "size"]


def plain(text: str) -> list[str]:
    """The lines of an output with placeholders, and with the widths of columns taken out."""
    lines = VOLATILE.sub(lambda found: f"<{found.lastgroup}>", text).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def steps() -> Iterator[tuple[str, str]]:
    """(command, what it prints) of the transcript."""
    (transcript,) = blocks("README.md", "console")
    for step in transcript.text.removeprefix("$ ").split("\n$ "):
        command, _, printed = step.partition("\n")
        yield command, printed


def run(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    argv = {"retention": [sys.executable, "-m", "retention"], "python": [sys.executable]}[program]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}
    done = subprocess.run(
        [*argv, *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def retaken(folder: Path) -> str:
    """The transcript as it happens now, in an empty folder."""
    known = Translation()
    lines: list[str] = []
    for command, written in steps():
        printed = run(known.apply(command), folder)
        lines += [f"$ {known.apply(command)}", *(line.rstrip() for line in printed.splitlines())]
        for ours, theirs in zip(_volatile(written), _volatile(printed), strict=False):
            known.of.setdefault(ours, theirs)
    return "".join(f"{line}\n" for line in lines)


def main() -> int:
    """Take the transcript anew and write it into the README."""
    (old,) = blocks("README.md", "console")
    with TemporaryDirectory() as folder:
        new = retaken(Path(folder))
    (ROOT / "README.md").write_text(text_of("README.md").replace(old.text, new), encoding="utf-8")
    sys.stdout.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
