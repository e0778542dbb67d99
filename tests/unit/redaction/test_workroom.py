"""The folder in which a copy is made: for its owner alone, and empty as soon as nobody works in it."""

from contextlib import suppress
from pathlib import Path

import pytest

from retention.kernel.errors import DatabaseBusy
from retention.redaction.workroom import sweep, workroom


def test_the_room_of_a_living_process_is_not_swept(tmp_path: Path) -> None:
    with workroom(tmp_path, "request", "recording") as room:
        (room.copies / "copy.mp4").write_bytes(b"half a copy")
        sweep(tmp_path)
        assert (room.copies / "copy.mp4").exists()
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_of_the_store_can_look_into_the_room(tmp_path: Path) -> None:
    with workroom(tmp_path / "work", "request", "recording") as room:
        assert [path.stat().st_mode & 0o777 for path in (room.path, room.copies)] == [0o700, 0o700]


def test_a_room_is_for_one_at_a_time(tmp_path: Path) -> None:
    with (
        workroom(tmp_path, "request", "recording"),
        pytest.raises(DatabaseBusy, match="another process works on recording recording"),
        workroom(tmp_path, "request", "recording"),
    ):
        pass
    with workroom(tmp_path, "request", "recording"):
        pass


def test_work_that_ends_badly_leaves_how_far_the_search_was_and_no_copy(tmp_path: Path) -> None:
    with suppress(RuntimeError), workroom(tmp_path, "request", "recording") as room:
        room.search.mkdir()
        (room.copies / "copy.mp4").write_bytes(b"half a copy")
        raise RuntimeError
    assert room.search.is_dir()
    assert not room.copies.exists()
    sweep(tmp_path, frozenset({"request"}))
    assert room.search.is_dir()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sweeping_where_nothing_was_ever_made_does_nothing(tmp_path: Path) -> None:
    sweep(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
