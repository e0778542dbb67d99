"""Files in a folder store that are no objects: found without following a link, erased without following one."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from retention.kernel.errors import InvalidInput
from retention.vault.model import is_object_name

OBJECTS, UNFINISHED, MARKER = "objects", "unfinished", "store-id"
_DRAFT = re.compile(r".+~[0-9a-f]{16}|store-id\.[0-9a-f]{16}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Stranger = tuple[str, int, datetime]


def find_strangers(root: Path, before: datetime, folder: Path = Path()) -> Iterator[Stranger]:
    """Path under `root`, size in bytes and time of everything but folders that is no object.

    Args:
        root: The store's folder.
        before: Drafts of puts are listed if they are older.
        folder: Where to begin, under `root`.

    Raises:
        OSError: A folder cannot be listed.
    """
    with os.scandir(root / folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from find_strangers(root, before, path)
        elif not _is_ours(path, is_file=entry.is_file(follow_symlinks=False)):
            with suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                if not (_is_draft(path) and facts.st_mtime >= before.timestamp()):
                    yield str(path), facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC)


def refuse_ours(name: str) -> None:
    """Refuse a name that `find_strangers` never gives to a file.

    Raises:
        InvalidInput: It is an object's, the store's id, or no path under the store.
    """
    path = Path(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or _is_ours(path, is_file=True):
        raise InvalidInput(f"not the name of something strange in the store: {name!r}")


def erase_stranger(root: Path, name: str) -> str | None:
    """Unlink what `find_strangers` calls `name`; the reason if that failed."""
    path = Path(name)
    folder = os.open(root, _FOLDER)
    try:
        for part in path.parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        os.unlink(path.name, dir_fd=folder)
        os.fsync(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or "the file system failed"
    finally:
        os.close(folder)
    return None


def _is_ours(path: Path, *, is_file: bool) -> bool:
    if path == Path(MARKER):
        return is_file
    return is_file and path.parts[0] == OBJECTS and is_object_name("/".join(path.parts[1:]))


def _is_draft(path: Path) -> bool:
    return path.parent == Path(UNFINISHED) and _DRAFT.fullmatch(path.name) is not None
