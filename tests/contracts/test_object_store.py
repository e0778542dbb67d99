"""The obligations of `ObjectStore`, on every adapter and on the fake."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retention.adapters.s3_client import S3Settings
from retention.adapters.store_folder import FolderStore
from retention.adapters.store_s3 import S3Store
from retention.kernel.clock import SystemClock
from retention.kernel.errors import InvalidInput, NotFound, ObjectExists, StoreUnavailable
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, ObjectStore, object_name
from tests.fakes.memory_store import MemoryStore

CLOCK = SystemClock()
BEYOND_ONE_PART = 12 << 20


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore.create(tmp_path / "vault")
    bucket = request.getfixturevalue("s3_bucket")
    settings = S3Settings(
        bucket.name, "vault/", bucket.endpoint_url, bucket.region, "path", part_bytes=5 << 20
    )
    return S3Store.create(settings, CLOCK)


def a_name(role: str = "original") -> ObjectName:
    return object_name(new_id(CLOCK.now()), role)


def put(store: ObjectStore, content: bytes = b"content", name: ObjectName | None = None) -> ObjectName:
    name = name or a_name()
    assert store.put_new(name, [content]) == len(content)
    return name


def content_of(store: ObjectStore, name: ObjectName, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(bytes(piece) for piece in store.read(name, start, length))


def test_what_was_put_is_read_again(store: ObjectStore) -> None:
    name = put(store, b"one two three")
    assert content_of(store, name) == b"one two three"
    assert store.size_of(name) == 13


def test_a_store_keeps_its_id(store: ObjectStore) -> None:
    assert store.store_id() == store.store_id()
    assert len(store.store_id()) >= 16


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    name = a_name()
    assert store.put_new(name, []) == 0
    assert store.size_of(name) == 0
    assert content_of(store, name) == b""


def test_long_content_in_odd_chunks_comes_back_whole(store: ObjectStore) -> None:
    pattern = bytes(range(251))
    content = (pattern * (BEYOND_ONE_PART // len(pattern) + 1))[:BEYOND_ONE_PART]
    name = a_name()
    chunks = (memoryview(content)[at : at + 700_001] for at in range(0, len(content), 700_001))
    assert store.put_new(name, chunks) == BEYOND_ONE_PART
    assert content_of(store, name) == content
    assert content_of(store, name, 5_242_870, 20) == content[5_242_870:5_242_890]


def test_each_chunk_is_consumed_before_the_next_is_asked_for(store: ObjectStore) -> None:
    buffer = bytearray(4)

    def chunks() -> Iterator[memoryview]:
        for word in (b"abcd", b"efgh", b"ijkl"):
            buffer[:] = word
            yield memoryview(buffer)

    name = a_name()
    store.put_new(name, chunks())
    assert content_of(store, name) == b"abcdefghijkl"


def test_a_name_is_given_once(store: ObjectStore) -> None:
    name = put(store, b"first")
    with pytest.raises(ObjectExists):
        store.put_new(name, [b"second"])
    assert content_of(store, name) == b"first"


def test_a_long_object_does_not_replace_a_short_one(store: ObjectStore) -> None:
    name = put(store, b"first")
    with pytest.raises(ObjectExists):
        store.put_new(name, [bytes(BEYOND_ONE_PART)])
    assert content_of(store, name) == b"first"
    assert store.erase_many([name]) == {}
    assert store.remains([name]) == set()


def test_exactly_one_of_many_racing_puts_wins(store: ObjectStore) -> None:
    name, outcomes = a_name(), []

    def racer(number: int) -> None:
        try:
            store.put_new(name, [b"%d" % number])
            outcomes.append(number)
        except ObjectExists:
            pass

    threads = [threading.Thread(target=racer, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert content_of(store, name) == b"%d" % outcomes[0]


@pytest.mark.parametrize("before", [b"", bytes(100), bytes(BEYOND_ONE_PART)], ids=["at once", "soon", "late"])
def test_a_put_whose_chunks_fail_leaves_nothing(store: ObjectStore, before: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield before
        raise OSError("the microphone fell off")

    name = a_name()
    with pytest.raises(OSError, match="microphone"):
        store.put_new(name, chunks())
    assert store.size_of(name) is None
    assert store.remains([name]) == set()
    assert list(store.list_names()) == []


def test_a_batch_is_put_first_and_made_durable_together(store: ObjectStore) -> None:
    names = [a_name() for _ in range(20)]
    for name in names:
        store.put_new(name, [name.encode()], durable=False)
    store.sync(names)
    assert [content_of(store, name) for name in names] == [name.encode() for name in names]
    store.sync([])


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (0, 4, b"0123"),
        (9, 1, b"9"),
        (4, 0, b""),
        (10, None, b""),
    ],
)
def test_a_range_gives_exactly_its_bytes(
    store: ObjectStore, start: int, length: int | None, expected: bytes
) -> None:
    assert content_of(store, put(store, b"0123456789"), start, length) == expected


@pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1), (0, 11), (11, None), (10, 1), (11, 0)])
def test_a_range_outside_the_object_is_refused(store: ObjectStore, start: int, length: int | None) -> None:
    name = put(store, b"0123456789")
    with pytest.raises(InvalidInput):
        content_of(store, name, start, length)


def test_reading_what_is_absent_finds_nothing(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        content_of(store, a_name())
    with pytest.raises(NotFound):
        content_of(store, a_name(), 5, 0)
    assert store.size_of(a_name()) is None


def test_erasing_leaves_nothing_and_may_be_repeated(store: ObjectStore) -> None:
    names = [put(store) for _ in range(5)]
    kept = put(store, b"kept")
    assert store.remains([*names, kept]) == {*names, kept}
    assert store.erase_many(names) == {}
    assert store.remains(names) == set()
    assert store.erase_many(names) == {}
    assert [store.size_of(name) for name in names] == [None] * 5
    assert content_of(store, kept) == b"kept"


def test_erasing_nothing_and_the_absent_is_no_failure(store: ObjectStore) -> None:
    assert store.erase_many([]) == {}
    assert store.remains([]) == set()
    assert store.erase_many([a_name()]) == {}


def test_an_erased_name_may_be_given_again(store: ObjectStore) -> None:
    name = put(store, b"old")
    store.erase_many([name])
    put(store, b"new", name)
    assert content_of(store, name) == b"new"


def test_a_protected_object_is_not_erased_and_the_others_are(store: ObjectStore) -> None:
    held, free = put(store, b"held"), put(store, b"free")
    store.protect([held], True)
    store.protect([held], True)
    failures = store.erase_many([held, free])
    assert set(failures) == {held}
    assert failures[held]
    assert store.remains([held, free]) == {held}
    assert content_of(store, held) == b"held"
    store.protect([held], False)
    store.protect([held], False)
    assert store.erase_many([held]) == {}
    assert store.remains([held]) == set()


def test_what_is_absent_is_passed_over_and_the_others_are_protected(store: ObjectStore) -> None:
    lost, held = a_name(), put(store, b"held")
    store.protect([lost, held], True)
    assert set(store.erase_many([held])) == {held}
    store.protect([lost, held], False)
    assert store.erase_many([held]) == {}


def test_names_are_listed_in_order_with_size_and_time(store: ObjectStore) -> None:
    before = CLOCK.now() - timedelta(seconds=2)
    names = [a_name(role) for role in ("original", "peaks", "thumbnail") for _ in range(4)]
    for name in names:
        put(store, name.encode() * 2, name)
    listed = list(store.list_names(""))
    assert [name for name, _, _ in listed] == sorted(names)
    assert {size for _, size, _ in listed} == {len(name) * 2 for name in names}
    assert all(before <= at <= CLOCK.now() + timedelta(seconds=2) for _, _, at in listed)
    assert all(at.utcoffset() == timedelta(0) for _, _, at in listed)


def plant(store: ObjectStore, name: str, content: bytes) -> None:
    """Put something into the store past its door, as others can."""
    if isinstance(store, MemoryStore):
        store.aliens[name] = content
    elif isinstance(store, FolderStore):
        path = store._root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    else:
        assert isinstance(store, S3Store)
        store._client.put_object(**store._at, Key=store._settings.prefix + name, Body=content)


STRANGE = ["9V/notes.txt", "9V/01ARZ3NDEKTSV4RRFFQ69G5FAV.original", "read me.txt"]


def test_what_others_put_there_is_listed_as_strange_and_no_object(store: ObjectStore) -> None:
    name = put(store)
    assert list(store.strangers(CLOCK.now() + timedelta(days=1))) == []
    for number, strange in enumerate(STRANGE):
        plant(store, strange, bytes(number))
    listed = {each: size for each, size, _ in store.strangers(CLOCK.now())}
    assert listed == {strange: number for number, strange in enumerate(STRANGE)}
    assert [each for each, _, _ in store.list_names()] == [name]


def test_what_is_strange_is_erased_by_its_name_and_nothing_else_is(store: ObjectStore) -> None:
    name = put(store)
    for strange in STRANGE:
        plant(store, strange, b"x")
    assert store.erase_strangers([*STRANGE[:2], "9V/absent"]) == {}
    assert [each for each, _, _ in store.strangers(CLOCK.now())] == STRANGE[2:]
    folder = "objects/" if isinstance(store, FolderStore) else ""
    for ours in (f"{folder}{name}", "store-id", ""):
        with pytest.raises(InvalidInput):
            store.erase_strangers([STRANGE[2], ours])
    assert [each for each, _, _ in store.strangers(CLOCK.now())] == STRANGE[2:]
    assert content_of(store, name) == b"content"
    assert store.store_id()


def test_a_prefix_narrows_the_list(store: ObjectStore) -> None:
    names = sorted(put(store) for _ in range(8))
    for prefix in (names[0][:1], names[0][:2], names[0][:10], names[0]):
        expected = [name for name in names if name.startswith(prefix)]
        assert [name for name, _, _ in store.list_names(prefix)] == expected
    assert list(store.list_names("nothing")) == []


def test_a_hundred_objects_are_listed_erased_and_proved_absent(store: ObjectStore) -> None:
    names = [a_name() for _ in range(100)]
    for name in names:
        store.put_new(name, [b"x"], durable=False)
    store.sync(names)
    doomed, kept = names[::2], names[1::2]
    assert store.erase_many(doomed) == {}
    assert store.remains(names) == set(kept)
    assert [name for name, _, _ in store.list_names()] == sorted(kept)


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "AA/01ARZ3NDEKTSV4RRFFQ69G5FAV.original"])
def test_a_name_that_we_did_not_make_is_refused_everywhere(store: ObjectStore, name: str) -> None:
    bad = ObjectName(name)
    for act in (
        lambda: store.put_new(bad, [b""]),
        lambda: store.sync([bad]),
        lambda: list(store.read(bad)),
        lambda: store.size_of(bad),
        lambda: store.erase_many([bad]),
        lambda: store.remains([bad]),
        lambda: store.protect([bad], True),
    ):
        with pytest.raises(InvalidInput):
            act()


def test_sweeping_never_touches_an_object(store: ObjectStore) -> None:
    name = put(store)
    assert store.sweep(datetime(2100, 1, 1, tzinfo=UTC)) == 0
    assert content_of(store, name) == b"content"


def a_store_whose_medium_is_absent(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if kind == "folder":
        return FolderStore(tmp_path / "not-mounted")
    bucket = request.getfixturevalue("s3_bucket")
    return S3Store(S3Settings("no-such-bucket", "", bucket.endpoint_url, bucket.region, "path"), CLOCK)


@pytest.mark.parametrize("kind", ["folder", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_store_without_its_medium_is_unavailable_never_empty(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store, name = a_store_whose_medium_is_absent(kind, request, tmp_path), a_name()
    for act in (
        store.store_id,
        lambda: store.put_new(name, [b""]),
        lambda: list(store.read(name)),
        lambda: store.size_of(name),
        lambda: store.erase_many([name]),
        lambda: store.remains([name]),
        lambda: list(store.list_names()),
        lambda: store.protect([name], True),
        lambda: store.sweep(CLOCK.now()),
    ):
        with pytest.raises(StoreUnavailable):
            act()
