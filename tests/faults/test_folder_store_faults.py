"""The folder store when processes die, disks fill, and strangers meddle."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.adapters import store_folder
from retention.adapters.store_folder import FolderStore
from retention.kernel.clock import SystemClock
from retention.kernel.errors import FixityMismatch, InvalidInput, StoreUnavailable
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, object_name
from tests.faults.folder_crash_driver import CONTENT

CLOCK = SystemClock()


def a_name() -> ObjectName:
    return object_name(new_id(CLOCK.now()), "original")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore.create(tmp_path / "vault")


def deaths(act: str, out: Path, name: ObjectName) -> Iterator[Path]:
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.folder_crash_driver", act, str(out), name],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = sorted(out.iterdir(), key=lambda folder: int(folder.name))
    assert len(found) >= 4
    yield from found[:-1]


def test_a_put_is_all_or_nothing_at_every_step(tmp_path: Path) -> None:
    name, seen = a_name(), set()
    for folder in deaths("put", tmp_path / "out", name):
        store = FolderStore(folder)
        size = store.size_of(name)
        seen.add(size)
        if size is None:
            assert list(store.list_names()) == []
            store.put_new(name, [CONTENT])
        assert b"".join(store.read(name)) == CONTENT
        assert store.erase_many([name]) == {}
        assert store.remains([name]) == set()
        assert [path for path in folder.rglob("*") if path.is_file() and path.name != "store-id"] in (
            [],
            [folder / "trace.json"],
        )
    assert seen == {None, len(CONTENT)}


def test_an_erasure_may_be_carried_on_from_every_step(tmp_path: Path) -> None:
    name = a_name()
    for folder in deaths("erase", tmp_path / "out", name):
        store = FolderStore(folder)
        assert store.erase_many([name]) == {}
        assert store.remains([name]) == set()


def test_what_a_crash_left_is_found_swept_and_goes_with_its_object(
    store: FolderStore, tmp_path: Path
) -> None:
    """A process that died between link and unlink leaves a second name for the same bytes."""
    name, other = a_name(), a_name()
    for each in (name, other):
        store.put_new(each, [b"content"])
        os.link(tmp_path / "vault" / "objects" / each, tmp_path / "vault" / "unfinished" / f"{each[3:]}~0123")
    (tmp_path / "vault" / "objects" / other).unlink()
    assert store.remains([name, other]) == {name, other}
    assert store.erase_many([name]) == {}
    assert store.remains([name, other]) == {other}
    assert store.sweep(CLOCK.now() - timedelta(days=1)) == 0
    assert store.sweep(CLOCK.now() + timedelta(seconds=1)) == 1
    assert store.remains([other]) == set()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["write", "fsync", "link", "open"])
def test_a_failing_disk_leaves_nothing_and_says_so(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    name = a_name()

    def fail(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patching:
        patching.setattr(os, call, fail)
        with pytest.raises(StoreUnavailable) as caught:
            store.put_new(name, [b"content"])
    assert os.strerror(code) in caught.value.message
    assert ("full" in caught.value.hint) == (code != errno.EIO)
    assert store.remains([name]) == set()
    assert list((tmp_path / "vault" / "unfinished").iterdir()) == []


def test_a_shard_that_cannot_be_made_durable_gives_no_name(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every single fsync of a put may fail, and none may leave the name behind."""
    real, name = os.fsync, a_name()
    for failing in range(1, 4):
        calls: list[int] = []

        def fsync(fd: int, calls: list[int] = calls, failing: int = failing) -> None:
            calls.append(fd)
            if len(calls) == failing:
                raise OSError(errno.EIO, "Input/output error")
            real(fd)

        with monkeypatch.context() as patching:
            patching.setattr(os, "fsync", fsync)
            with pytest.raises(StoreUnavailable):
                FolderStore(store._root).put_new(name, [b"content"])
        assert store.remains([name]) == set()
    store.put_new(name, [b"content"])


LIMITED_PUT = """
import resource, signal, sys
from pathlib import Path
from retention.adapters.store_folder import FolderStore
from retention.kernel.errors import StoreUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    FolderStore(Path(sys.argv[1])).put_new(sys.argv[2], [bytes(300_000)])
except StoreUnavailable as error:
    print(error.hint)
"""


def test_a_write_that_the_kernel_refuses_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    """A real limit on the size of files, in a process of its own, stands for a full disk."""
    name = a_name()
    told = subprocess.run(
        [sys.executable, "-c", LIMITED_PUT, str(tmp_path / "vault"), name],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "full" in told.stdout
    assert store.remains([name]) == set()
    assert list((tmp_path / "vault" / "unfinished").iterdir()) == []


def test_a_symbolic_link_in_the_place_of_an_object_is_refused(store: FolderStore, tmp_path: Path) -> None:
    name = a_name()
    store.put_new(name, [b"content"])
    path = tmp_path / "vault" / "objects" / name
    path.unlink()
    (tmp_path / "secret").write_text("not yours")
    path.symlink_to(tmp_path / "secret")
    for act in (
        lambda: list(store.read(name)),
        lambda: store.size_of(name),
        lambda: store.protect([name], True),
    ):
        with pytest.raises(FixityMismatch):
            act()
    assert list(store.list_names()) == []


def test_a_folder_in_the_place_of_an_object_or_its_draft_is_not_erased_and_the_others_are(
    store: FolderStore, tmp_path: Path
) -> None:
    root, names = tmp_path / "vault", [a_name() for _ in range(3)]
    for name in names:
        store.put_new(name, [CONTENT])
    replaced, drafted, sound = names
    (root / "objects" / replaced).unlink()
    (root / "objects" / replaced).mkdir()
    (root / "unfinished" / f"{drafted[3:]}~0123").mkdir()

    assert set(store.erase_many(names)) == {replaced, drafted}
    assert store.remains([drafted, sound]) == {drafted}


def test_a_file_in_the_place_of_a_shard_makes_the_store_unavailable(
    store: FolderStore, tmp_path: Path
) -> None:
    name = a_name()
    (tmp_path / "vault" / "objects" / name[:2]).write_bytes(b"x")
    with pytest.raises(StoreUnavailable, match="cannot look at"):
        store.size_of(name)
    assert store.erase_many([name]) == {name: "Not a directory"}


WITHOUT_FILES = """
import resource, sys
from pathlib import Path
from retention.adapters.store_folder import FolderStore
from retention.kernel.errors import StoreUnavailable
store = FolderStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    next(store.read(sys.argv[2]))
except StoreUnavailable as error:
    print(error)
"""


def test_a_process_that_may_open_no_more_files_finds_the_store_unavailable_and_nothing_missing(
    store: FolderStore, tmp_path: Path
) -> None:
    name = a_name()
    store.put_new(name, [CONTENT])
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES, str(tmp_path / "vault"), name],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"cannot open {name}: Too many open files" in told.stdout


def test_a_symbolic_link_in_the_place_of_a_shard_is_refused(store: FolderStore, tmp_path: Path) -> None:
    name, outside = a_name(), tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "vault" / "objects" / name[:2]).symlink_to(outside)
    with pytest.raises(StoreUnavailable):
        store.put_new(name, [b"content"])
    assert list(outside.iterdir()) == []


def test_what_strangers_put_there_is_not_listed(store: FolderStore, tmp_path: Path) -> None:
    name = a_name()
    store.put_new(name, [b"content"])
    shard = tmp_path / "vault" / "objects" / name[:2]
    (shard / ".DS_Store").write_text("")
    (tmp_path / "vault" / "objects" / "lost+found").mkdir()
    (tmp_path / "vault" / "objects" / "notes.txt").write_text("")
    assert [found for found, _, _ in store.list_names()] == [name]


def test_an_object_that_is_cut_while_it_is_read_is_no_silent_end(store: FolderStore, tmp_path: Path) -> None:
    name = a_name()
    store.put_new(name, [bytes(3 << 20)])
    pieces = store.read(name)
    next(pieces)
    os.truncate(tmp_path / "vault" / "objects" / name, 1 << 20)
    with pytest.raises(FixityMismatch, match="while it was read"):
        next(pieces)


@pytest.mark.parametrize("number", [40, 2], ids=["file system", "each shard"])
def test_what_is_erased_but_not_durably_gone_does_not_count_as_erased(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, *, number: int
) -> None:
    """After a power cut it might be back."""
    names = [a_name() for _ in range(number)]
    for name in names:
        store.put_new(name, [CONTENT])

    def fails(_path: object) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(store_folder, "sync_filesystem", fails)
    monkeypatch.setattr(store_folder, "fsync_path", fails)
    assert store.erase_many(names) == dict.fromkeys(names, "the disk is gone")
    monkeypatch.undo()
    assert store.erase_many(names) == {}
    assert store.remains(names) == set()


def test_a_durable_put_flushes_the_file_then_its_folder(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    effects: list[str] = []

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*arguments: Any, **named: Any) -> Any:
            effects.append(name)
            return real(*arguments, **named)

        return effect

    store.put_new(a_name(), [b"content"])
    for call in ("write", "fsync", "link", "unlink"):
        monkeypatch.setattr(os, call, watched(call, getattr(os, call)))
    name = a_name()
    store._know_shard(str(store._objects / name[:2]), durable=True)
    effects.clear()
    store.put_new(name, [b"content"])
    assert effects == ["write", "fsync", "link", "fsync", "unlink"]


def test_one_store_is_made_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    first = FolderStore.create(tmp_path / "vault").store_id()
    assert FolderStore.create(tmp_path / "vault").store_id() == first
    assert FolderStore.create(tmp_path / "another").store_id() != first


def test_whatever_is_no_object_is_strange_links_and_folders_included(
    store: FolderStore, tmp_path: Path
) -> None:
    """A file, a link that has an object's name, a pipe, a file deep below; in each place where one can be."""
    root, name = tmp_path / "vault", a_name()
    store.put_new(name, [CONTENT])
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    for place in (root, root / "objects", root / "objects" / name[:2], root / "unfinished"):
        (place / "alien").write_bytes(b"x")
    (root / "objects" / "deep" / "down").mkdir(parents=True)
    (root / "objects" / "deep" / "down" / name[3:]).write_bytes(b"x")
    link = a_name()
    (root / "objects" / link[:2]).mkdir(exist_ok=True)
    (root / "objects" / link).symlink_to(outside / "precious")
    (root / "objects" / "elsewhere").symlink_to(outside, target_is_directory=True)
    os.mkfifo(root / "objects" / "pipe")

    listed = [each for each, _, _ in store.strangers(CLOCK.now())]

    assert sorted(listed) == sorted(
        [
            "alien",
            "objects/alien",
            f"objects/{name[:2]}/alien",
            f"objects/deep/down/{name[3:]}",
            f"objects/{link}",
            "objects/elsewhere",
            "objects/pipe",
            "unfinished/alien",
        ]
    )
    assert [each for each, _, _ in store.list_names()] == [name]


def test_a_put_under_way_is_not_strange_and_one_left_for_a_day_is(store: FolderStore) -> None:
    name, seen = a_name(), []
    a_day_ago, soon = CLOCK.now() - timedelta(days=1), CLOCK.now() + timedelta(minutes=1)

    def chunks() -> Iterator[bytes]:
        yield CONTENT
        seen.append([list(store.strangers(before)) for before in (a_day_ago, soon)])

    store.put_new(name, chunks())
    ((young, old),) = seen
    assert young == []
    assert [each.startswith(f"unfinished/{name[3:]}~") for each, _, _ in old] == [True]


def test_what_is_strange_is_erased_without_following_a_link(store: FolderStore, tmp_path: Path) -> None:
    outside, objects = tmp_path / "outside", tmp_path / "vault" / "objects"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    (objects / "elsewhere").symlink_to(outside, target_is_directory=True)

    assert set(store.erase_strangers(["objects/elsewhere/precious"])) == {"objects/elsewhere/precious"}
    assert store.erase_strangers(["objects/elsewhere"]) == {}
    for outward in ("../outside/precious", str(outside / "precious")):
        with pytest.raises(InvalidInput):
            store.erase_strangers([outward])

    assert not (objects / "elsewhere").is_symlink()
    assert (outside / "precious").exists()
