"""Kills a real process at every step of a put or an erasure in a folder store.

    python -m tests.faults.folder_crash_driver ACT OUT NAME

As `keyring_crash_driver`: OUT/n is a store whose process died just before
the n-th effect of ACT on the operating system.
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from retention.adapters.store_folder import FolderStore
from retention.vault.model import ObjectName, validate_name
from tests.faults.keyring_crash_driver import attempt

CONTENT = bytes(range(256)) * 1000


def put(store: FolderStore, name: ObjectName) -> None:
    store.put_new(name, [CONTENT[:100_000], CONTENT[100_000:]])


def erase(store: FolderStore, name: ObjectName) -> None:
    store.erase_many([name])


ACTS: dict[str, Callable[[FolderStore, ObjectName], None]] = {"put": put, "erase": erase}


def main() -> None:
    act, out, name = ACTS[sys.argv[1]], Path(sys.argv[2]), validate_name(sys.argv[3])
    for at in count(1):
        folder = out / str(at)
        store = FolderStore.create(folder)
        if act is erase:
            put(store, name)
        if attempt(lambda _, store=store: act(store, name), folder, at, torn=False):  # type: ignore[misc]  # a default binds the loop's value
            return


if __name__ == "__main__":
    main()
