"""How much of a person is hidden, and where head and body are when only a face or a person was seen. Pure.

The proportions were measured on the labelled walkers of TUD-Campus, against
the boxes of the MOT challenge (19 labelled faces, 179 sightings by
libfacedetection), whose top is the top of the head:

- A detector's box ends at brow and jaw. In nine sightings of ten the crown is
  at most 0.60 of the box's height above it, the chin at most 0.44 below. In
  profile the back of the head lies two fifths behind it, on either side.
- The chin is at most a seventh of a person's height below the crown (as in
  anthropometry: a head is 1/7.5 of an adult's height). On somebody who strides
  or leans, the head's middle is up to 0.13 of the height beside the person's.
  Detectors of persons are off by some hundredths more, and children have larger
  heads, so a fifth is taken.
"""

from enum import StrEnum

from media.video.masks import Box
from media.video.tracks import Margin

_BODY_FACES_WIDE, _BODY_FACES_HIGH = 3.2, 7.5  #: a person's size in heights of the face, arms included
_CROWN, _CHIN, _BESIDE = 0.6, 0.45, 0.4  #: beyond a face's box, in its heights
_HEAD_ABOVE, _HEAD_BELOW, _HEAD_BESIDE = 0.04, 0.2, 0.2  #: of a person's height: from its top, and its middle
#: A head is already drawn as large as it may be; what is left is that boxes flicker.
HEAD_MARGIN = Margin(0.05, 25)


class Extent(StrEnum):
    """How much of a person is hidden."""

    FACE = "face"
    HEAD = "head"  #: hair, ears and chin too, and heads of which nobody saw the face
    PERSON = "person"


def head_of_face(face: Box) -> Box:
    """The head around a face that a detector found, whichever way it looks."""
    height = face.height
    return Box(
        face.left - _BESIDE * height,
        face.top - _CROWN * height,
        face.right + _BESIDE * height,
        face.bottom + _CHIN * height,
    )


def head_of_person(person: Box) -> Box:
    """Where the head of a person is who stands or walks."""
    middle, height = (person.left + person.right) / 2, person.height
    return Box(
        middle - _HEAD_BESIDE * height,
        person.top - _HEAD_ABOVE * height,
        middle + _HEAD_BESIDE * height,
        person.top + _HEAD_BELOW * height,
    )


def body_of_face(face: Box) -> Box:
    """The whole person whose face was found, who may stand, sit or stride."""
    middle = (face.left + face.right) / 2
    across = face.height * _BODY_FACES_WIDE / 2
    return Box(
        middle - across,
        face.top - face.height / 2,
        middle + across,
        face.top + face.height * _BODY_FACES_HIGH,
    )
