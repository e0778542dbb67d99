"""`python -m retention`, and the `retention` command."""

import gc
import sys
from collections.abc import Sequence

#: What a shell expects of a program that SIGINT ended.
CANCELLED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    gc.disable()  # until everything is loaded: none of it is garbage
    try:
        from retention.cli.main import run  # noqa: PLC0415 - completion and --version stay quick

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        # Ctrl-C before a command has begun, or after it has ended.
        return CANCELLED
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
