"""Which files are offered, and what is said about each."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retention.ingest.manifest import FOLDER_NAMES, Entry, read_manifest, read_sidecar, sidecar_names
from retention.ingest.model import Candidate, Code, Fault
from retention.kernel.errors import InvalidInput, NotFound

#: What recorders and file transfers call a file that is not finished.
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")


@dataclass(slots=True)
class _Folder:
    """The files of one folder and what its manifests say."""

    media: list[Path] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)  #: for one file, by its name; "" for all


def discover(
    paths: Iterable[Path], source_id: str, *, manifest: Path | None = None, started_at: str = ""
) -> Iterator[Candidate]:
    """The files under `paths`, in a stable order, each with its entry.

    A manifest that cannot be read makes a fault of every file it might describe;
    an entry without a file is a fault of its own.

    Raises:
        NotFound: A path does not exist.
    """
    given = _given(manifest)
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise NotFound(f"{path} does not exist")
        folders = _walk(path) if path.is_dir() else [(path.parent, [path.name])]
        for root, names in folders:
            yield from _of_folder(root, names, given, source_id, started_at, whole=path.is_dir())
    seen = {name for name, used in given.used.items() if used} if given else set()
    if given and given.lonely(seen):
        yield from _missing(given, seen, source_id)


class _Given:
    """The manifest named on the command line."""

    def __init__(self, path: Path, folder: _Folder) -> None:
        self.path = path
        self.folder = folder
        self.used = dict.fromkeys(folder.entries, False)

    def lonely(self, seen: set[str]) -> bool:
        return bool(set(self.folder.entries) - seen - {""})


def _given(manifest: Path | None) -> _Given | None:
    if manifest is None:
        return None
    folder = _Folder()
    _learn_manifest(folder, manifest)
    return _Given(manifest, folder)


def _missing(given: _Given, seen: set[str], source_id: str) -> Iterator[Candidate]:
    for name in sorted(set(given.folder.entries) - seen - {""}):
        yield Candidate(
            given.path.parent / name,
            source_id,
            given.folder.entries[name],
            Fault(Code.NO_FILE, f"{given.path.name} lists it, but there is no such file"),
        )


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    for folder, below, names in os.walk(root):
        below.sort()
        yield Path(folder), sorted(names)


def _of_folder(
    root: Path, names: list[str], given: _Given | None, source_id: str, started_at: str, *, whole: bool
) -> Iterator[Candidate]:
    folder = _read_folder(root, names, given, whole=whole)
    for path in folder.media:
        entry = folder.entries.get(path.name)
        fault = folder.faults.get(path.name) or folder.faults.get("")
        if given:
            given.used |= {key: True for key in (path.name, str(path)) if key in given.used}
            only = given.folder.entries.get("")
            entry = (
                entry or given.folder.entries.get(path.name) or given.folder.entries.get(str(path)) or only
            )
            fault = fault or given.folder.faults.get("")
        yield Candidate(path, source_id, entry, fault, started_at)
    if whole:
        for name in sorted(set(folder.entries) - {path.name for path in folder.media} - {""}):
            fault = Fault(Code.NO_FILE, "the manifest lists it, but there is no such file")
            yield Candidate(root / name, source_id, folder.entries[name], fault)


def _read_folder(root: Path, names: list[str], given: _Given | None, *, whole: bool) -> _Folder:
    folder = _Folder()
    present = set(names)
    notes: set[str] = set()
    if given and given.path.parent.resolve() == root.resolve():
        notes.add(given.path.name)
    for name in names if whole else ():
        if name in FOLDER_NAMES and name not in notes:
            notes.add(name)
            _learn_manifest(folder, root / name)
    for name in names:
        for beside in sidecar_names(name):
            path = root / beside
            if (
                beside != name
                and beside not in notes
                and (beside in present or (not whole and path.is_file()))
            ):
                notes.add(beside)
                _learn_sidecar(folder, name, path)
    folder.media = [
        root / name
        for name in names
        if name not in notes and not (whole and (name.startswith(".") or name.lower().endswith(UNFINISHED)))
    ]
    return folder


def _learn_manifest(folder: _Folder, path: Path) -> None:
    try:
        for entry in read_manifest(path):
            folder.entries[entry.file] = entry
    except InvalidInput as error:
        folder.faults[""] = Fault(Code.BROKEN_MANIFEST, error.message)


def _learn_sidecar(folder: _Folder, name: str, path: Path) -> None:
    try:
        folder.entries[name] = read_sidecar(path)
    except InvalidInput as error:
        folder.faults[name] = Fault(Code.BROKEN_MANIFEST, error.message)
