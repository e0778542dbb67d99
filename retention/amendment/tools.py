"""What putting a schedule in force needs."""

from collections.abc import Callable
from dataclasses import dataclass

from retention.audit.witness import SignedJournal
from retention.database import Database
from retention.kernel.clock import Clock
from retention.vault.model import KeyService

#: Is told how many data keys have been wrapped anew so far.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """The store."""

    database: Database
    keys: KeyService
    journal: SignedJournal
    clock: Clock
