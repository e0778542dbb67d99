"""Watch drop folders: take a file in when it is finished, delete it when it is safe.

Finished means that it, its sidecar and its folder's manifest have not changed
for a while, or that its sidecar says it is complete and names its size. Safe
means that the recording is committed and that its sealed bytes were read back,
decrypted and compared with the digest; what is quarantined with its bytes is
kept in the vault and deleted here too, after the same comparison. A sidecar
goes with its file, and waits for it when it comes first.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retention.catalogue.model import ORIGINAL
from retention.ingest.discover import LONELY, discover
from retention.ingest.manifest import sidecar_names
from retention.ingest.model import Candidate, Outcome, Status
from retention.ingest.quarantine import find_item, verify_item
from retention.ingest.receive import Receiver, Tools
from retention.kernel.errors import IntegrityError, RequestError
from retention.vault.door import sealed_object
from retention.vault.open import read_all
from retention.vault.reasons import data_keys

POLL_S = 1.0
#: How long a sidecar waits for its recording before a person is told of it.
PATIENCE_S = 3_600.0
_Look = tuple[tuple[int, int, int] | None, ...]  #: inode, size and modification time of each file concerned


@dataclass(slots=True)
class Watcher:
    """Watches folders until it is stopped."""

    tools: Tools
    actor: str
    folders: Iterable[Path]
    source_id: str
    stable_s: float
    poll_s: float = POLL_S
    _seen: dict[Path, tuple[_Look, float]] = field(default_factory=dict)
    _left: dict[Path, _Look] = field(default_factory=dict)  #: dealt with, and not to be deleted

    def outcomes(self, after_batch: Callable[[], object] = lambda: None) -> Iterator[Outcome]:
        """The outcome of every file that is dropped, until the caller stops asking."""
        while True:
            ready = self.ready()
            if ready:
                for outcome in Receiver(self.tools, self.actor).receive(ready):
                    self._clear_away(outcome)
                    yield outcome
                after_batch()
            time.sleep(self.poll_s)

    def ready(self) -> list[Candidate]:
        """The files that are finished and have not been dealt with as they are."""
        now = self.tools.clock.monotonic()
        found: list[Candidate] = []
        seen: dict[Path, tuple[_Look, float]] = {}
        for candidate in discover(self.folders, self.source_id):
            look = _look(candidate)
            if look[0] is None or self._left.get(candidate.path) == look:
                continue
            known = self._seen.get(candidate.path)
            seen[candidate.path] = known if known and known[0] == look else (look, now)
            is_stable = now - seen[candidate.path][1] >= self._patience_s(candidate)
            if is_stable or _is_complete(candidate, look):
                found.append(candidate)
        self._seen = seen
        return found

    def _patience_s(self, candidate: Candidate) -> float:
        return max(self.stable_s, PATIENCE_S) if candidate.fault is LONELY else self.stable_s

    def _clear_away(self, outcome: Outcome) -> None:
        """Delete the source's file once its sealed copy has been read back; leave it when that fails."""
        candidate = outcome.candidate
        if candidate is None:
            return
        offered = self._seen[candidate.path][0]
        try:
            if outcome.status is not Status.DISPOSED and outcome.id:
                self._verify(outcome.id, outcome.status)
            if _look(candidate) == offered:
                # Another file that took the place meanwhile was never read: it is offered by the next pass.
                _delete(candidate)
        except (IntegrityError, RequestError, OSError):
            # The next pass reports it again only if the file changes; the vault's own check names the fault.
            self._left[candidate.path] = offered

    def _verify(self, found_id: str, status: Status) -> None:
        with self.tools.database.read() as session:
            if status is Status.QUARANTINED:
                verify_item(self.tools.store, self.tools.keys, find_item(session, found_id))
                return
            sealed = sealed_object(session, found_id, ORIGINAL)
            key = next(key for _, key in data_keys(session, self.tools.keys, [found_id]))
        for _ in read_all(self.tools.store, key, sealed):
            pass


def _look(candidate: Candidate) -> _Look:
    return tuple(
        _state(path) if path else None for path in (candidate.path, candidate.sidecar, candidate.manifest)
    )


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.lstat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _is_complete(candidate: Candidate, look: _Look) -> bool:
    entry = candidate.entry
    return entry is not None and entry.complete and look[0] is not None and entry.size_bytes == look[0][1]


def _delete(candidate: Candidate) -> None:
    candidate.path.unlink(missing_ok=True)
    sidecar = candidate.sidecar
    if sidecar is None:
        return
    others = (path.name for path in candidate.path.parent.iterdir() if path != sidecar)
    if not any(sidecar.name in sidecar_names(name) for name in others):
        sidecar.unlink(missing_ok=True)
