"""Which files are offered, and what is said about each.

Nothing that lies in a folder is passed over in silence: a folder that cannot
be read, a link, an entry without a file are faults of their own. Hidden files
and those that a transfer has not finished are left for the next time.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retention.ingest.manifest import FOLDER_NAMES, Broken, Entry, read_manifest, read_sidecar, sidecar_names
from retention.ingest.model import Candidate, Code, Fault
from retention.kernel.errors import InvalidInput, NotFound

#: What recorders and file transfers call a file that is not finished.
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
NO_FILE = "{} lists it, but there is no such file"
NOT_BELOW = (
    "{} lists it, but it was not among the files that were offered: it lies outside the manifest's folder"
)
LONELY = Fault(Code.NO_FILE, "it is a sidecar, but the recording that it describes is not there")


@dataclass(slots=True)
class _Manifest:
    """What one manifest says, by the file it is said about."""

    path: Path
    by_path: dict[Path, Entry] = field(default_factory=dict)
    by_name: dict[str, Path] = field(default_factory=dict)  #: files that it names without a folder
    only: Entry | None = None  #: the one entry of a manifest that was given; it names no file
    fault: Fault | None = None  #: of the whole manifest
    faults: dict[Path, Fault] = field(default_factory=dict)  #: of single files
    doubt: Fault | None = None  #: of files of which it says nothing: a broken entry names none
    used: set[Path] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path, *, is_given: bool = False) -> "_Manifest":
        found = cls(path)
        try:
            entries = read_manifest(path)
            for number, entry in enumerate(entries, start=1):
                if isinstance(entry, Broken):
                    found._doubt(entry)
                else:
                    found._learn(entry, number, may_be_nameless=is_given and len(entries) == 1)
        except InvalidInput as error:
            found.fault = Fault(Code.BROKEN_MANIFEST, error.message)
        return found

    def _doubt(self, broken: Broken) -> None:
        fault = Fault(Code.BROKEN_MANIFEST, broken.reason)
        if broken.file:
            self.faults[_place(self.path.parent / broken.file)] = fault
        else:
            # It may be about any file of which nothing else is said.
            self.doubt = self.doubt or fault

    def _learn(self, entry: Entry, number: int, *, may_be_nameless: bool) -> None:
        if not entry.file:
            if may_be_nameless:
                self.only = entry
            else:
                self._doubt(Broken("", f"{self.path.name}, entry {number} names no file"))
            return
        file = _place(self.path.parent / entry.file)
        if self.by_path.setdefault(file, entry) != entry:
            self.faults[file] = Fault(
                Code.BROKEN_MANIFEST, f"{self.path.name} says two different things about it"
            )
        if "/" not in entry.file:
            self.by_name[entry.file] = file

    def about(self, file: Path, *, anywhere: bool) -> tuple[Entry | None, Fault | None]:
        """What it says about `file`; with `anywhere` also when the file lies in another folder than it names."""
        place = _place(file)
        if not anywhere and _place(self.path.parent) not in place.parents:
            return None, None
        if self.fault:
            return None, self.fault
        if place not in self.by_path and anywhere:
            place = self.by_name.get(file.name, place)
        self.used.add(place)
        entry = self.by_path.get(place, self.only if anywhere else None)
        return entry, self.faults.get(place) or (self.doubt if entry is None else None)

    def lonely(self, source_id: str) -> Iterator[Candidate]:
        """Entries whose file was not met."""
        for file in sorted(self.by_path.keys() - self.used) if self.fault is None else ():
            is_below = _place(self.path.parent) in file.parents
            fault = Fault(Code.NO_FILE, (NO_FILE if is_below else NOT_BELOW).format(self.path.name))
            yield Candidate(file, source_id, self.by_path[file], fault, manifest=self.path)
        for file in sorted(self.faults.keys() - self.by_path.keys() - self.used):
            yield Candidate(file, source_id, None, self.faults[file], manifest=self.path)


def discover(
    paths: Iterable[Path], source_id: str, *, manifest: Path | None = None, started_at: str = ""
) -> Iterator[Candidate]:
    """The files under `paths`, in a stable order, each with its entry.

    A manifest that cannot be read makes a fault of every file it might describe;
    an entry without a file is a fault of its own.

    Raises:
        NotFound: A path does not exist.
    """
    given = _Manifest.read(manifest, is_given=True) if manifest else None
    search = _Search(source_id, started_at, given)
    for path in paths:
        if path.is_dir():
            yield from search.folder(path)
        elif path.exists() or path.is_symlink():
            yield from search.file(path)
        else:
            raise NotFound(f"{path} does not exist")
    if given:
        yield from given.lonely(source_id)


@dataclass(slots=True)
class _Search:
    source_id: str
    started_at: str
    given: _Manifest | None

    def file(self, path: Path) -> Iterator[Candidate]:
        """One file; its folder's manifest may speak of it."""
        manifests = [_Manifest.read(path.parent / name) for name in self._manifests_in(path.parent)]
        yield self._candidate(path, manifests)

    def folder(self, root: Path) -> Iterator[Candidate]:
        """Every file below `root`, then the entries of manifests there that no file answers to."""
        manifests: list[_Manifest] = []
        for folder, names, faults in _walk(root):
            yield from (Candidate(path, self.source_id, fault=fault) for path, fault in faults)
            own = [_Manifest.read(folder / name) for name in self._manifests_in(folder)]
            manifests += own
            notes = {manifest.path.name for manifest in own} | self._given_in(folder)
            notes |= {note for name in names for note in sidecar_names(name) if note != name}
            media = [name for name in names if name not in notes]
            for name in media:
                yield self._candidate(folder / name, manifests)
            if not media:
                yield from (
                    Candidate(each.path, self.source_id, fault=each.fault) for each in own if each.fault
                )
        for manifest in manifests:
            yield from manifest.lonely(self.source_id)

    def _candidate(self, path: Path, manifests: list[_Manifest]) -> Candidate:
        entry, fault, sidecar, said_in = None, None, _sidecar_of(path), None
        if sidecar:
            try:
                entry = read_sidecar(sidecar)
            except InvalidInput as error:
                fault = Fault(Code.BROKEN_MANIFEST, error.message)
        elif path.suffix.lower() == ".json":
            fault = LONELY
        for manifest in (*manifests, *([self.given] if self.given else [])):
            said, wrong = manifest.about(path, anywhere=manifest is self.given)
            said_in = manifest.path if said or wrong else said_in
            entry, fault = entry or said, fault or wrong
        return Candidate(
            path, self.source_id, entry, fault, self.started_at, sidecar=sidecar, manifest=said_in
        )

    def _manifests_in(self, folder: Path) -> list[str]:
        return [
            name for name in FOLDER_NAMES if (folder / name).is_file() and name not in self._given_in(folder)
        ]

    def _given_in(self, folder: Path) -> set[str]:
        is_here = self.given and _place(self.given.path.parent) == _place(folder)
        return {self.given.path.name} if self.given and is_here else set()


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[tuple[Path, Fault]]]]:
    """Each folder with the names of its files, and what could not be entered."""
    failed: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=failed.append):
        below.sort()
        here = Path(folder)
        links = [here / name for name in below if (here / name).is_symlink()]
        faults = [
            (link, Fault(Code.NO_FILE, "it is a link to a folder: name the folder itself")) for link in links
        ]
        yield here, sorted(name for name in names if not _is_unfinished(name)), faults
    for error in failed:
        yield (
            root,
            [],
            [(Path(error.filename), Fault(Code.NO_FILE, f"the folder cannot be read: {error.strerror}"))],
        )


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def _sidecar_of(path: Path) -> Path | None:
    beside = (path.with_name(name) for name in sidecar_names(path.name) if name != path.name)
    return next((found for found in beside if found.is_file()), None)


def _place(path: Path) -> Path:
    """`path` from the root, without dots; links are left alone."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
