"""Stills of real people: whoever was labelled is hidden, whichever way the picture lies."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from media.errors import NotReleased, Undecided
from media.picture.redact import Wanted, find_faces, redact_faces
from media.video.masks import Box

pytestmark = [pytest.mark.shared_data, pytest.mark.usefixtures("models")]
#: EXIF orientation → how often numpy turns the stored picture a quarter to the left to have it upright.
TURNS = {1: 0, 3: 2, 6: 3, 8: 1}


def frame_of(shared_data: Path, name: str) -> tuple[Image.Image, list[Box]]:
    """A labelled frame, and the faces in it that are not hard to see."""
    text = (shared_data / "video" / f"{name}.truth.json").read_text(encoding="utf-8")
    truth = next(each for each in json.loads(text)["frames"] if each["faces"])
    with av.open(shared_data / "video" / f"{name}.mp4") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == truth["frame"]:
                return Image.fromarray(frame.to_ndarray(format="rgb24")), [
                    _box(each) for each in truth["faces"] if _counts(each)
                ]
    raise AssertionError


def _counts(face: dict[str, Any]) -> bool:
    return face["visibility"] in {"clear", "profile_or_tilted"}


def _box(face: dict[str, Any]) -> Box:
    return Box(face["x"], face["y"], face["x"] + face["w"], face["y"] + face["h"])


def share_black(picture: Image.Image, box: Box) -> float:
    part = np.asarray(picture.convert("L"))[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    return float((part < 40).mean())


@pytest.mark.parametrize("name", ["face-demographics-walking", "classroom"])
def test_everybody_who_is_labelled_is_hidden(shared_data: Path, tmp_path: Path, name: str) -> None:
    picture, faces = frame_of(shared_data, name)
    picture.save(tmp_path / "in.png")
    done = redact_faces(tmp_path / "in.png", Wanted(hides_all=True), tmp_path / "out.png")
    copy = Image.open(tmp_path / "out.png")
    assert len(faces) >= 2
    assert [share_black(copy, box) for box in faces] == [1.0] * len(faces)
    assert done.result.psnr_db is None
    area = sum(mask.box.area for mask in done.masks)
    assert area < 0.05 * picture.width * picture.height


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_picture_that_lies_on_its_side_is_searched_all_the_same(
    shared_data: Path, tmp_path: Path, orientation: int
) -> None:
    picture, faces = frame_of(shared_data, "face-demographics-walking")
    stored = Image.fromarray(np.rot90(np.asarray(picture), -TURNS[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "in.jpg", quality=95, exif=exif)
    redact_faces(tmp_path / "in.jpg", Wanted(hides_all=True), tmp_path / "out.jpg")
    copy = Image.open(tmp_path / "out.jpg")
    assert copy.size == picture.size
    assert min(share_black(copy, box) for box in faces) >= 0.9


def test_without_a_decision_about_each_face_nothing_is_written(shared_data: Path, tmp_path: Path) -> None:
    picture, faces = frame_of(shared_data, "face-demographics-walking")
    picture.save(tmp_path / "in.png")
    with pytest.raises(Undecided, match="a face at"):
        redact_faces(tmp_path / "in.png", Wanted(hidden=(faces[0].grown(0.3),)), tmp_path / "out.png")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_who_was_decided_to_stay_is_seen_and_the_others_are_not(shared_data: Path, tmp_path: Path) -> None:
    picture, faces = frame_of(shared_data, "face-demographics-walking")
    picture.save(tmp_path / "in.png")
    wanted = Wanted(hides_all=True, kept=(faces[0],))
    redact_faces(tmp_path / "in.png", wanted, tmp_path / "out.png")
    copy = Image.open(tmp_path / "out.png")
    assert share_black(copy, faces[0]) < 0.5
    assert share_black(copy, faces[1]) == 1.0


def test_a_face_that_only_the_second_look_finds_keeps_the_copy_from_being_released(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look was made blind."""
    picture, _ = frame_of(shared_data, "face-demographics-walking")
    picture.save(tmp_path / "in.png")
    assert find_faces(tmp_path / "in.png")
    monkeypatch.setattr("media.picture.redact.find_faces", lambda _: ())
    with pytest.raises(NotReleased, match="a face at"):
        redact_faces(tmp_path / "in.png", Wanted(), tmp_path / "out.png")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
    done = redact_faces(tmp_path / "in.png", Wanted(hides_all=True), tmp_path / "out.png")
    assert done.rounds == 2
