"""The child process that compares faces. `likeness` starts it and talks to it through `media.child`."""

import base64
import importlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from media.child import OnProgress, answer_parent
from media.errors import Unreadable
from media.models import check_digest
from media.review.likeness import models_of_the_extra
from media.video.detect.libface import LibFace
from media.video.detect.port import Detection
from media.video.detect.scaling import scaled
from media.video.detect.turned import find_in_view

_MAX_PHOTO_PX = 1280
_SEARCH_WIDTHS_PX = (640, 320, 160, 96)  #: an enlarged face is smooth, and is known better when small
_SIDE_PX = (
    480  #: thumbnails are enlarged to it, so that the detector and the landmarks have something to hold
)
#: File names in the package, and their SHA-256.
_LANDMARKS = (
    "shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)
_DESCRIPTOR = (
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)

Picture = NDArray[np.uint8]


def likeness_job(request: dict[str, Any], bulk: bytes, _report: OnProgress) -> dict[str, Any]:
    """Describe the face in a photo; or tell how far from such a description the tracks' pictures are."""
    describe = _Descriptor()
    if "photo" in request:
        return {"face": _face_in(describe, Path(request["photo"]), request["name"]).tolist()}
    wanted = np.asarray(request["face"], np.float64)
    pictures: dict[str, str] = json.loads(bulk)
    return {"distances": {number: _distance(describe, text, wanted) for number, text in pictures.items()}}


def _face_in(describe: "_Descriptor", photo: Path, name: str) -> NDArray[np.float64]:
    picture = cv2.imread(str(photo), cv2.IMREAD_COLOR)
    if picture is None:
        raise Unreadable(f"{name} is no picture that can be read")
    wanted = describe.face_of(_limited(np.asarray(picture, np.uint8)))
    if wanted is None:
        raise Unreadable(f"no face is found in {name}; use a photo in which it looks at the camera")
    return wanted


class _Descriptor:
    """dlib's landmarks and descriptor, on faces that libfacedetection finds."""

    def __init__(self) -> None:
        folder = models_of_the_extra()
        dlib: Any = importlib.import_module("dlib")
        for name, sha256 in (_LANDMARKS, _DESCRIPTOR):
            check_digest(folder / name, sha256)
        self._dlib = dlib
        self._landmarks = dlib.shape_predictor(str(folder / _LANDMARKS[0]))
        self._model = dlib.face_recognition_model_v1(str(folder / _DESCRIPTOR[0]))
        self._detector = LibFace()

    def face_of(self, picture: Picture) -> NDArray[np.float64] | None:
        """The descriptor of the largest face; None where there is none."""
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        faces = [
            one
            for width in _SEARCH_WIDTHS_PX
            for one in find_in_view(self._detector, scaled(grey, width), 0, width / grey.shape[1])
        ]
        if not faces:
            return None
        box = max(faces, key=_size).box
        place = self._dlib.rectangle(*(round(edge) for edge in (box.left, box.top, box.right, box.bottom)))
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        found = self._model.compute_face_descriptor(rgb, self._landmarks(rgb, place))
        return np.asarray(found, np.float64)


def _size(face: Detection) -> float:
    return face.box.area


def _limited(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, _MAX_PHOTO_PX / max(height, width))
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _distance(describe: _Descriptor, thumbnail: str, wanted: NDArray[np.float64]) -> float | None:
    data = np.frombuffer(base64.b64decode(thumbnail), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:  # a document that somebody wrote or broke
        return None
    scale = _SIDE_PX / max(picture.shape[:2])
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found = describe.face_of(np.asarray(large, np.uint8))
    return None if found is None else float(np.linalg.norm(found - wanted))


if __name__ == "__main__":
    answer_parent(likeness_job)
