"""What lies in an outbox is believed as far as it can be read, and breaks nothing."""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.kernel.errors import InvalidInput, StoreUnavailable
from retention.outbox.address import Address, check
from retention.outbox.folder import LINK, RECEIPT, Folder, Receipt, read_receipt
from tests.builders.outbox import Outbox

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
KNOWN = Receipt("ab" * 32, "waiting", 2, 1, 0, None, NOW)


def written(folder: Path, receipt: Receipt) -> bytes:
    Folder(folder).put_receipt(receipt)
    return (folder / f"{receipt.id}{RECEIPT}").read_bytes()


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_receipt(written(tmp_path, KNOWN)) == KNOWN
    assert [*Folder(tmp_path).receipts()] == [KNOWN]
    assert [path.name for path in tmp_path.iterdir()] == [f"{KNOWN.id}{RECEIPT}"]


@given(st.binary(max_size=300))
def test_no_bytes_are_more_than_no_receipt(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_receipt(content)


@given(st.integers(0, 200), st.integers(0, 255))
def test_no_changed_receipt_breaks_its_reader(at: int, by: int) -> None:
    content = bytearray(
        b'{"ended_at":"2026-11-02T03:04:05.000000Z","format":"retention-receipt/1","id":"' + b"ab" * 32
        + b'","starts":0,"started_at":null,"state":"waiting","tried":2,"wrong":1}\n'
    )  # fmt: skip
    content[at % len(content)] = by
    try:
        found = read_receipt(bytes(content))
    except InvalidInput:
        return
    assert found.ended_at is None or found.ended_at.tzinfo is UTC


@pytest.mark.parametrize(
    "field",
    [
        b'"tried":true',
        b'"tried":-1.5',
        b'"tried":"2"',
        b'"ended_at":"9999-12-31T23:59:59-23:59"',
        b'"more":1,"tried":2',
    ],
)
def test_a_receipt_has_the_fields_it_has_and_no_other(tmp_path: Path, field: bytes) -> None:
    name = field.partition(b":")[0]
    content = written(tmp_path, KNOWN)
    old = (
        b'"tried":2' if name in (b'"tried"', b'"more"') else content[content.index(name) :].partition(b",")[0]
    )
    with pytest.raises(InvalidInput):
        read_receipt(content.replace(old, field))


def test_a_receipt_under_another_s_name_is_nobody_s(tmp_path: Path) -> None:
    (tmp_path / f"{'cd' * 32}{RECEIPT}").write_bytes(written(tmp_path, KNOWN))
    (tmp_path / f"{KNOWN.id}{RECEIPT}").unlink()
    assert [*Folder(tmp_path).receipts()] == []


@pytest.mark.parametrize(
    "name", ["x.link", ".link", "AB" * 32 + ".link", "ab" * 31 + ".link", "../x.link", "notes.txt"]
)
def test_what_is_not_named_as_a_link_is_none(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / name).write_bytes(b"x")
    assert [*Folder(folder).links()] == []


def test_an_id_that_no_file_has_opens_nothing(tmp_path: Path) -> None:
    assert Folder(tmp_path).open(KNOWN.id) is None
    Folder(tmp_path).take_away(KNOWN.id)


def test_an_outbox_that_is_no_folder_any_more_is_unavailable_and_a_live_link_is_said_to_be_one(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path / "outbox")
    folder.make()
    written_before = folder.write([b"x"])
    (tmp_path / "outbox").rename(tmp_path / "unmounted")
    (tmp_path / "outbox").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        folder.write([b"x"])
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        folder.publish(written_before, f"{KNOWN.id}{LINK}")
    with pytest.raises(StoreUnavailable, match="cannot be changed") as caught:
        folder.take_away(KNOWN.id)
    assert "by hand" in caught.value.hint


def test_what_is_no_receipt_is_passed_over_and_the_others_are_read(tmp_path: Path) -> None:
    written(tmp_path, KNOWN)
    (tmp_path / f"{'cd' * 32}{RECEIPT}").write_bytes(b"no receipt")
    (tmp_path / f"{'ef' * 32}{RECEIPT}").mkdir()
    assert [*Folder(tmp_path).receipts()] == [KNOWN]


def test_a_link_under_another_s_name_opens_for_nobody(tmp_path: Path) -> None:
    outbox = Outbox(Folder(tmp_path))
    put, other = outbox.put(), "ab" * 32
    (tmp_path / f"{put.id}{LINK}").rename(tmp_path / f"{other}{LINK}")
    assert outbox.folder.open(other) is None


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("outbox.example", False)],
)
def test_without_tls_this_machine_alone_is_listened_to_however_it_is_named(
    host: str, *, is_here: bool
) -> None:
    with nullcontext() if is_here else pytest.raises(InvalidInput, match="without TLS"):
        check(Address(host, 0))
