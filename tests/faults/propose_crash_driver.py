"""Searches footage and dies, without a word, in the middle of a search: `python -m … FOOTAGE WORK DIES_AT`."""

import os
import signal
import sys
from pathlib import Path

from media.review.document import to_json
from media.video.proposal import proposal as propose
from media.video.propose import Means, Wish
from media.video.views import Mount
from tests.fakes.bright_spots import BrightSpots


def main() -> None:
    """Print the document, if there is time."""
    footage, work, dies_at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

    def die(number: int) -> None:
        if number == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    maker = lambda: BrightSpots(die)  # noqa: E731 - twice the same
    sys.stdout.write(to_json(propose(footage, Wish(Mount.UPRIGHT), Means(maker, other=maker, work=work))))


if __name__ == "__main__":
    main()
