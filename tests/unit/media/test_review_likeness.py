"""`--keep-face` puts the likely tracks first, and decides nothing."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from media.errors import Unreadable
from media.review.document import Position, Reason, ReviewDocument, Source, Track
from media.review.likeness import Likeness

PORTRAIT = Path(data.__file__).parent / "astronaut.png"
SOURCE = Source(sha256="0" * 64, width=640, height=360, frames=9, time_base="1/25")


def track(number: int, thumbnail: str | None) -> Track:
    position = Position(frame=0, left=0, top=0, right=9, bottom=9)
    return Track(id=number, reason=Reason.FACE, positions=(position,), thumbnail=thumbnail)


def jpeg(picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> str:
    return base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()


@pytest.fixture
def portrait() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.asarray(cv2.imread(str(PORTRAIT)), np.uint8)


def test_the_track_with_the_face_of_the_photo_comes_first_and_nothing_is_decided(
    portrait: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]",
) -> None:
    face = portrait[30:240, 120:330]
    small = np.asarray(cv2.resize(face, (90, 90), interpolation=cv2.INTER_AREA), np.uint8)
    wall = np.full((90, 90, 3), 90, np.uint8)
    document = ReviewDocument(
        source=SOURCE, tracks=(track(1, None), track(2, jpeg(wall)), track(3, jpeg(small)))
    )
    ordered = Likeness(PORTRAIT).order(document)
    assert [each.id for each in ordered.tracks] == [3, 1, 2]
    likeness = ordered.tracks[0].likeness
    assert likeness is not None
    assert likeness < 0.5
    assert {each.decision for each in ordered.tracks} == {document.tracks[0].decision}


def test_a_photo_without_a_face_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(Unreadable, match=r"no face is found in wall\.png"):
        Likeness(path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"no picture")
    with pytest.raises(Unreadable, match=r"photo\.png is no picture"):
        Likeness(path)
