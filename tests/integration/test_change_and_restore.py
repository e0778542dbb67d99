"""A backup made before the schedule was changed, restored after it: the journal brings the change back.

The change is interrupted after everything it makes durable, one by one; a
restore from each of these moments keeps what either schedule keeps, and
finishing it gives what an undisturbed change would have given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from retention.amendment import move
from retention.amendment.apply import apply, finish
from retention.catalogue.schedules import schedule_row
from retention.custody.replay.context import Replayed
from retention.custody.replay.journal import replay
from retention.custody.tools import Tools
from tests.builders.archive import Archive, open_quickly
from tests.builders.interruption import DIVIDED, OLD, Killed, Mortal, fill, nothing_is_due
from tests.builders.oracle import Known, approved_plan, check_catalogue, known_recordings, tools_of


@dataclass(frozen=True)
class Before:
    """An archive with an approved plan, and the backup that was made before it."""

    archive: Archive
    digest: str
    known: dict[str, Known]
    go_back: Any
    backup: bytes


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    archive = Archive(tmp_path_factory.mktemp("before"), OLD)
    fill(archive, days=2)
    known = known_recordings(archive, OLD.schedule, {})
    archive.remember()
    backup = archive.kept.read_bytes()
    digest, _ = approved_plan(archive, DIVIDED)
    yield Before(archive, digest, known, archive.remember(), backup)
    archive.close()


def restored(before: Before, file: Path) -> Archive:
    """The archive as it is after a restore: the old catalogue, today's keys and journal."""
    archive = before.archive
    file.write_bytes(before.backup)
    archive.database = open_quickly(f"sqlite:///{file}")
    nobody = cast("Any", None)  # neither vault nor witness has a part in replaying a change of the schedule
    tools = Tools(archive.database, nobody, archive.keys, archive.journal, nobody, nobody, archive.clock)
    with archive.database.write() as session:
        assert isinstance(replay(session, tools), Replayed)
    return archive


def version(archive: Archive) -> int:
    with archive.database.read() as session:
        return schedule_row(session).version


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "BATCH", 4)


def test_a_backup_from_before_the_change_has_it_after_the_restore(before: Before, tmp_path: Path) -> None:
    before.go_back()
    apply(tools_of(before.archive), before.digest, "suzuki")
    archive = restored(before, tmp_path / "restored.db")
    assert version(archive) == 2
    check_catalogue(archive, before.known, DIVIDED.schedule)
    assert finish(tools_of(archive), "suzuki") == 0


def test_a_backup_from_before_a_change_that_was_interrupted_loses_nothing_and_is_finished(
    before: Before, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before.go_back()
    counter = Mortal()
    with counter.holds(before.archive, monkeypatch):
        apply(tools_of(before.archive), before.digest, "suzuki")
    versions = set()
    for at in range(counter.steps):
        before.go_back()
        with Mortal(at).holds(before.archive, monkeypatch), pytest.raises(Killed):
            apply(tools_of(before.archive), before.digest, "suzuki")
        archive = restored(before, tmp_path / f"{at}.db")
        nothing_is_due(archive)
        finish(tools_of(archive), "suzuki")
        nothing_is_due(archive)
        versions.add(version(archive))
        if version(archive) == 2:
            check_catalogue(archive, before.known, DIVIDED.schedule)
    assert versions == {1, 2}
