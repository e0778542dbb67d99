"""An object store in a folder of one machine: write aside, fsync, link, fsync.

    store-id            the store's identity; without it the folder is taken to be unmounted
    objects/9V/ID.role  sealed objects, 0600; 0400 while a hold protects them
    unfinished/         puts in progress; one that a crash left here is swept, or goes with its object

A hard link gives a finished object its name: it fails if the name is taken,
even by a race, which a rename does not. Symbolic links are refused wherever an
object or a shard should be. Erasing unlinks: what makes the bytes unreadable
is the destruction of their key, not this.
"""

import errno
import os
import secrets
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from retention.adapters.folder_strangers import Stranger, erase_stranger, find_strangers, refuse_ours
from retention.adapters.folder_sync import fsync_path, sync_filesystem, write_behind
from retention.kernel.errors import FixityMismatch, InvalidInput, NotFound, ObjectExists, StoreUnavailable
from retention.vault.model import Chunk, ObjectName, is_object_name, validate_name

_READ_BYTES = 1 << 20

_BEHIND_BYTES = 8 << 20
"""So much of a long object is carried to the disk at a time while it is still being written."""

_FEW_SHARDS = 4
"""So many folders are made durable one by one; more of them together, with the file system.

A batch of a night's 1000 objects lies in 600 of the 1024 folders. Each fsync
commits the file system's journal, and unlinking waits for commits: erasing the
batch took 4 s, and with one flush 0.1 s (ext4, shared disk of a virtual machine).
"""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_NORMAL_MODE = 0o600
_HELD_MODE = 0o400


class FolderStore:
    """Sealed objects as files. Construction touches nothing; `create` makes a new store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects = root / "objects"
        self._unfinished = root / "unfinished"
        self._marker = root / "store-id"
        self._shards: set[str] = set()
        self._durable_shards: set[str] = set()

    @classmethod
    def create(cls, root: Path) -> "FolderStore":
        """The store in this folder, made if there is none. Safe to repeat."""
        store = cls(root)
        with _trouble(f"cannot make a store in {root}"):
            for folder in (root, store._objects, store._unfinished):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not store._marker.exists():
                store._write_marker()
            for folder in (store._objects, root, root.parent):
                fsync_path(folder)
        return store

    def _write_marker(self) -> None:
        draft = self._unfinished / f"store-id.{secrets.token_hex(8)}"
        fd = os.open(draft, _CREATE, _NORMAL_MODE)
        try:
            os.write(fd, secrets.token_hex(16).encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        with suppress(FileExistsError):
            os.link(draft, self._marker)
        draft.unlink()

    def store_id(self) -> str:
        """See `ObjectStore`."""
        try:
            return self._marker.read_text("ascii")
        except OSError as error:
            raise StoreUnavailable(
                f"no store in {self._root}: {error.strerror}",
                hint="Is the disk mounted? A new store is made with `retention init`.",
            ) from error

    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:
        """See `ObjectStore`."""
        validate_name(name)
        draft = f"{self._unfinished}/{name[3:]}~{secrets.token_hex(8)}"
        try:
            size_bytes = self._write_draft(draft, name, chunks, durable=durable)
            with _trouble(f"cannot store {name}"):
                self._give_name(draft, name, durable=durable)
        finally:
            with suppress(OSError):
                os.unlink(draft)  # noqa: PTH108 - a Path costs as much as the call, and this runs for every file
        return size_bytes

    def _write_draft(self, draft: str, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool) -> int:
        with _trouble(f"cannot store {name}"):
            fd = os.open(draft, _CREATE, _NORMAL_MODE)
        try:
            size_bytes = behind_bytes = 0
            for chunk in chunks:
                size_bytes += _write(fd, chunk, name)
                while size_bytes - behind_bytes >= _BEHIND_BYTES:
                    write_behind(fd, behind_bytes, _BEHIND_BYTES)
                    behind_bytes += _BEHIND_BYTES
            if durable:
                with _trouble(f"cannot store {name}"):
                    os.fsync(fd)
        finally:
            os.close(fd)
        return size_bytes

    def _give_name(self, draft: str, name: ObjectName, *, durable: bool) -> None:
        path = f"{self._objects}/{name}"
        self._know_shard(path[: -len(name) + 2], durable=durable)
        try:
            os.link(draft, path, follow_symlinks=False)
        except FileExistsError:
            raise ObjectExists(f"the vault already holds {name}") from None
        if durable:
            try:
                fsync_path(path[: -len(name) + 2])
            except OSError:
                os.unlink(path)  # noqa: PTH108 - as above
                raise

    def _know_shard(self, shard: str, *, durable: bool) -> None:
        """The shard is there, is a folder and no link to one, and is durable if it must be. Looked at once."""
        if shard not in self._shards:
            with suppress(FileExistsError):
                os.mkdir(shard, 0o700)  # noqa: PTH102 - as above
            os.close(os.open(shard, _FOLDER))
            self._shards.add(shard)
        if durable and shard not in self._durable_shards:
            fsync_path(self._objects)
            self._durable_shards.add(shard)

    def sync(self, names: Sequence[ObjectName]) -> None:
        """See `ObjectStore`. One flush of the file system costs about what two files cost."""
        for name in names:
            validate_name(name)
        if not names:
            return
        with _trouble(f"cannot make {len(names)} objects durable"):
            sync_filesystem(self._objects)

    def read(
        self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None
    ) -> Iterator[bytes]:
        """See `ObjectStore`."""
        validate_name(name)
        with self._open(name) as fd:
            size_bytes = os.fstat(fd).st_size
            end = size_bytes if length_bytes is None else start_bytes + length_bytes
            if not 0 <= start_bytes <= end <= size_bytes:
                raise InvalidInput(f"not a range of the {size_bytes} bytes of {name}: {start_bytes} to {end}")
            position = start_bytes
            while position < end:
                with _trouble(f"cannot read {name}"):
                    piece = os.pread(fd, min(_READ_BYTES, end - position), position)
                if not piece:
                    raise FixityMismatch(
                        f"{name} ended at {position} of {size_bytes} bytes while it was read"
                    )
                position += len(piece)
                yield piece

    def size_of(self, name: ObjectName) -> int | None:
        """See `ObjectStore`."""
        found = self._look(validate_name(name))
        return None if found is None else found.st_size

    def erase_many(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """See `ObjectStore`. All of it is made durable together."""
        by_shard: dict[str, list[ObjectName]] = defaultdict(list)
        for name in names:
            by_shard[validate_name(name)[:2]].append(name)
        self.store_id()
        failures: dict[ObjectName, str] = {}
        for batch in by_shard.values():
            failures |= self._erase_in_shard(batch)
        failures |= self._sync_shards(by_shard.keys(), [name for name in names if name not in failures])
        return failures | self._erase_drafts([name for name in names if name not in failures])

    def _erase_in_shard(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        try:
            with self._shard(names[0]) as shard:
                reasons = {name: _erase_one(shard, name[3:]) for name in names}
        except FileNotFoundError:
            return {}
        except OSError as error:
            return dict.fromkeys(names, error.strerror or "the file system failed")
        return {name: reason for name, reason in reasons.items() if reason}

    def _sync_shards(self, shards: Collection[str], erased: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """Make what was erased stay so after a crash; if that fails, none of it counts as erased."""
        try:
            if len(shards) > _FEW_SHARDS:
                sync_filesystem(self._objects)
                return {}
            for shard in shards:
                with suppress(FileNotFoundError):
                    fsync_path(f"{self._objects}/{shard}")
        except OSError as error:
            return dict.fromkeys(erased, error.strerror or "the file system failed")
        return {}

    def _erase_drafts(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """What a crashed put left may share an object's bytes: it goes with the object."""
        drafts = self._drafts()
        leftovers = [(name, draft) for name in names for draft in drafts.get(name[3:], [])]
        failures: dict[ObjectName, str] = {}
        for name, draft in leftovers:
            try:
                draft.unlink(missing_ok=True)
            except OSError as error:
                failures[name] = error.strerror or "the file system failed"
        if leftovers:
            with _trouble(f"cannot erase what lies in {self._unfinished}"):
                fsync_path(self._unfinished)
        return failures

    def remains(self, names: Sequence[ObjectName]) -> set[ObjectName]:
        """See `ObjectStore`. A leftover of an unfinished put counts: it may share the object's bytes."""
        drafts = self._drafts()
        found = {name for name in names if self._stat(validate_name(name)) is not None or name[3:] in drafts}
        self.store_id()
        return found

    def list_names(self, prefix: str = "") -> Iterator[tuple[ObjectName, int, datetime]]:
        """See `ObjectStore`. Holds one shard's names."""
        self.store_id()
        for shard in self._entries(self._objects):
            if not shard.name.startswith(prefix[:2]) or not shard.is_dir(follow_symlinks=False):
                continue
            for entry in self._entries(Path(shard.path)):
                name = f"{shard.name}/{entry.name}"
                if name.startswith(prefix) and is_object_name(name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        yield ObjectName(name), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC)

    def strangers(self, before: datetime) -> Iterator[Stranger]:
        """See `ObjectStore`. By path under the store's folder, links and all; holds the names of a few folders."""
        self.store_id()
        with _trouble(f"cannot list {self._root}"):
            yield from find_strangers(self._root, before)

    def erase_strangers(self, names: Sequence[str]) -> dict[str, str]:
        """See `ObjectStore`."""
        for name in names:
            refuse_ours(name)
        self.store_id()
        reasons = {name: erase_stranger(self._root, name) for name in names}
        return {name: reason for name, reason in reasons.items() if reason}

    def protect(self, names: Sequence[ObjectName], held: bool) -> None:
        """See `ObjectStore`. Takes the owner's write bit, which `erase_many` respects."""
        for name in names:
            validate_name(name)
            with suppress(NotFound), self._open(name) as fd, _trouble(f"cannot protect {name}"):
                os.fchmod(fd, _HELD_MODE if held else _NORMAL_MODE)

    def sweep(self, before: datetime) -> int:
        """See `ObjectStore`."""
        swept = 0
        for entry in self._entries(self._unfinished):
            with _trouble(f"cannot sweep {entry.path}"), suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before.timestamp():
                    Path(entry.path).unlink()
                    swept += 1
        return swept

    def _drafts(self) -> dict[str, list[Path]]:
        """What unfinished puts left, by the file name each was to get."""
        drafts: dict[str, list[Path]] = defaultdict(list)
        for entry in self._entries(self._unfinished):
            drafts[entry.name.partition("~")[0]].append(Path(entry.path))
        return drafts

    def _entries(self, folder: Path) -> list["os.DirEntry[str]"]:
        with _trouble(f"cannot list {folder}"), os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)

    def _look(self, name: ObjectName) -> os.stat_result | None:
        found = self._stat(name)
        if found is None:
            self.store_id()  # nothing is there either when the disk is not mounted
        return found

    def _stat(self, name: ObjectName) -> os.stat_result | None:
        try:
            found = os.lstat(f"{self._objects}/{name}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable(f"cannot look at {name}", error) from error
        if not stat.S_ISREG(found.st_mode):
            raise FixityMismatch(f"{name} is not a file of the vault")
        return found

    @contextmanager
    def _shard(self, name: ObjectName) -> Iterator[int]:
        fd = os.open(self._objects / name[:2], _FOLDER)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _open(self, name: ObjectName) -> Iterator[int]:
        try:
            with self._shard(name) as shard:
                fd = os.open(name[3:], _READ, dir_fd=shard)
        except FileNotFoundError:
            self.store_id()
            raise NotFound(f"the vault holds no {name}") from None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise FixityMismatch(f"{name} is not a file of the vault") from None
            raise _unavailable(f"cannot open {name}", error) from error
        try:
            yield fd
        finally:
            os.close(fd)


def _erase_one(shard: int, file_name: str) -> str | None:
    """Unlink one object; the reason if that failed."""
    try:
        found = os.stat(file_name, dir_fd=shard, follow_symlinks=False)
        if not found.st_mode & stat.S_IWUSR:
            return "protected by a hold"
        os.unlink(file_name, dir_fd=shard)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or "the file system failed"
    return None


def _write(fd: int, chunk: Chunk, name: ObjectName) -> int:
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except OSError as error:
            raise _unavailable(f"cannot store {name}", error) from error
    return len(chunk)


def _unavailable(doing: str, error: OSError) -> StoreUnavailable:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = "The disk or its quota is full; nothing was kept. Make room and try again." if full else None
    return StoreUnavailable(f"{doing}: {error.strerror}", hint=hint)


@contextmanager
def _trouble(doing: str) -> Iterator[None]:
    """Trouble with the file system becomes StoreUnavailable. Never wrapped around a caller's code."""
    try:
        yield
    except OSError as error:
        raise _unavailable(doing, error) from error
