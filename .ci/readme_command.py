"""Print a command of the README, so that what is tested is what a reader types.

A command stands in a fenced block behind the line `<!-- command: NAME -->`.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def command(name: str) -> str:
    """The command called `name`.

    Raises:
        SystemExit: The README has none.
    """
    found = re.search(
        rf"<!-- command: {re.escape(name)} -->\n+```\w*\n(.*?)```",
        README.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    if found is None:
        raise SystemExit(f"README.md has no command called {name!r}")
    return found[1].strip()


if __name__ == "__main__":
    sys.stdout.write(command(sys.argv[1]) + "\n")
