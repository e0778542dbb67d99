"""Watch drop folders: take a file in when it is finished, delete it when it is safe.

Finished means that its size and time have not changed for a while, or that its
sidecar says it is complete and names its size or digest. Safe means that the
recording is committed and that its sealed bytes were read back, decrypted and
compared with the digest; quarantined files are kept in the vault and deleted
here too, after the same comparison.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retention.catalogue.model import ORIGINAL
from retention.ingest.discover import discover
from retention.ingest.model import Candidate, Outcome, Status
from retention.ingest.quarantine import find_item, verify_item
from retention.ingest.receive import Receiver, Tools
from retention.kernel.errors import IntegrityError, RequestError
from retention.vault.door import sealed_object
from retention.vault.open import read_all
from retention.vault.reasons import data_keys

POLL_S = 1.0
_Look = tuple[int, int]  #: size, modification time in ns


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
    _left: set[tuple[Path, _Look]] = field(default_factory=set)

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
        present: set[Path] = set()
        for candidate in discover(self.folders, self.source_id):
            look = _look(candidate.path)
            present.add(candidate.path)
            if look is None or (candidate.path, look) in self._left:
                continue
            known = self._seen.get(candidate.path)
            if known is None or known[0] != look:
                known = self._seen[candidate.path] = (look, now)
            if now - known[1] >= self.stable_s or _is_complete(candidate, look):
                found.append(candidate)
        self._seen = {path: known for path, known in self._seen.items() if path in present}
        return found

    def _clear_away(self, outcome: Outcome) -> None:
        """Delete the source's file once its sealed copy has been read back; leave it when that fails."""
        if outcome.file is None:
            return
        look = _look(outcome.file)
        try:
            if outcome.status is not Status.DISPOSED and outcome.id:
                self._verify(outcome.id, outcome.status)
            outcome.file.unlink(missing_ok=True)
        except (IntegrityError, RequestError, OSError):
            # The next pass reports it again only if the file changes; the vault's own check names the fault.
            if look:
                self._left.add((outcome.file, look))

    def _verify(self, found_id: str, status: Status) -> None:
        with self.tools.database.read() as session:
            if status is Status.QUARANTINED:
                verify_item(self.tools.store, self.tools.keys, find_item(session, found_id))
                return
            sealed = sealed_object(session, found_id, ORIGINAL)
            key = next(key for _, key in data_keys(session, self.tools.keys, [found_id]))
        for _ in read_all(self.tools.store, key, sealed):
            pass


def _look(path: Path) -> _Look | None:
    try:
        stat = path.lstat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _is_complete(candidate: Candidate, look: _Look) -> bool:
    entry = candidate.entry
    return entry is not None and entry.complete and entry.size_bytes == look[0]
