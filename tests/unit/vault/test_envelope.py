"""The sealed form: Tink's format byte for byte, seekable, and refused when anything was changed."""

import base64
import hashlib
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.kernel.errors import FixityMismatch, InvalidInput
from retention.vault.envelope import (
    BATCH_PLAIN_BYTES,
    FIRST_BATCH_PLAIN_BYTES,
    FIRST_PLAIN_BYTES,
    HEADER_BYTES,
    PLAIN_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    SealedReader,
    associated_data,
    commitment,
    encrypt,
    plain_size,
    stored_size,
)
from tests.fixtures.tink_oracle import tink_decrypt, tink_encrypt

KEY = bytes(range(32))
BOUND = associated_data("01ARZ3NDEKTSV4RRFFQ69G5FAV", "original")
CONTENT = os.urandom(FIRST_PLAIN_BYTES + 3 * PLAIN_BYTES)
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "vault.json").read_text(encoding="utf-8")
)["vectors"]

EDGES = sorted(
    {
        max(0, edge + step)
        for edge in (
            0,
            FIRST_PLAIN_BYTES,
            FIRST_PLAIN_BYTES + PLAIN_BYTES,
            FIRST_BATCH_PLAIN_BYTES,
            FIRST_BATCH_PLAIN_BYTES + BATCH_PLAIN_BYTES,
        )
        for step in (-1, 0, 1)
    }
)


def sealed_form(content: bytes, key: bytes = KEY, bound: bytes = BOUND) -> bytes:
    return b"".join(encrypt(key, bound, [content]))


def reader_of(sealed: bytes, key: bytes = KEY, bound: bytes = BOUND) -> SealedReader:
    return SealedReader(lambda start, length: sealed[start : start + length], key, bound, len(sealed))


def refuses(sealed: bytes, key: bytes = KEY, bound: bytes = BOUND) -> bool:
    try:
        reader_of(sealed, key, bound).read()
    except FixityMismatch:
        return True
    return False


@pytest.mark.parametrize("size", [*EDGES, 3_000_000])
def test_tink_reads_what_we_wrote_and_we_read_what_tink_wrote(size: int) -> None:
    content = os.urandom(size)
    ours, theirs = sealed_form(content), tink_encrypt(KEY, BOUND, content)
    assert len(ours) == len(theirs) == stored_size(size)
    assert tink_decrypt(KEY, BOUND, ours) == content
    assert reader_of(theirs).read() == content


@settings(max_examples=60, deadline=None)
@given(
    size=st.one_of(st.sampled_from(EDGES), st.integers(0, 400_000)),
    cuts=st.lists(st.integers(0, 400_000), max_size=6),
)
def test_how_content_is_cut_into_chunks_does_not_show(size: int, cuts: list[int]) -> None:
    content = bytes(size)
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    chunks = [content[start:end] for start, end in pairwise(edges)]
    fixed = {"salt": bytes(32), "prefix": bytes(7)}
    whole = b"".join(encrypt(KEY, BOUND, [content], **fixed))
    assert b"".join(encrypt(KEY, BOUND, chunks, **fixed)) == whole
    assert reader_of(whole).read() == content


@given(start=st.integers(0, len(CONTENT) + 10), length=st.integers(0, len(CONTENT) + 10))
@settings(max_examples=150, deadline=None)
def test_any_range_is_that_part_of_the_content(start: int, length: int) -> None:
    assert LONG_READER.read(start, length) == CONTENT[start : start + length]
    assert LONG_READER.read(start) == CONTENT[start:]


LONG = sealed_form(CONTENT)
LONG_READER = reader_of(LONG)


def test_a_range_fetches_only_the_segments_it_touches() -> None:
    fetched: list[tuple[int, int]] = []

    def read_at(start: int, length: int) -> bytes:
        fetched.append((start, length))
        return LONG[start : start + length]

    reader = SealedReader(read_at, KEY, BOUND, len(LONG))
    fetched.clear()
    assert reader.read(FIRST_PLAIN_BYTES, 1) == CONTENT[FIRST_PLAIN_BYTES : FIRST_PLAIN_BYTES + 1]
    assert fetched == [(SEGMENT_BYTES, SEGMENT_BYTES)]


def test_a_negative_range_is_refused() -> None:
    for start, length in ((-1, None), (0, -1)):
        with pytest.raises(InvalidInput):
            LONG_READER.read(start, length)


@given(size=st.integers(0, 2**47))
def test_sizes_translate_both_ways(size: int) -> None:
    assert plain_size(stored_size(size)) == size


@given(stored=st.integers(0, 500_000))
def test_a_stored_size_is_either_of_some_content_or_refused(stored: int) -> None:
    try:
        assert stored_size(plain_size(stored)) == stored
    except FixityMismatch:
        assert all(stored_size(size) != stored for size in range(max(0, stored - 200), stored))


POSITIONS = st.one_of(
    st.integers(0, HEADER_BYTES - 1),
    st.integers(HEADER_BYTES, SEGMENT_BYTES - 1),
    st.integers(SEGMENT_BYTES, 2 * SEGMENT_BYTES - 1),
    st.integers(len(LONG) - SEGMENT_BYTES, len(LONG) - 1),
    st.integers(len(LONG) - TAG_BYTES, len(LONG) - 1),
)


@given(position=POSITIONS, bit=st.integers(0, 7))
@settings(max_examples=120, deadline=None)
def test_one_flipped_bit_anywhere_is_refused(position: int, bit: int) -> None:
    changed = bytearray(LONG)
    changed[position] ^= 1 << bit
    assert refuses(bytes(changed))


def test_every_bit_of_the_header_counts() -> None:
    sealed = sealed_form(b"content")
    for position in range(HEADER_BYTES):
        changed = bytearray(sealed)
        changed[position] ^= 1
        assert refuses(bytes(changed)), position


def test_a_changed_segment_does_not_spoil_the_others_and_is_never_released() -> None:
    changed = bytearray(LONG)
    changed[SEGMENT_BYTES + 5] ^= 1
    reader = reader_of(bytes(changed))
    assert reader.read(0, FIRST_PLAIN_BYTES) == CONTENT[:FIRST_PLAIN_BYTES]
    with pytest.raises(FixityMismatch):
        next(reader.chunks(FIRST_PLAIN_BYTES, PLAIN_BYTES))


@given(kept=st.one_of(st.integers(0, len(LONG) - 1), st.sampled_from([SEGMENT_BYTES * n for n in range(4)])))
@settings(max_examples=80, deadline=None)
def test_a_cut_object_is_refused_before_a_byte_is_read(kept: int) -> None:
    with pytest.raises(FixityMismatch):
        reader_of(LONG[:kept])


@given(added=st.binary(min_size=1, max_size=100))
@settings(deadline=None)
def test_appended_bytes_are_refused(added: bytes) -> None:
    with pytest.raises(FixityMismatch):
        reader_of(LONG + added)


def test_an_appended_whole_segment_is_refused() -> None:
    with pytest.raises(FixityMismatch):
        reader_of(LONG + LONG[SEGMENT_BYTES : 2 * SEGMENT_BYTES])


def test_an_object_that_ends_earlier_than_said_is_refused() -> None:
    with pytest.raises(FixityMismatch):
        SealedReader(lambda start, length: LONG[start : start + length][:-1], KEY, BOUND, len(LONG))


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 1)])
def test_reordered_and_repeated_segments_are_refused(one: int, other: int) -> None:
    segments = [LONG[at : at + SEGMENT_BYTES] for at in range(0, len(LONG), SEGMENT_BYTES)]
    repeated = list(segments)
    repeated[one] = segments[other]
    assert refuses(b"".join(repeated))
    swapped = list(segments)
    swapped[one], swapped[other] = segments[other], segments[one]
    assert refuses(b"".join(swapped))
    dropped = segments[:one] + segments[one + 1 :]
    assert refuses(b"".join(dropped))


def test_a_segment_of_another_object_under_the_same_key_is_refused() -> None:
    other = sealed_form(CONTENT)
    mixed = LONG[:SEGMENT_BYTES] + other[SEGMENT_BYTES : 2 * SEGMENT_BYTES] + LONG[2 * SEGMENT_BYTES :]
    assert refuses(mixed)


def test_an_object_is_bound_to_its_recording_and_role() -> None:
    sealed = sealed_form(b"content")
    assert refuses(sealed, bound=associated_data("01ARZ3NDEKTSV4RRFFQ69G5FAV", "peaks"))
    assert refuses(sealed, bound=associated_data("01BX5ZZKBKACTAV9WEVGEMMVRZ", "original"))
    assert refuses(sealed, key=bytes(32))


def test_two_seals_of_one_content_share_nothing() -> None:
    first, second = sealed_form(bytes(100_000)), sealed_form(bytes(100_000))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    assert same < len(first) / 100


def test_a_commitment_belongs_to_one_key_and_one_object() -> None:
    other = associated_data("01ARZ3NDEKTSV4RRFFQ69G5FAV", "peaks")
    assert commitment(KEY, BOUND) == commitment(KEY, BOUND)
    assert len({commitment(KEY, BOUND), commitment(bytes(32), BOUND), commitment(KEY, other)}) == 3


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput):
        list(encrypt(bytes(16), BOUND, [b""]))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_known_answers(vector: dict[str, Any]) -> None:
    """These bytes were sealed by the first release; every later one must make and read them."""
    key, content = bytes.fromhex(vector["key"]), bytes([vector["content_byte"]]) * vector["content_bytes"]
    bound = associated_data(vector["recording"], vector["role"])
    sealed = b"".join(
        encrypt(
            key, bound, [content], salt=bytes.fromhex(vector["salt"]), prefix=bytes.fromhex(vector["prefix"])
        )
    )
    assert bound.decode() == vector["associated_data"]
    assert commitment(key, bound).hex() == vector["commitment"]
    assert len(sealed) == vector["stored_bytes"]
    assert hashlib.sha256(sealed).hexdigest() == vector["stored_sha256"]
    if "stored" in vector:
        assert base64.b64encode(sealed).decode() == vector["stored"]
    assert tink_decrypt(key, bound, sealed) == reader_of(sealed, key, bound).read() == content
