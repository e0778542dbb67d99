"""The file of a backup gives back what went in, whatever the sizes, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.custody import archive
from retention.custody.archive import MANIFEST, Head, Member, members_of, verify_archive, write_archive
from retention.kernel.errors import FixityMismatch, InvalidInput
from retention.vault.signing import Signer
from tests.fakes.memory_keys import MemoryKeys

KEY = bytes(range(32))
HEAD = Head("01KJP0Y9M00000000000000000", "2026-03-02T01:00:00.000000Z")
SIGNER = Signer(MemoryKeys())


def write(path: Path, members: list[tuple[str, bytes]], key: bytes = KEY) -> Path:
    pieces: list[bytes] = []
    write_archive(pieces.append, key, SIGNER, HEAD, members, lambda: {"rows": len(members)})
    path.write_bytes(b"".join(pieces))
    return path


@settings(max_examples=30)
@given(
    contents=st.lists(st.binary(max_size=3_000), max_size=6),
    size=st.sampled_from([0, 511, 512, 65_479, 1_100_000]),
)
def test_members_come_back_in_order_and_whole(tmp_path: Path, contents: list[bytes], size: int) -> None:
    members = [(f"part/{number}", content) for number, content in enumerate([*contents, bytes(size)])]

    path = write(tmp_path / "b", members)

    assert verify_archive(path, KEY, SIGNER.is_ours)["rows"] == len(members)
    *found, (last, _) = members_of(path, KEY)
    assert found == members
    assert last == MANIFEST


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "b", [("a", b"content")])

    with pytest.raises(InvalidInput, match="keys do not open it"):
        list(members_of(path, bytes(32)))


def test_a_member_that_the_manifest_does_not_list_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with the keys, but without the signature, puts a row in."""
    honest = archive._with_manifest

    def dishonest(*given: Any) -> Iterator[Member]:
        *real, last = honest(*given)
        return iter([*real, ("tables/hold/000009.jsonl", b"[]"), last])

    monkeypatch.setattr(archive, "_with_manifest", dishonest)
    path = write(tmp_path / "b", [("a", b"content")])

    with pytest.raises(FixityMismatch, match="does not hold what its manifest lists"):
        verify_archive(path, KEY, SIGNER.is_ours)


@pytest.mark.parametrize(
    ("rearranged", "why"),
    [
        (lambda members, manifest: [*members, manifest, ("a", b"content")], "goes on after its manifest"),
        (lambda members, _: members, "has no manifest"),
    ],
)
def test_a_manifest_is_there_and_the_last_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rearranged: Callable[..., list[Member]], why: str
) -> None:
    honest = archive._with_manifest

    def dishonest(*given: Any) -> Iterator[Member]:
        *members, manifest = honest(*given)
        return iter(rearranged(members, manifest))

    monkeypatch.setattr(archive, "_with_manifest", dishonest)
    with pytest.raises(FixityMismatch, match=why):
        verify_archive(write(tmp_path / "b", [("a", b"content")]), KEY, SIGNER.is_ours)


def test_what_this_store_sealed_and_is_no_archive_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_gzipped", lambda _: iter([b"this is no archive"]))
    with pytest.raises(FixityMismatch, match="its content cannot be read"):
        list(members_of(write(tmp_path / "b", []), KEY))


def test_what_cannot_be_read_is_no_backup(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            archive.read_head(path)
