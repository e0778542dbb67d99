"""What a person sees while something takes long: how much is done, and how long it still takes."""

import re
import time
from io import StringIO

import pytest
from rich.console import Console

from retention.cli import shared

Steps = list[tuple[int, int | None]]


def seen(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> str:
    """The last line that a terminal shows while the steps are told, one every tenth of a second."""
    shown = StringIO()
    monkeypatch.setattr(shared.INVOCATION, "json", False)  # whatever was asked for last in this process
    monkeypatch.setattr(shared, "err", Console(file=shown, force_terminal=True, width=120, color_system=None))
    with shared.progress("searching") as tell:
        for done, total in steps:
            tell(done, total)
            time.sleep(0.12)
    return [line for line in re.split(r"[\r\n]", shown.getvalue()) if "searching" in line][-1]


def test_where_a_total_is_known_the_share_and_the_time_left_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = seen(monkeypatch, [(step, 1000) for step in (10, 20, 30, 250)])
    assert " 25% " in line
    assert re.search(r"0:00:\d\d left", line)


def test_where_none_is_known_only_what_is_done_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    line = seen(monkeypatch, [(step, None) for step in (10, 20, 250)])
    assert "250/?" in line
    assert "%" not in line
    assert "left" not in line


def test_the_next_recording_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    line = seen(monkeypatch, [(90, 100), (100, 100), (5, 1000), (10, 1000), (500, 1000)])
    assert " 50% " in line
    assert re.search(r"0:00:\d\d left", line)
