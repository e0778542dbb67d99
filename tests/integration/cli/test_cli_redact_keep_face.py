"""`retention redact video --keep-face`: real faces, ordered by a photo; and a photo that is none is found out at once."""

import shutil
import sys
from pathlib import Path

import av
import pytest
from PIL import Image
from skimage import data

from media.review.document import ReviewDocument, Verdict, from_json
from media.review.masks import boxes_of
from tests.builders.truth import Label, faces_of
from tests.integration.cli.conftest import Answer, Shell

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]

CLIP = "face-demographics-walking"
WALL = Path(data.__file__).parent / "brick.png"
ENLARGED = 6
AROUND = 0.6  #: of a label's side, so that the photo shows a head


@pytest.fixture
def clip(shared_data: Path) -> Path:
    return shared_data / "video" / f"{CLIP}.mp4"


def portrait_of(label: Label, clip: Path, target: Path) -> Path:
    """A photo of whom a person labelled, cut from the footage."""
    with av.open(str(clip)) as container:
        frame = next(frame for n, frame in enumerate(container.decode(video=0)) if n == label.frame)
        picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
    (left, top), (right, bottom) = label.corners.min(axis=0), label.corners.max(axis=0)
    beside, above = AROUND * (right - left), AROUND * (bottom - top)
    cut = picture.crop((int(left - beside), int(top - above), int(right + beside), int(bottom + above)))
    cut.resize((cut.width * ENLARGED, cut.height * ENLARGED), Image.Resampling.BICUBIC).save(target)
    return target


def share(document: ReviewDocument, place: int, label: Label) -> float:
    """Of a label, under the mask of the track in that place of the document."""
    box = dict(boxes_of(document.tracks[place].positions)).get(label.frame)
    (left, top), (right, bottom) = label.corners.min(axis=0), label.corners.max(axis=0)
    if box is None:
        return 0.0
    wide = min(box.right, right) - max(box.left, left)
    high = min(box.bottom, bottom) - max(box.top, top)
    return float(max(0, wide) * max(0, high) / ((right - left) * (bottom - top)))


def asked(shell: Shell, clip: Path, folder: Path, photo: Path) -> Answer:
    line = ("redact", "video", str(clip), str(folder / "copy.mp4"), "--review", str(folder / "review.json"))
    return shell.json(*line, "--keep-face", str(photo))


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("side", [0, 1], ids=["left", "right"])
def test_whom_the_photo_shows_comes_first_and_nobody_is_decided_about(
    clip: Path, shared_data: Path, nowhere: Shell, tmp_path: Path, side: int
) -> None:
    labels = faces_of(shared_data, CLIP)
    last = max(label.frame for label in labels)
    both = sorted(
        (label for label in labels if label.frame == last), key=lambda label: label.corners[:, 0].min()
    )
    told = asked(nowhere, clip, tmp_path, portrait_of(both[side], clip, tmp_path / "photo.png"))
    assert told.error["exit_code"] == 14
    document = from_json((tmp_path / "review.json").read_bytes())
    assert share(document, 0, both[side]) > 0.9
    known = [track.likeness for track in document.tracks if track.likeness is not None]
    assert known == sorted(known)
    assert {track.decision.verdict for track in document.tracks} == {Verdict.UNDECIDED}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png", "review.json"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("content", "why"),
    [(WALL.read_bytes(), "no face is found in photo.png"), (b"no picture", "photo.png is no picture")],
    ids=["wall", "text"],
)
def test_a_photo_that_shows_no_face_is_refused_before_anything_is_searched(
    clip: Path, nowhere: Shell, tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "photo.png").write_bytes(content)
    told = asked(nowhere, clip, tmp_path, tmp_path / "photo.png")
    assert told.error["exit_code"] == 11
    assert why in told.error["message"]
    assert "another photo" in told.error["hint"]
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.usefixtures("models")
def test_without_the_extra_the_command_that_installs_it_is_said_and_nothing_is_searched(
    clip: Path, nowhere: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    told = asked(nowhere, clip, tmp_path, WALL)
    assert told.error["exit_code"] == 12
    assert told.error["message"].startswith("comparing faces needs the optional extra faces")
    assert told.error["hint"] == "pip install 'retention[faces]'."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("models")
def test_a_copy_that_could_be_written_nowhere_is_refused_before_anything_is_searched(
    clip: Path, nowhere: Shell, tmp_path: Path
) -> None:
    line = ("redact", "video", str(clip), str(tmp_path / "none" / "copy.mp4"), "--hide-all")
    assert nowhere.json(*line).error["exit_code"] == 25
    same = str(shutil.copy(clip, tmp_path / "in.mp4"))
    assert nowhere.json("redact", "video", same, same, "--hide-all").error["exit_code"] == 11
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
