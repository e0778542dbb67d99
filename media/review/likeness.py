"""Put the tracks most like a photo's face first: a help to find somebody, never a decision.

The same face and different faces overlap in footage, so nothing is uncovered
or even marked: the order and a number are all that changes, and the person
looks. Needs the optional extra `faces`: dlib's face descriptor (King 2017, 128
numbers, Euclidean distance; the same person is usually under 0.6 in good
photographs, footage is worse).

A photo is a stranger's file, and so are the tracks' pictures: child processes
decode them, and numbers come back.
"""

import importlib.util
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from media.child import path_text
from media.errors import ExtraMissing, Unreadable
from media.job import do, parsed
from media.review.document import ReviewDocument

_WORKER = "media.review.likeness_worker"
_Number = Annotated[float, Field(allow_inf_nan=False)]
_FACE = TypeAdapter(Annotated[list[_Number], Field(min_length=128, max_length=128)])
_DISTANCES = TypeAdapter(dict[int, Annotated[_Number, Field(ge=0)] | None])


class Likeness:
    """The face of a photo, to which tracks are compared. Made before a search, it tells in time what is wrong."""

    def __init__(self, photo: Path) -> None:
        """Find the photo's face; of several, the largest counts.

        Raises:
            ExtraMissing: The extra `faces` is not installed.
            Unreadable: The photo is no picture, or no face is found in it.
            ToolFailed: The child process died.
        """
        models_of_the_extra()
        if not photo.is_file():
            raise Unreadable(f"{photo.name} is no picture that can be read")
        request = {"photo": path_text(photo), "name": photo.name}
        self._face = parsed(_FACE, do(_WORKER, request, reads=[photo], unit="step").get("face"))

    def order(self, document: ReviewDocument) -> ReviewDocument:
        """The same document with its tracks ordered by their distance to the photo's face.

        It needs thumbnails, as `propose` makes them. Tracks without a face that can be compared go last.

        Raises:
            ToolFailed: The child process died.
        """
        pictures = {track.id: track.thumbnail for track in document.tracks if track.thumbnail is not None}
        bulk = json.dumps(pictures).encode()
        answer = do(_WORKER, {"face": self._face}, bulk=bulk, reads=[], unit="track")
        found = parsed(_DISTANCES, answer.get("distances"))
        tracks = [track.model_copy(update={"likeness": found.get(track.id)}) for track in document.tracks]
        tracks.sort(key=lambda track: (track.likeness is None, track.likeness))
        return document.model_copy(update={"tracks": tuple(tracks)})


def models_of_the_extra() -> Path:
    """The folder with the weights.

    Raises:
        ExtraMissing: The extra `faces` is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")  # importing it would need setuptools
    if spec is None or spec.origin is None or importlib.util.find_spec("dlib") is None:
        raise ExtraMissing("comparing faces", "faces")
    return Path(spec.origin).parent / "models"
