"""A worker that was taken over: it answers what it likes. `python -m tests.faults.liar`, started by `media.child`."""

import json
import sys

if __name__ == "__main__":
    request = json.loads(sys.stdin.buffer.readline())
    sys.stdout.write(request["says"] + "\n")
