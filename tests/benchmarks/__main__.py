"""The benchmarks, one sub-command each: `python -m tests.benchmarks NAME [--quick | --tiny] [--folder DIR]`.

Each prints a table with its method, the machine's class and the ratio that
its goal is about. Nothing is asserted: figures are for docs/benchmarks.md.
"""

import sys
from importlib import import_module

NAMES = {
    "ingest": "a mixed folder against restic, borg and the machine's own limit",
    "seal": "the vault alone against the machine's own limit",
    "night": "a night in a large archive against the same night in a small one",
    "lookups": "due list, plan, impact, explain and search in a large archive",
    "memory": "what taking in needs, from a small file to a large one",
    "recall": "what masks cover of the faces and persons that people labelled",
    "redaction": "redacting footage, against deface and FFmpeg",
    "filing": "filing a request, freeze included, in a large archive",
    "sound": "muting an hour of a call, by codec, against FFmpeg",
    "speech": "what suggestions cover of numbers that are read out in Japanese",
    "case": "a disclosure from receipt to package: machine time, and human decisions",
    "startup": "how long a command takes before it does anything",
}


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names; 2 where it names none."""
    if not arguments or arguments[0] not in NAMES:
        lines = [__doc__ or "", *(f"  {name:8} {what}" for name, what in NAMES.items())]
        sys.stderr.write("\n".join(lines) + "\n")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    import_module(f"tests.benchmarks.{arguments[0]}").main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
