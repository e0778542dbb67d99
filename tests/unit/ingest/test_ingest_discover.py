"""Which files are offered, with what is said about each; nothing is passed over in silence."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from retention.ingest.discover import discover
from retention.ingest.model import Candidate, Code
from retention.kernel.errors import NotFound


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def say(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps(list(entries)))
    return path


def found(*paths: Path, manifest: Path | None = None) -> dict[str, Candidate]:
    return {each.path.name: each for each in discover(paths, "line-1", manifest=manifest)}


def native_id(candidate: Candidate) -> str:
    return candidate.entry.native_id if candidate.entry else ""


def test_a_folder_offers_every_file_below_it_in_a_stable_order(tmp_path: Path) -> None:
    put(tmp_path, "b.wav", "a.wav", "2/c.wav", "1/d.wav", "1/x/e.wav")
    names = [str(each.path.relative_to(tmp_path)) for each in discover([tmp_path], "line-1")]
    assert names == ["a.wav", "b.wav", "1/d.wav", "1/x/e.wav", "2/c.wav"]


def test_hidden_files_and_unfinished_transfers_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", ".hidden", "b.wav.part", "c.tmp", "d.PARTIAL", "e.crdownload", "f.filepart")
    assert set(found(tmp_path)) == {"a.wav"}


def test_a_file_that_is_named_is_offered_whatever_it_is_called(tmp_path: Path) -> None:
    put(tmp_path, ".hidden")
    assert set(found(tmp_path / ".hidden")) == {".hidden"}


def test_a_path_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing"):
        found(tmp_path / "nothing")


# --- sidecars


@pytest.mark.parametrize("name", ["call.wav.json", "call.json"])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_sidecar_beside_a_file_describes_it_and_is_not_offered_itself(
    tmp_path: Path, name: str, is_named: bool
) -> None:
    put(tmp_path, "call.wav")
    sidecar = say(tmp_path / name, {"native_id": "17"})
    offered = found(tmp_path / "call.wav" if is_named else tmp_path)
    assert set(offered) == {"call.wav"}
    assert native_id(offered["call.wav"]) == "17"
    assert offered["call.wav"].sidecar == sidecar


def test_two_files_of_one_call_share_its_sidecar(tmp_path: Path) -> None:
    put(tmp_path, "call.wav", "call.mp4")
    say(tmp_path / "call.json", {"native_id": "17"})
    offered = found(tmp_path)
    assert {name: native_id(each) for name, each in offered.items()} == {"call.wav": "17", "call.mp4": "17"}


def test_the_more_exact_sidecar_wins(tmp_path: Path) -> None:
    put(tmp_path, "call.wav")
    say(tmp_path / "call.json", {"native_id": "of both"})
    say(tmp_path / "call.wav.json", {"native_id": "of the sound"})
    assert native_id(found(tmp_path)["call.wav"]) == "of the sound"


@pytest.mark.parametrize("content", ["{", "[]", '[{"file": "a"}, {"file": "b"}]', '{"sha256": "short"}'])
def test_a_broken_sidecar_is_a_fault_of_its_file(tmp_path: Path, content: str) -> None:
    put(tmp_path, "call.wav", "other.wav")
    (tmp_path / "call.wav.json").write_text(content)
    offered = found(tmp_path)
    assert offered["call.wav"].fault
    assert offered["call.wav"].fault.code is Code.BROKEN_MANIFEST
    assert offered["other.wav"].fault is None


def test_a_sidecar_without_its_recording_is_told(tmp_path: Path) -> None:
    say(tmp_path / "call.wav.json", {"native_id": "17"})
    (offered,) = found(tmp_path).values()
    assert offered.fault
    assert "recording that it describes is not there" in offered.fault.reason


# --- a folder's manifest


def test_a_folders_manifest_describes_its_files_and_is_not_offered(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav", "c.wav")
    say(
        tmp_path / "manifest.json", {"file": "a.wav", "native_id": "1"}, {"file": "./b.wav", "native_id": "2"}
    )
    offered = found(tmp_path)
    assert {name: native_id(each) for name, each in offered.items()} == {
        "a.wav": "1",
        "b.wav": "2",
        "c.wav": "",
    }


def test_a_manifest_may_name_files_in_folders_below_it(tmp_path: Path) -> None:
    put(tmp_path, "2026/03/a.wav")
    say(tmp_path / "manifest.json", {"path": "2026/03/a.wav", "native_id": "1"})
    offered = found(tmp_path)
    assert set(offered) == {"a.wav"}
    assert native_id(offered["a.wav"]) == "1"


def test_a_file_named_alone_is_described_by_its_folders_manifest_too(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav")
    say(tmp_path / "manifest.json", {"file": "a.wav", "native_id": "1"}, {"file": "b.wav", "native_id": "2"})
    offered = found(tmp_path / "a.wav")
    assert set(offered) == {"a.wav"}
    assert native_id(offered["a.wav"]) == "1"


def test_an_entry_without_a_file_is_a_fault_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    say(tmp_path / "manifest.json", {"file": "a.wav"}, {"file": "gone.wav", "native_id": "2"})
    lonely = found(tmp_path)["gone.wav"]
    assert lonely.fault
    assert (lonely.fault.code, native_id(lonely)) == (Code.NO_FILE, "2")


def test_the_same_said_twice_is_said_once(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    say(tmp_path / "manifest.json", {"file": "a.wav", "native_id": "1"}, {"file": "a.wav", "native_id": "1"})
    assert found(tmp_path)["a.wav"].fault is None


def test_two_different_things_said_about_one_file_are_a_fault_of_that_file(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav")
    say(
        tmp_path / "manifest.json",
        {"file": "a.wav", "native_id": "1"},
        {"file": "a.wav", "native_id": "2"},
        {"file": "b.wav"},
    )
    offered = found(tmp_path)
    assert offered["a.wav"].fault
    assert offered["b.wav"].fault is None


def test_an_entry_that_is_broken_is_a_fault_of_its_file_and_of_no_other(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav", "c.wav")
    say(
        tmp_path / "manifest.json",
        {"file": "a.wav"},
        {"file": "b.wav", "size_bytes": "many"},
        {"file": "c.wav"},
    )
    offered = found(tmp_path)
    assert {name for name, each in offered.items() if each.fault} == {"b.wav"}
    assert offered["b.wav"].fault
    assert "entry 2, size_bytes" in offered["b.wav"].fault.reason


def test_a_broken_entry_whose_file_is_not_there_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    say(tmp_path / "manifest.json", {"file": "a.wav"}, {"file": "gone.wav", "size_bytes": "many"})
    assert {name: bool(each.fault) for name, each in found(tmp_path).items()} == {
        "a.wav": False,
        "gone.wav": True,
    }


@pytest.mark.parametrize("entry", [{"native_id": "of which file?"}, {"file": 17, "tags": "no list"}])
def test_an_entry_that_names_no_file_may_be_about_any_of_which_nothing_is_said(
    tmp_path: Path, entry: dict[str, object]
) -> None:
    put(tmp_path, "a.wav", "below/b.wav")
    say(tmp_path / "manifest.json", {"file": "a.wav"}, entry)
    assert {name: bool(each.fault) for name, each in found(tmp_path).items()} == {
        "a.wav": False,
        "b.wav": True,
    }


def test_a_broken_manifest_says_nothing_about_other_folders(tmp_path: Path) -> None:
    put(tmp_path, "first/a.wav", "second/b.wav")
    (tmp_path / "first" / "manifest.json").write_text("{")
    assert {name: bool(each.fault) for name, each in found(tmp_path).items()} == {
        "a.wav": True,
        "b.wav": False,
    }


@pytest.mark.parametrize("content", ["{", '{"File": "a.wav"}'])
def test_a_manifest_that_cannot_be_trusted_is_a_fault_of_every_file_in_its_reach(
    tmp_path: Path, content: str
) -> None:
    put(tmp_path, "a.wav", "below/b.wav")
    (tmp_path / "manifest.json").write_text(content)
    offered = found(tmp_path)
    assert set(offered) == {"a.wav", "b.wav"}
    assert {each.fault.code if each.fault else None for each in offered.values()} == {Code.BROKEN_MANIFEST}


def test_a_broken_manifest_that_describes_nothing_is_offered_itself(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text('file\n"x\n')
    (offered,) = found(tmp_path).values()
    assert (offered.path.name, offered.fault and offered.fault.code) == ("manifest.csv", Code.BROKEN_MANIFEST)


# --- a manifest that is given


def test_a_given_manifest_describes_files_wherever_they_lie(tmp_path: Path) -> None:
    put(tmp_path, "media/a.wav", "media/below/b.wav")
    given = say(
        tmp_path / "list.json",
        {"file": "a.wav", "native_id": "1"},
        {"file": "media/below/b.wav", "native_id": "2"},
    )
    offered = found(tmp_path / "media", manifest=given)
    assert {name: native_id(each) for name, each in offered.items()} == {"a.wav": "1", "b.wav": "2"}


def test_a_given_manifest_is_not_offered_when_it_lies_among_the_files(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    given = say(tmp_path / "list.json", {"file": "a.wav", "native_id": "1"})
    assert set(found(tmp_path, manifest=given)) == {"a.wav"}


def test_one_entry_that_names_no_file_is_about_whatever_is_offered(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    given = say(tmp_path / "list.json", {"native_id": "1"})
    assert native_id(found(tmp_path / "a.wav", manifest=given)["a.wav"]) == "1"


def test_an_entry_of_a_given_manifest_without_a_file_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    given = say(tmp_path / "list.json", {"file": "a.wav"}, {"file": "gone.wav"})
    offered = found(tmp_path / "a.wav", manifest=given)
    assert offered["gone.wav"].fault


def test_a_sidecar_wins_over_any_manifest(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    say(tmp_path / "a.wav.json", {"native_id": "sidecar"})
    say(tmp_path / "manifest.json", {"file": "a.wav", "native_id": "manifest"})
    assert native_id(found(tmp_path)["a.wav"]) == "sidecar"


# --- what cannot be entered


def test_a_link_to_a_folder_is_told_and_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/secret.wav", "here/a.wav")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    offered = found(tmp_path / "here")
    assert set(offered) == {"a.wav", "link"}
    assert offered["link"].fault


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "below/b.wav")
    search = discover([tmp_path], "line-1")
    assert next(search).path.name == "a.wav"
    (tmp_path / "below" / "b.wav").unlink()
    (tmp_path / "below").rmdir()
    (lost,) = search
    assert (lost.path, lost.fault and lost.fault.code) == (tmp_path / "below", Code.NO_FILE)


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\x93\xfa\x96\x7b.wav")
    path.write_bytes(b"x")
    (offered,) = discover([tmp_path], "line-1")
    assert offered.path == path
    offered.label.encode()


def test_an_entry_outside_the_manifests_folder_is_not_said_to_be_missing(tmp_path: Path) -> None:
    put(tmp_path, "secret.wav", "drop/a.wav")
    say(tmp_path / "drop" / "manifest.json", {"file": "../secret.wav"}, {"file": "gone.wav"})
    told = found(tmp_path / "drop")
    assert told["secret.wav"].fault is not None
    assert "outside" in told["secret.wav"].fault.reason
    assert told["gone.wav"].fault is not None
    assert "no such file" in told["gone.wav"].fault.reason
