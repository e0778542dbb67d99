"""What this room works with."""

from collections.abc import Callable
from dataclasses import dataclass

from retention.audit.witness import SignedJournal, Witness
from retention.database import Database
from retention.kernel.clock import Clock
from retention.vault.model import KeyService, ObjectStore
from retention.vault.signing import Signer

#: Told how far the work is, in the unit of the work.
Progress = Callable[[int], None]


def silent(_done: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of one store."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    witness: Witness
    signer: Signer
    clock: Clock
