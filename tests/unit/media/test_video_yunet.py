"""A detector that the operator supplies is used only if it is the very file, and of the right kind."""

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from media.__main__ import main
from media.errors import ToolFailed
from media.models import CENTERFACE, digest_of, find_model
from media.review.document import from_json
from media.video.detect.choose import face_detector
from media.video.detect.libface import LibFace
from media.video.detect.scaling import scaled
from media.video.detect.yunet import YuNet
from media.video.frames import open_footage
from tests.builders.footage import wandering, write_footage
from tests.builders.libfacedetection import found_by_the_library
from tests.builders.yunet import write_yunet

pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture
def yunet(tmp_path: Path) -> Path:
    return write_yunet(tmp_path / "yunet.onnx")


@pytest.mark.parametrize("width", [256, 416, 512, 640])
def test_the_network_finds_what_the_library_finds_whose_weights_it_has(width: int) -> None:
    portrait = cv2.imread(str(Path(data.__file__).parent / "astronaut.png"), cv2.IMREAD_GRAYSCALE)
    picture = scaled(np.asarray(portrait, np.uint8), width)
    (ours,), theirs = LibFace().find(picture), found_by_the_library(picture)
    assert astuple(ours.box) == pytest.approx(astuple(theirs[0].box), abs=2)  # whose edges are cut to pixels
    assert ours.confidence == pytest.approx(theirs[0].confidence, abs=0.011)


@pytest.mark.shared_data
def test_it_finds_as_many_in_a_crowd(shared_data: Path) -> None:
    with open_footage(shared_data / "video" / "TUD-Campus.mp4") as footage:
        picture = next(footage.luma_frames()).luma.copy()
    ours, theirs = LibFace(0.4).find(picture), found_by_the_library(picture)
    surer = [one for one in theirs if one.confidence >= 0.45]
    assert len(surer) > 2
    assert all(max(one.box.iou(other.box) for other in ours) > 0.7 for one in surer)


def test_a_file_with_another_digest_is_refused(yunet: Path) -> None:
    right = digest_of(yunet)
    yunet.write_bytes(yunet.read_bytes() + b"x")
    with pytest.raises(ToolFailed, match=f"not the expected {right}"):
        YuNet(yunet, right)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="cannot be read"):
        YuNet(tmp_path / "nothing.onnx", "0" * 64)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"a letter, not a network")
    with pytest.raises(ToolFailed, match="cannot be used as a YuNet model"):
        YuNet(path, digest_of(path))


def test_another_kind_of_detector_is_refused() -> None:
    path = find_model(CENTERFACE).path
    with pytest.raises(ToolFailed, match=r"no YuNet .* lacks the outputs bbox_16"):
        YuNet(path, digest_of(path))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"kps_32": "landmarks"}, "lacks the outputs kps_32"),
        ({"bbox_8": "cls_8", "cls_8": "bbox_8"}, "output cls_8 has the shape"),
        ({"cls_8": "cls_16", "cls_16": "cls_8"}, "output cls_8 has the shape"),
    ],
)
def test_a_network_whose_outputs_are_others_is_refused(
    tmp_path: Path, names: Mapping[str, str], why: str
) -> None:
    path = write_yunet(tmp_path / "yunet.onnx", names)
    with pytest.raises(ToolFailed, match=why):
        YuNet(path, digest_of(path))


@pytest.mark.parametrize(
    ("name", "sha256", "why"),
    [
        ("yunet=model.onnx", "", "needs the SHA-256"),
        ("yunet=model.onnx", "abc", "needs the SHA-256"),
        ("yunet=", "0" * 64, "no detector 'yunet='"),
        ("haar", "", "no detector 'haar'"),
        ("", "0" * 64, "without a detector"),
    ],
)
def test_a_detector_is_named_with_its_digest_or_not_at_all(name: str, sha256: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        face_detector(name, sha256)


def test_the_search_is_done_with_it_and_the_document_says_so(yunet: Path, tmp_path: Path) -> None:
    footage = write_footage(tmp_path / "in.mkv", wandering(9, [(60, 80)], (4, 1)))
    review = tmp_path / "review.json"
    line = ["propose", str(footage), str(review), "--mount", "upright", "--detector", f"yunet={yunet}"]
    assert main([*line, "--sha256", digest_of(yunet)]) == 0
    search = from_json(review.read_bytes()).search
    assert search is not None
    assert [looker.sha256 for looker in search.detectors] == [digest_of(yunet)]
    review.unlink()
    assert main([*line, "--sha256", "0" * 64]) != 0
    assert not review.exists()
