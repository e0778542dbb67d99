"""One muted copy in a process that loads nothing else: `python -m tests.benchmarks.one_mute IN OUT SPAN...`.

Prints, as JSON, the wall time of the work and the processor time of this process's part and of its child's.
"""

import json
import resource
import sys
import time
from pathlib import Path

from media.sound.mute import Request, mute
from media.sound.spans import Mute


def main(source: str, out: str, *spans: str) -> None:
    """Mute, and say what it took."""
    request = Request(tuple(Mute.parse(span) for span in spans))
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    mute(Path(source), Path(out), request)
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {
        "wall_s": time.perf_counter() - wall_s,
        "cpu_s": time.process_time() - cpu_s + child.ru_utime + child.ru_stime,
    }
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
