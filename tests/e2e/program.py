"""The program as its users start it: real processes on a real store."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0


@dataclass
class Program:
    """Starts commands on one store."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *line: str, who: str = "sato") -> "subprocess.Popen[str]":
        """Start a command, in a process group of its own as a terminal would."""
        return subprocess.Popen(
            [sys.executable, "-m", "retention", "--home", str(self.home), "--as", who, *line],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, **self.environment},
        )  # fmt: skip

    def __call__(self, *line: str, who: str = "sato", code: int = 0) -> list[Any]:
        """Give a command with --json; what it answers."""
        process = self.start(*line, "--json", who=who)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code, f"{line} ended with {process.returncode}: {err}"
        assert "Traceback" not in err
        return [json.loads(each) for each in out.splitlines()]

    def one(self, *line: str, who: str = "sato", code: int = 0) -> Any:
        """The one value that a command answers."""
        (found,) = self(*line, who=who, code=code)
        return found

    def found_store(self) -> None:
        """A store with a line and a camera."""
        self("init")
        for source, kind, purpose in (
            ("line", "call", "service-quality"),
            ("camera", "footage", "crime-prevention"),
        ):
            self(
                "source",
                "add",
                source,
                "--kind",
                kind,
                "--site",
                "tokyo",
                "--purpose",
                purpose,
                "--notice",
                "v1",
            )


def end(process: "subprocess.Popen[str]", by: signal.Signals) -> tuple[int, str]:
    """Send a signal to the process and its children; its exit code and what it said."""
    os.killpg(process.pid, by)
    _, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, err


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"it never happened that {what}"
        time.sleep(0.05)
