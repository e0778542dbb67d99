"""The offline verifier finds every change of a package, whether archive or folder."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.disclosure.archive import archive, part_of
from retention.disposal import verifier
from retention.kernel.errors import FixityMismatch
from tests.builders.packages import CONTENTS, PUBLIC_KEY, package, signer, unzipped

PACKAGE = package()
OTHER_KEY = package(seed=bytes(32))


def checked(content: bytes, pinned: bytes | None = PUBLIC_KEY) -> dict[str, object]:
    return verifier._check_archive(io.BytesIO(content), pinned)[0]


def refused(content: bytes) -> bool:
    """Whether the verifier refuses it, in one of the ways in which its command line says so."""
    try:
        checked(content)
    except (verifier.NotAuthentic, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return True
    return False


def test_a_package_that_nobody_changed_holds(tmp_path: Path) -> None:
    assert checked(PACKAGE)["receipt"] == "2026-0001"
    folder = unzipped(PACKAGE, tmp_path)
    found, key = verifier.check_package(folder, PUBLIC_KEY)
    assert {each["name"] for each in found["files"]} == set(CONTENTS)
    assert key == PUBLIC_KEY


def test_an_archive_beyond_four_gigabytes_has_the_headers_that_others_read() -> None:
    """No file so large is written: the directory is the one that a library reads back."""
    entries = [("a.mp4", (1 << 33) + 1, 7), ("b.mp4", 5, 9)]
    tail = verifier.directory(entries)
    at = sum(len(verifier.local_header(*each)) + each[1] for each in entries)

    class Sparse(io.BytesIO):
        """The archive's end, where it would stand."""

        def seek(self, offset: int, whence: int = 0) -> int:
            return super().seek(offset - at if whence == 0 else offset, whence) + at

        def tell(self) -> int:
            return super().tell() + at

    with zipfile.ZipFile(Sparse(tail)) as found:
        listed = [(each.filename, each.file_size, each.CRC) for each in found.infolist()]
        assert listed == entries
        assert found.infolist()[1].header_offset == at - 5 - len(verifier.local_header(*entries[1]))
    assert len(verifier.local_header(*entries[0])) == len(verifier.local_header("a.mp4", 1, 7)) + 20


@settings(max_examples=300)
@given(st.data())
def test_every_changed_added_or_removed_byte_of_an_archive_is_found(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PACKAGE) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    changed = PACKAGE[:at] + put + PACKAGE[at + length :]
    assert refused(changed) is (changed != PACKAGE)


def test_every_single_byte_counts() -> None:
    for at in range(len(PACKAGE)):
        changed = bytearray(PACKAGE)
        changed[at] ^= 1 << at % 8
        assert refused(bytes(changed)), at


def again(change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The package with its entries changed, zipped by an ordinary library."""
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as found:
        contents = {name: found.read(name) for name in found.namelist()}
    change(contents)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 0
            with archive.open(info, "w") as member:
                member.write(content)
            archive.getinfo(name).external_attr = 0
    return written.getvalue()


LETTER = "letter.pdf"
MUTATIONS: dict[str, Callable[[dict[str, bytes]], object]] = {
    "a file is added": lambda files: files.update({"virus.exe": b"MZ"}),
    "a file climbs out": lambda files: files.update({"../../etc/passwd": b"x"}),
    "a file is removed": lambda files: files.pop(LETTER),
    "a file is renamed": lambda files: files.update({"letter2.pdf": files.pop(LETTER)}),
    "two files change places": lambda files: files.update(
        {LETTER: files["README.txt"], "README.txt": files[LETTER]}
    ),
    "the manifest is gone": lambda files: files.pop("manifest.json"),
    "the signature is gone": lambda files: files.pop("manifest.sig"),
    "a digest is edited": lambda files: files.update(
        {"manifest.json": files["manifest.json"].replace(b'"sha256":"', b'"sha256":"00', 1)}
    ),
    "the receipt is edited": lambda files: files.update(
        {"manifest.json": files["manifest.json"].replace(b"2026-0001", b"2026-0002")}
    ),
}


def test_the_library_writes_the_same_package_where_nothing_is_changed() -> None:
    assert again(lambda _: None) == PACKAGE


@pytest.mark.parametrize("change", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_an_archive_that_was_made_anew_is_found(change: Callable[[dict[str, bytes]], object]) -> None:
    assert refused(again(change))


@pytest.mark.parametrize("why", [each for each in MUTATIONS if each != "a file climbs out"])
def test_a_folder_that_was_changed_is_found(why: str, tmp_path: Path) -> None:
    folder = unzipped(again(MUTATIONS[why]), tmp_path)
    with pytest.raises(verifier.NotAuthentic):
        verifier.check_package(folder, PUBLIC_KEY)


@pytest.mark.parametrize("strange", ["empty", "recordings/empty"])
def test_even_an_empty_folder_does_not_belong_there(strange: str, tmp_path: Path) -> None:
    folder = unzipped(PACKAGE, tmp_path)
    (folder / strange).mkdir()
    with pytest.raises(verifier.NotAuthentic, match="empty does not belong"):
        verifier.check_package(folder, PUBLIC_KEY)


def test_a_folder_with_a_link_in_place_of_a_file_is_found(tmp_path: Path) -> None:
    folder = unzipped(PACKAGE, tmp_path / "package")
    (folder / LETTER).rename(tmp_path / "elsewhere")
    (folder / LETTER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(verifier.NotAuthentic, match=r"letter\.pdf is missing"):
        verifier.check_package(folder, PUBLIC_KEY)


def test_a_file_that_goes_on_after_its_end_is_found(tmp_path: Path) -> None:
    folder = unzipped(PACKAGE, tmp_path)
    with (folder / LETTER).open("ab") as file:
        file.write(b"x")
    with pytest.raises(verifier.NotAuthentic, match="longer than the manifest says"):
        verifier.check_package(folder, PUBLIC_KEY)


def test_a_package_that_somebody_else_signed_is_found_by_whoever_knows_the_key() -> None:
    with pytest.raises(verifier.NotAuthentic, match="another key"):
        checked(OTHER_KEY)
    assert checked(OTHER_KEY, None)["format"] == verifier.PACKAGE_FORMAT


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "a/../b", "a\\b", "c:x", ".hidden", "a//b", "a/", "Manifest.json", "名.pdf", "con\n"],
)
def test_no_signature_makes_a_dangerous_name_a_good_one(name: str) -> None:
    """Whoever holds the key could sign it; the verifier names such a package none all the same."""
    try:
        content = package({"letter.pdf": b"x", name: b"y"})
    except UnicodeEncodeError:
        return  # no archive of ours can even be made of it
    assert refused(content)


def test_two_names_that_some_file_systems_take_for_one_are_refused() -> None:
    assert refused(package({"letter.pdf": b"x", "Letter.PDF": b"y"}))


def test_the_command_line_says_what_holds_and_what_does_not(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.zip", tmp_path / "broken.zip"
    whole.write_bytes(PACKAGE)
    broken.write_bytes(PACKAGE + b"\x00")

    def verify(path: Path) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-I", verifier.__file__, str(path), "--key", PUBLIC_KEY.hex()]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)

    said = verify(whole)
    assert (said.returncode, said.stderr) == (0, "")
    assert "The package holds: 4 files, and nothing else." in said.stdout
    assert verify(unzipped(PACKAGE, tmp_path / "folder")).returncode == 0
    assert verify(broken).returncode == 1
    assert "NOT AUTHENTIC" in verify(broken).stderr


def test_a_manifest_holds_no_number_that_can_be_written_in_two_ways() -> None:
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as found:
        manifest = json.loads(found.read("manifest.json"), parse_float=pytest.fail)
    assert manifest["files"][2]["redaction"]["muted_ms"] == 3500


def test_a_content_that_is_not_the_approved_one_becomes_no_part_of_a_package() -> None:
    with pytest.raises(FixityMismatch, match="approved"):
        part_of("a.wav", "audio/wav", lambda: [b"content"], bytes(32), {})


def test_a_content_that_changes_while_it_is_packed_makes_no_package() -> None:
    contents = iter([[b"content"], [b"CONTENT"]])
    part = part_of("a.wav", "audio/wav", lambda: next(contents), None, {})
    with pytest.raises(FixityMismatch, match="was changed"):
        list(archive([part]))


def test_a_path_that_is_too_short_proves_nothing() -> None:
    with pytest.raises(verifier.NotAuthentic, match="too short"):
        verifier.root_from_path(bytes(32), 1, 4, [])


def test_a_manifest_of_another_format_is_not_read_however_well_it_is_signed() -> None:
    manifest = b'{"files":[],"format":"retention-package/9"}\n'
    signature = {
        "public_key": PUBLIC_KEY.hex(),
        "signature": base64.b64encode(signer().sign(manifest)).decode(),
    }
    written = json.dumps(signature, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(verifier.NotAuthentic, match="its format is"):
        verifier.check_manifest(manifest, written, PUBLIC_KEY)
    with pytest.raises(verifier.NotAuthentic, match="not written as the format says"):
        verifier.check_manifest(
            manifest,
            written.replace(PUBLIC_KEY.hex().encode(), PUBLIC_KEY.hex().upper().encode()),
            PUBLIC_KEY,
        )


def test_a_manifest_without_end_is_not_read(tmp_path: Path) -> None:
    folder = unzipped(PACKAGE, tmp_path)
    with (folder / "manifest.json").open("ab") as file:
        file.truncate(verifier.MANIFEST_BYTES + 1)
    with pytest.raises(verifier.NotAuthentic, match="too long"):
        verifier.check_package(folder, PUBLIC_KEY)
