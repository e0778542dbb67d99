"""Sealing in one pass, opening with checks, and fixity at three prices."""

import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.kernel.clock import SystemClock
from retention.kernel.errors import FixityMismatch, InvalidInput, NotFound, ObjectExists, StoreUnavailable
from retention.kernel.ids import new_id
from retention.vault.envelope import BATCH_PLAIN_BYTES, FIRST_BATCH_PLAIN_BYTES
from retention.vault.fixity import Level, Problem, check
from retention.vault.model import ObjectName, Sealed, object_name
from retention.vault.open import open_sealed, read_all
from retention.vault.seal import new_data_key, seal, seal_file
from retention.vault.unseal import unsealed_file
from tests.fakes.memory_store import MemoryStore

KEY = new_data_key()
SIZES = [0, 1, 50_000, FIRST_BATCH_PLAIN_BYTES, FIRST_BATCH_PLAIN_BYTES + 1, 5 * BATCH_PLAIN_BYTES + 17]


def an_id() -> str:
    return new_id(SystemClock().now())


def sealed_in(
    store: MemoryStore, content: bytes, recording_id: str | None = None, role: str = "original"
) -> Sealed:
    return seal(store, KEY, recording_id or an_id(), role, [content])


def change(store: MemoryStore, name: ObjectName, content: bytes) -> None:
    store.objects[name] = content


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens_again(size: int, tmp_path: Path) -> None:
    store, content, recording_id = MemoryStore(), os.urandom(size), an_id()
    path = tmp_path / "capture"
    path.write_bytes(content)
    by_chunks = seal(
        store, KEY, recording_id, "original", (content[at : at + 99_999] for at in range(0, size, 99_999))
    )
    with path.open("rb", buffering=0) as file:
        by_file = seal_file(store, KEY, recording_id, "copy", file)
    for sealed in (by_chunks, by_file):
        assert sealed.size_bytes == size
        assert sealed.stored_bytes == len(store.objects[sealed.name])
        assert sealed.sha256 == hashlib.sha256(content).digest()
        assert b"".join(read_all(store, KEY, sealed)) == content
        assert open_sealed(store, KEY, sealed).read(size // 2, 10) == content[size // 2 : size // 2 + 10]
    assert by_chunks.name == object_name(recording_id, "original")


class Dribble(io.RawIOBase):
    """A file that gives a little at a time, as a pipe does."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # a plain buffer will do
        taken = min(len(buffer), 70_000, len(self._rest))
        buffer[:taken], self._rest = self._rest[:taken], self._rest[taken:]
        return taken


def test_a_file_that_gives_a_little_at_a_time_is_read_to_its_end() -> None:
    store, content = MemoryStore(), os.urandom(2_500_000)
    sealed = seal_file(store, KEY, an_id(), "original", Dribble(content))  # type: ignore[arg-type]
    assert b"".join(read_all(store, KEY, sealed)) == content


@settings(max_examples=25, deadline=None)
@given(size=st.integers(0, 4 * BATCH_PLAIN_BYTES), start=st.integers(0, 4 * BATCH_PLAIN_BYTES))
def test_the_digest_is_of_the_whole_and_a_seek_is_exact(size: int, start: int) -> None:
    store, content = MemoryStore(), os.urandom(size)
    sealed = sealed_in(store, content)
    assert sealed.sha256 == hashlib.sha256(content).digest()
    assert open_sealed(store, KEY, sealed).read(start, 100_000) == content[start : start + 100_000]


def test_many_threads_seal_at_once() -> None:
    store, contents = MemoryStore(), [os.urandom(1_500_000 + n) for n in range(12)]
    done: dict[int, Sealed] = {}

    def one(number: int) -> None:
        done[number] = sealed_in(store, contents[number])

    threads = [threading.Thread(target=one, args=[number]) for number in range(len(contents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, content in enumerate(contents):
        assert b"".join(read_all(store, KEY, done[number])) == content


def test_sealing_may_happen_within_sealing() -> None:
    """The chunks of one seal may come from a program that seals something else meanwhile."""
    store, inner = MemoryStore(), []

    def chunks() -> Iterator[bytes]:
        yield b"a" * 2_000_000
        inner.append(sealed_in(store, b"b" * 2_000_000))
        yield b"c" * 2_000_000

    outer = seal(store, KEY, an_id(), "original", chunks())
    assert b"".join(read_all(store, KEY, outer)) == b"a" * 2_000_000 + b"c" * 2_000_000
    assert b"".join(read_all(store, KEY, inner[0])) == b"b" * 2_000_000


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_capture_that_fails_while_it_is_read_seals_nothing(size: int) -> None:
    def chunks() -> Iterator[bytes]:
        yield bytes(size)
        raise OSError("cable")

    store, threads = MemoryStore(), threading.active_count()
    with pytest.raises(OSError, match="cable"):
        seal(store, KEY, an_id(), "original", chunks())
    assert store.objects == {}
    assert threading.active_count() == threads


def test_a_recording_has_one_object_of_a_role() -> None:
    store, recording_id = MemoryStore(), an_id()
    sealed_in(store, b"first", recording_id)
    with pytest.raises(ObjectExists):
        sealed_in(store, b"second", recording_id)


def test_a_store_that_keeps_less_than_it_was_sent_is_found_out() -> None:
    class Forgetful(MemoryStore):
        def put_new(self, *arguments: object, **named: object) -> int:
            return super().put_new(*arguments, **named) - 1  # type: ignore[arg-type]

    with pytest.raises(StoreUnavailable, match="were sent"):
        sealed_in(Forgetful(), b"content")


def test_the_wrong_key_fails_at_the_commitment_before_anything_is_read() -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")
    acts: list[str] = []
    store.before = lambda act, _name: acts.append(act)
    with pytest.raises(FixityMismatch, match="the key is not the one"):
        open_sealed(store, new_data_key(), sealed)
    assert acts == []


def test_an_absent_object_is_said_to_be_absent() -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")
    store.erase_many([sealed.name])
    with pytest.raises(NotFound):
        open_sealed(store, KEY, sealed)


def test_swapped_objects_are_refused() -> None:
    """Two objects of one size under one key: neither can stand for the other, nor one role for another."""
    store, recording_id = MemoryStore(), an_id()
    first, second = sealed_in(store, b"the first", recording_id), sealed_in(store, b"a second")
    peaks = sealed_in(store, b"peaks....", recording_id, "peaks")
    change(store, first.name, store.objects[second.name][: first.stored_bytes])
    for other in (second, peaks):
        padded = store.objects[other.name].ljust(first.stored_bytes, b"\0")[: first.stored_bytes]
        change(store, first.name, padded)
        with pytest.raises(FixityMismatch):
            open_sealed(store, KEY, first)


@pytest.mark.parametrize("change_by", [-1, 1])
def test_a_stored_size_that_differs_is_refused(change_by: int) -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")
    stored = store.objects[sealed.name]
    change(store, sealed.name, stored[:-1] if change_by < 0 else stored + b"x")
    with pytest.raises(FixityMismatch, match="were sealed"):
        open_sealed(store, KEY, sealed)


def test_the_last_piece_is_held_back_until_the_digest_agrees() -> None:
    """A catalogue row that was exchanged is noticed even where every segment is authentic."""
    store = MemoryStore()
    sealed = replace(sealed_in(store, bytes(3_000_000)), sha256=bytes(32))
    released: list[bytes] = []
    with pytest.raises(FixityMismatch, match="content"):
        released.extend(read_all(store, KEY, sealed))
    assert 0 < sum(map(len, released)) < sealed.size_bytes


@pytest.mark.parametrize("level", list(Level))
def test_fixity_finds_nothing_wrong_with_a_sound_object(level: Level) -> None:
    store = MemoryStore()
    sealed = sealed_in(store, bytes(2_000_000))
    assert check(store, sealed, level, KEY) is None


@pytest.mark.parametrize("level", list(Level))
def test_fixity_finds_an_absent_object(level: Level) -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")
    store.erase_many([sealed.name])
    finding = check(store, sealed, level, KEY)
    assert finding is not None
    assert (finding.name, finding.problem) == (sealed.name, Problem.ABSENT)


def test_fixity_sees_as_much_as_its_level_looks_at() -> None:
    store = MemoryStore()
    longer, changed = sealed_in(store, b"content"), sealed_in(store, b"content")
    change(store, longer.name, store.objects[longer.name] + b"x")
    change(store, changed.name, bytes(changed.stored_bytes))
    found = {
        level: [
            finding and finding.problem
            for finding in (check(store, one, level, KEY) for one in (longer, changed))
        ]
        for level in Level
    }
    assert found == {
        Level.PRESENCE: [None, None],
        Level.SIZE: [Problem.WRONG_SIZE, None],
        Level.DIGEST: [Problem.WRONG_SIZE, Problem.CHANGED],
    }


def test_fixity_tells_an_unavailable_store_from_a_lost_object() -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")

    def fail(_act: str, _name: str) -> None:
        raise StoreUnavailable

    store.before = fail
    with pytest.raises(StoreUnavailable):
        check(store, sealed, Level.PRESENCE)


def test_fixity_by_digest_needs_the_key() -> None:
    store = MemoryStore()
    with pytest.raises(InvalidInput):
        check(store, sealed_in(store, b"content"), Level.DIGEST)


def test_an_object_that_goes_while_its_digest_is_checked_is_absent() -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")

    def take_away(act: str, name: str) -> None:
        if act == "read":
            store.objects.pop(ObjectName(name), None)

    store.before = take_away
    found = check(store, sealed, Level.DIGEST, KEY)
    assert found is not None
    assert found.problem is Problem.ABSENT


def test_what_is_unpacked_is_what_was_sealed_or_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    sealed = sealed_in(store, b"content")
    with (
        pytest.raises(FixityMismatch, match="not the content that was sealed"),
        unsealed_file(tmp_path / "tmp", open_sealed(store, KEY, sealed), bytes(32), "the call"),
    ):
        pytest.fail("it was opened")
    assert list((tmp_path / "tmp").iterdir()) == []


UNPACK_WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
from retention.kernel.errors import ToolFailed
from retention.vault.open import open_sealed
from retention.vault.seal import seal
from retention.vault.unseal import unsealed_file
from tests.fakes.memory_store import MemoryStore
store, key = MemoryStore(), bytes(32)
sealed = seal(store, key, sys.argv[2], "original", [bytes(300_000)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with unsealed_file(Path(sys.argv[1]), open_sealed(store, key, sealed), sealed.sha256, "the call"):
        pass
except ToolFailed as error:
    print(error.message, error.hint)
"""


def test_a_disk_without_room_for_the_plain_content_is_said_and_keeps_none_of_it(tmp_path: Path) -> None:
    """A real limit on the size of files, in a process of its own, stands for a full disk."""
    told = subprocess.run(
        [sys.executable, "-c", UNPACK_WITHOUT_ROOM, str(tmp_path / "tmp"), an_id()],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "cannot be unpacked: File too large" in told.stdout
    assert list((tmp_path / "tmp").iterdir()) == []
