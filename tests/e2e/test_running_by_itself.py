"""A watched folder and the nightly bell, in processes that are stopped, killed and started again."""

import json
import os
import signal
import sqlite3
import subprocess
import time
import wave
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.builders.calls import write_call
from tests.e2e.program import PATIENCE_S, Program, end, wait_until

pytestmark = pytest.mark.slow
LARGE_BYTES = 300_000_000
#: What a process needs before it has read anything, and what may come on top of it for a large file.
GROWTH_KB = 150_000


def digests(program: Program) -> set[str]:
    """What the catalogue holds, read from outside."""
    with sqlite3.connect(f"file:{program.home}/catalogue.db?mode=ro", uri=True) as database:
        found = database.execute(
            "SELECT sha256 FROM recording UNION SELECT sha256 FROM quarantine"
        ).fetchall()
    database.close()
    return {row[0].hex() for row in found}


def drop(folder: Path, name: str, days_ago: int = 1) -> str:
    """Put a call into a watched folder as a careful recorder does: its description first, then the file whole."""
    aside = folder.parent / "aside"
    digest = write_call(aside / name, days_ago)
    folder.mkdir(exist_ok=True)
    (aside / f"{name}.json").replace(folder / f"{name}.json")
    (aside / name).replace(folder / name)
    return digest


def watch(
    program: Program, folder: Path, files: dict[Path, str], *, until: Callable[[Iterable[bool]], bool]
) -> "subprocess.Popen[str]":
    """Watch until any, or all, of the files are gone; what is gone is in the catalogue at that moment."""
    watching = program.start("ingest", str(folder), "--source", "line", "--watch")
    wait_until(lambda: until(not path.exists() for path in files), "a file was taken in")
    assert {digest for path, digest in files.items() if not path.exists()} <= digests(program)
    return watching


def test_a_dropped_file_disappears_only_when_it_is_safely_in(program: Program, tmp_path: Path) -> None:
    (program.home / "settings.toml").write_text("stable_s = 0.3\n", encoding="utf-8")
    folder = tmp_path / "drop"
    expected = {folder / f"{n}.wav": drop(folder, f"{n}.wav", n + 1) for n in range(4)}
    watching = watch(program, folder, expected, until=any)
    assert end(watching, signal.SIGKILL)[0] == -signal.SIGKILL
    expected[folder / "late.wav"] = drop(folder, "late.wav", 9)
    watching = watch(program, folder, expected, until=all)
    assert end(watching, signal.SIGINT)[0] == 130
    assert digests(program) == set(expected.values())
    assert program.one("check", "--level", "digest")["ok"]


def test_ctrl_c_ends_taking_in_and_the_same_command_goes_on(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    expected = {write_call(folder / f"{n}.wav", n % 50 + 1) for n in range(200)}
    taking_in = program.start("ingest", str(folder), "--source", "line", "--json")
    assert taking_in.stdout
    first = json.loads(taking_in.stdout.readline())
    code, said = end(taking_in, signal.SIGINT)
    assert (code, first["status"]) == (130, "sealed")
    assert "Traceback" not in said
    before = digests(program)
    assert before < expected
    outcomes = program("ingest", str(folder), "--source", "line")
    assert sum(each["status"] == "duplicate" for each in outcomes) == len(before)
    assert digests(program) == expected
    found = program.one("check")
    assert (found["ok"], found["recordings"]) == (True, len(expected))


def overdue(program: Program, tmp_path: Path, count: int) -> None:
    """Calls whose time has long come, in a store that is old enough to have missed a night."""
    with sqlite3.connect(program.home / "catalogue.db") as database:
        database.execute("UPDATE store SET created_at = '2026-01-01 00:00:00.000000'")
    database.close()
    for n in range(count):
        write_call(tmp_path / "old" / f"{n}.wav", 250 + n)
    program("ingest", str(tmp_path / "old"), "--source", "line")


def test_serving_catches_up_on_the_night_that_was_missed_and_stops_when_told(
    program: Program, tmp_path: Path
) -> None:
    overdue(program, tmp_path, 3)
    for by, ends in ((signal.SIGINT, 0), (signal.SIGTERM, 0)):
        serving = program.start("serve")
        assert serving.stderr
        said = ""
        while "Serving" not in said:
            line = serving.stderr.readline()
            assert line, said
            said += line
        code, rest = end(serving, by)
        assert code == ends, rest
        assert "Traceback" not in said + rest
    (night,) = [run for run in program.one("disposal", "list") if run["kind"] == "night"]
    assert (night["disposed"], night["state"]) == (3, "done")
    assert program.one("audit", "verify")["ok"]


def test_a_bell_that_is_killed_again_and_again_rings_each_night_once(
    program: Program, tmp_path: Path
) -> None:
    overdue(program, tmp_path, 40)

    def runs() -> list[dict[str, object]]:
        found: list[dict[str, object]] = program.one("disposal", "list")
        return [run for run in found if run["kind"] == "night"]

    began = time.monotonic()
    serving = program.start("serve")
    wait_until(lambda: "disposing" in states(program) or "disposed" in states(program), "the night began")
    took_s = time.monotonic() - began
    end(serving, signal.SIGKILL)
    for part in range(4):
        serving = program.start("serve")
        time.sleep(took_s * (0.7 + part / 10))
        end(serving, signal.SIGKILL)
    serving = program.start("serve")
    wait_until(lambda: states(program) == {"disposed"}, "the night was done")
    wait_until(lambda: all(run["state"] == "done" for run in runs()), "the night was closed")
    end(serving, signal.SIGTERM)
    (night,) = runs()
    assert night["disposed"] == 40
    assert program.one("check")["ok"]
    assert program.one("audit", "verify")["ok"]


def states(program: Program) -> set[str]:
    """The states of all recordings, read from outside."""
    with sqlite3.connect(f"file:{program.home}/catalogue.db?mode=ro", uri=True) as database:
        found = database.execute("SELECT DISTINCT state FROM recording").fetchall()
    database.close()
    return {row[0] for row in found}


def silence(path: Path, size_bytes: int) -> Path:
    """A WAV of this size that takes no room on the disk."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.setnframes(size_bytes // 4)
        sound._initialize_header = None  # type: ignore[attr-defined]
    header = path.read_bytes()
    path.write_bytes(header)
    os.truncate(path, len(header) + size_bytes)
    return path


def test_a_large_recording_is_taken_in_within_the_memory_of_a_small_one(
    program: Program, tmp_path: Path
) -> None:
    peaks_kb = []
    for name, size_bytes in (("small", 1_000_000), ("large", LARGE_BYTES)):
        file = silence(tmp_path / f"{name}.wav", size_bytes)
        process = program.start(
            "ingest", str(file), "--source", "line", "--json", "--started-at", "2026-11-20T10:00"
        )
        assert process.stdout
        outcome = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, outcome["status"]) == (0, "sealed")
        peaks_kb.append(usage.ru_maxrss)
    small_kb, large_kb = peaks_kb
    assert large_kb - small_kb < GROWTH_KB
