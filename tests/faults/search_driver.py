"""Searches footage with a detector that never comes back: `python -m tests.faults.search_driver FOOTAGE WORK`."""

import sys
from pathlib import Path

from media.video.detect.later import Later
from media.video.propose import Means, Wish, propose
from media.video.views import Mount

if __name__ == "__main__":
    sleeper = Later("tests.fakes.bad_finders:Sleeper")
    propose(Path(sys.argv[1]), Wish(Mount.UPRIGHT), Means(face=sleeper, work=Path(sys.argv[2])))
