"""`retention`, but no thumbnail and no peaks are made: shows what those cost. For the benchmark only."""

import sys
from functools import partialmethod

from media.probe import Inspector
from retention.__main__ import main

Inspector.inspect = partialmethod(Inspector.inspect, want_thumbnail=False, want_peaks=False)  # type: ignore[assignment,method-assign]

if __name__ == "__main__":
    sys.exit(main())
