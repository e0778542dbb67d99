"""Kills a real process at every step of one act on a keyring, and keeps what each death left.

    python -m tests.faults.keyring_crash_driver ACT BASE OUT

For n = 1, 2, … a copy of the folder BASE goes to OUT/n, and a forked process
carries out ACT on it and is killed by SIGKILL just before its n-th effect on
the operating system; writes are also cut in half (OUT/n-torn). It ends with
the first n at which the act is done, in OUT/done, and prints the effects in
their order as JSON.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_roots import FileRoot

EFFECTS = ("open", "write", "ftruncate", "fsync", "link", "replace", "unlink")


def keyring_in(folder: Path) -> Keyring:
    return Keyring(folder / "keyring", FileRoot(folder / "root.key"))


def create(folder: Path) -> None:
    Keyring.create(folder / "keyring", FileRoot(folder / "root.key"))


def make(folder: Path) -> None:
    keyring_in(folder).new_key()


def destroy(folder: Path) -> None:
    keyring_in(folder).destroy(json.loads((folder / "doomed.json").read_text(encoding="utf-8")))


def rotate(folder: Path) -> None:
    keyring_in(folder).rotate_root()


def secret(folder: Path) -> None:
    keyring_in(folder).secret("made-late")


ACTS: dict[str, Callable[[Path], None]] = {
    act.__name__: act for act in (create, make, destroy, rotate, secret)
}


class Death:
    """Counts effects, and ends the process at one of them."""

    def __init__(self, at: int, *, torn: bool) -> None:
        self.at, self.torn = at, torn
        self.trace: list[str] = []

    def install(self) -> None:
        for name in EFFECTS:
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*arguments: Any, **named: Any) -> Any:
            self.trace.append(_spoken(name, arguments[0]))
            if len(self.trace) == self.at:
                if self.torn and name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return effect


def _spoken(name: str, target: Any) -> str:
    if not isinstance(target, str | Path):
        return name
    return f"{name} folder" if Path(target).is_dir() else f"{name} {Path(target).name}"


def attempt(act: Callable[[Path], None], folder: Path, at: int, *, torn: bool) -> bool:
    """Fork, act and die; whether the act was done instead."""
    child = os.fork()
    if child == 0:
        death = Death(at, torn=torn)
        death.install()
        try:
            act(folder)
            (folder / "trace.json").write_text(json.dumps(death.trace), encoding="utf-8")
            os._exit(0)
        except BaseException:  # noqa: BLE001 - told on stderr, where the test reads it
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"the act failed at {at}")
    return os.WIFEXITED(status)


def main() -> None:
    act, base, out = ACTS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    for at in count(1):
        for torn in (False, True):
            folder = out / f"{at}{'-torn' if torn else ''}"
            shutil.copytree(base, folder)
            if attempt(act, folder, at, torn=torn):
                sys.stdout.write((folder / "trace.json").read_text(encoding="utf-8"))
                (folder / "trace.json").unlink()
                folder.rename(out / "done")
                return


if __name__ == "__main__":
    main()
