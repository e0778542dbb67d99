"""The file behind a link opens for who has the link and the passphrase, and for nobody else."""

import base64
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.kernel.errors import FixityMismatch, InvalidInput, NotPermitted
from retention.outbox.link import (
    Cost,
    Head,
    id_of,
    link_text,
    open_content,
    read_head,
    sealed_file,
    token_of,
)
from retention.outbox.passphrase import ALPHABET, ARCHIVE_GROUPS, as_meant, new_passphrase
from retention.vault.envelope import stored_size
from tests.builders.outbox import CHEAP, PASSPHRASE, STORE

TOKEN = bytes(range(32))
HEAD = Head(id_of(TOKEN), STORE, "ja", "Asia/Tokyo", datetime(2026, 11, 2, tzinfo=UTC), 11, CHEAP, bytes(16))
FILE = b"".join(sealed_file(HEAD, TOKEN, PASSPHRASE, [b"hello ", b"world"]))


@contextmanager
def on_disk(content: bytes) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        yield file


def opened(content: bytes, token: bytes = TOKEN, passphrase: str = PASSPHRASE) -> bytes:
    with on_disk(content) as file:
        return open_content(file, read_head(file), token, passphrase).read()


def test_both_together_open_it() -> None:
    assert opened(FILE) == b"hello world"
    with on_disk(FILE) as file:
        assert read_head(file).head == HEAD


@given(st.binary(min_size=32, max_size=32))
def test_no_other_link_opens_it(token: bytes) -> None:
    if token != TOKEN:
        with pytest.raises(NotPermitted):
            opened(FILE, token)


@given(st.text())
def test_no_other_passphrase_opens_it(passphrase: str) -> None:
    if as_meant(passphrase) != as_meant(PASSPHRASE):
        with pytest.raises(NotPermitted):
            opened(FILE, passphrase=passphrase)


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_every_changed_byte_is_found(at: int, by: int) -> None:
    changed = bytearray(FILE)
    changed[at] ^= by
    with pytest.raises((InvalidInput, NotPermitted, FixityMismatch)):
        opened(bytes(changed))


@given(st.integers(0, len(FILE) - 1))
def test_every_cut_is_found(length: int) -> None:
    with pytest.raises(InvalidInput):
        opened(FILE[:length])


def test_what_is_appended_is_found() -> None:
    with pytest.raises(InvalidInput, match="cut off"):
        opened(FILE + b"\x00")


@pytest.mark.parametrize(
    "cost", [Cost(11, 8, 1), Cost(1, 1 << 20, 1), Cost(1, 8, 9), Cost(0, 8, 1), Cost(1, 8, 2)]
)
def test_a_file_cannot_ask_for_more_work_than_the_machine_bears(cost: Cost) -> None:
    line = FILE.partition(b"\n")
    changed = line[0].replace(b'"passes":1', f'"passes":{cost.passes}'.encode())
    changed = changed.replace(b'"memory_kib":8', f'"memory_kib":{cost.memory_kib}'.encode())
    changed = changed.replace(b'"lanes":1', f'"lanes":{cost.lanes}'.encode())
    with on_disk(changed + b"\n" + line[2]) as file, pytest.raises(InvalidInput):
        read_head(file)
    assert not cost.is_bearable()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"[" * 5000 + b"\n", bytes(range(100))]
)
def test_whatever_else_lies_there_is_no_file_of_an_outbox(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_head(io.BytesIO(content))


def test_a_zone_that_nobody_knows_is_no_file_of_an_outbox() -> None:
    other = b"".join(sealed_file(replace(HEAD, zone="../../etc/passwd"), TOKEN, PASSPHRASE, [b"hello world"]))
    with pytest.raises(InvalidInput):
        read_head(io.BytesIO(other))


def test_a_guess_costs_what_rfc_9106_recommends() -> None:
    assert (Cost().passes, Cost().memory_kib, Cost().lanes) == (3, 65_536, 4)
    assert Cost().is_bearable()


@given(st.binary(min_size=32, max_size=32))
def test_a_token_has_one_form_in_a_link(token: bytes) -> None:
    text = link_text(token)
    assert token_of(text) == token
    assert len(text) == 43
    others = (
        text + "=",
        " " + text,
        text[:-1],
        base64.b64encode(token).decode(),
        text[:-1] + chr(ord(text[-1]) + 1),
    )
    assert all(token_of(other) != token for other in others if other != text)


@given(st.text())
def test_no_text_breaks_a_link(text: str) -> None:
    token = token_of(text)
    assert token is None or link_text(token) == text


def test_the_outbox_s_name_of_a_link_does_not_lead_to_it() -> None:
    assert link_text(TOKEN).encode() not in FILE
    assert TOKEN not in FILE
    assert TOKEN.hex().encode() not in FILE
    assert PASSPHRASE.encode() not in FILE
    assert stored_size(HEAD.size_bytes) == len(FILE.partition(b"\n")[2])


def test_passphrases_are_made_of_what_cannot_be_mistaken() -> None:
    assert not set("0o1il") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 31
    found = {new_passphrase(ARCHIVE_GROUPS) for _ in range(200)}
    assert len(found) == 200
    assert set("".join(found)) == {*ALPHABET, "-"}
