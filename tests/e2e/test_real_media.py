"""Real calls and footage, and files that were broken on purpose, through the program."""

from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.program import Program

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]
CALLS = ["dev-call-a.alaw.wav", "dev-call-a.m4a", "dev-call-a.mono.gsm.wav", "dev-call-a.mp3", "dev-call-a.ogg",
         "dev-call-a.ulaw.wav", "dev-call-b.wav"]  # fmt: skip
FOOTAGE = ["TUD-Campus.mp4", "chaplin.mp4", "classroom.mp4", "store-aisle-detection.mp4"]


@pytest.mark.parametrize("source", ["line", "camera"])
def test_every_odd_file_ends_sealed_or_in_quarantine(
    program: Program, shared_data: Path, source: str
) -> None:
    files = {path.name for path in (shared_data / "odd").iterdir()}
    outcomes = program("ingest", str(shared_data / "odd"), "--source", source)
    ends = Counter(each["status"] for each in outcomes)
    assert {Path(each["path"]).name for each in outcomes} >= files
    assert set(ends) <= {"sealed", "quarantined", "duplicate"}
    assert all(each["reason"] for each in outcomes if each["status"] == "quarantined")
    again = program("ingest", str(shared_data / "odd"), "--source", source)
    assert {each["id"] for each in again} == {each["id"] for each in outcomes}
    assert program.one("check", "--level", "digest")["ok"]


@pytest.mark.parametrize(
    ("folder", "names", "source", "purpose", "derivative", "begins"),
    [
        ("audio/calls", CALLS, "line", "service-quality", "peaks", b""),
        ("video", FOOTAGE, "camera", "crime-prevention", "thumbnail", b"\xff\xd8\xff"),
    ],
    ids=["calls", "footage"],
)
def test_what_came_in_opens_byte_for_byte_for_its_purpose(
    program: Program,
    shared_data: Path,
    tmp_path: Path,
    folder: str,
    names: list[str],
    source: str,
    purpose: str,
    derivative: str,
    begins: bytes,
) -> None:
    files = [shared_data / folder / name for name in names]
    outcomes = program("ingest", *map(str, files), "--source", source, "--started-at", "2026-11-20T10:00")
    assert [each["status"] for each in outcomes] == ["sealed"] * len(files), outcomes
    out = tmp_path / "out"
    for file, outcome in list(zip(files, outcomes, strict=True))[:3]:
        program("open", outcome["id"], "--purpose", purpose, "--out", str(out))
        assert out.read_bytes() == file.read_bytes()
        program("open", outcome["id"], "--purpose", purpose, "--role", derivative, "--out", str(out))
        assert out.read_bytes().startswith(begins)
        assert out.stat().st_size > 100
    program("open", outcomes[0]["id"], "--purpose", "marketing", "--out", str(tmp_path / "never"), code=13)
    assert not (tmp_path / "never").exists()
