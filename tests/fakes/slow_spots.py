"""The detector of bright spots, so slow that a test can step in."""

import time

from media.video.detect.port import Detection, Grey
from tests.fakes.bright_spots import BrightSpots


class SlowSpots(BrightSpots):
    """Takes a moment over each picture."""

    def find(self, picture: Grey) -> list[Detection]:
        time.sleep(0.01)
        return super().find(picture)
