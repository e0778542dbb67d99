"""The disk fills up while a request's copy is made: the command says so, nothing is left, and later it goes through."""

import json
import re
from pathlib import Path

from tests.builders.calls import CALLER
from tests.builders.kernel import no_file_above
from tests.builders.sound import encode, loud
from tests.integration.cli.conftest import Shell

AT = "2026-11-20T10:00:00+09:00"


def test_a_rendering_that_meets_a_full_disk_leaves_nothing_says_so_and_goes_on_later(shell: Shell) -> None:
    """The whole command under the kernel's limit: the packed original fits, its copy does not."""
    folder = shell.folder / "long"
    folder.mkdir()
    encode(folder / "long.ogg", loud(25, 48_000), "libopus", 48_000)
    said = {"native_id": "1", "started_at": AT, "participants": [{"side": "caller", "phone": CALLER}]}
    (folder / "long.ogg.json").write_text(json.dumps(said), encoding="utf-8")
    line = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")
    assert shell("source", "add", "desk", *line, "--notice", "ivr-3").code == 0
    recording = shell.json("ingest", str(folder), "--source", "desk").value["id"]
    name = ("--name", "山田 花子", "--phone", CALLER)
    receipt = shell.json("request", "file", "disclosure", *name).value["receipt"]
    about = ("--recording", recording)
    for step in (
        ("identify", receipt, "--method", "drivers-licence"),
        ("match", receipt),
        ("propose", receipt, "--no-words", *about),
        ("review", receipt, *about, "--keep", "channel 1", "--hide-rest"),
    ):
        assert (done := shell.json("request", *step)).code == 0, done.err
    before = everything_in(shell.home)
    with no_file_above(4_000_000):
        told = shell.json("request", "render", receipt, *about)
    assert told.code == 25, told.err
    assert re.search(
        f"{recording}: .*no room left.*; free some disk space and try again", told.error["message"]
    )
    assert everything_in(shell.home) - before == set()
    assert shell.json("request", "render", receipt, *about).code == 0


def test_a_catalogue_that_meets_a_full_disk_keeps_what_it_had_and_says_what_to_do(shell: Shell) -> None:
    line = ("source", "add", "desk", "--kind", "call", "--site", "tokyo", "--purpose", "service-quality")
    before = shell.json("source", "list").value
    with no_file_above(0):
        told = shell(*line)
    assert told.code != 0
    assert "Is the disk full, or mounted read-only? Nothing was kept" in " ".join(told.err.split())
    assert shell.json("source", "list").value == before
    assert shell(*line).code == 0


def everything_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}
