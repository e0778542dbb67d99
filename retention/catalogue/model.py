"""What the catalogue is told of a recording, and what it tells. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from retention.schedule.model import Facts, Kind

#: The role of the object that holds the recording itself.
ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Source:
    """A recorder, line, queue or camera, as registered."""

    id: str
    kind: Kind
    site: str
    zone: str
    area: str
    owner: str
    notice: str
    purposes: tuple[str, ...]
    clock_error_s: float
    channels: tuple[str, ...]
    mount: str
    raw_format: str

    @property
    def facts(self) -> Facts:
        """What the choice of a retention class may depend on."""
        return Facts(kind=self.kind, site=self.site, area=self.area, zone=self.zone)

    def particulars(self) -> dict[str, Any]:
        """All that is registered, as JSON and the catalogue hold it."""
        lists = {"purposes": list(self.purposes), "channels": list(self.channels)}
        return asdict(self) | lists | {"kind": str(self.kind)}


@dataclass(frozen=True, slots=True)
class SealedObject:
    """A sealed object of a recording."""

    role: str  #: ORIGINAL, or a derivative: "thumbnail", "peaks"
    size_bytes: int  #: before encryption
    stored_bytes: int
    sha256: bytes  #: of the bytes before encryption
    commitment: bytes  #: to the data key


@dataclass(frozen=True, slots=True)
class Assigned:
    """A purpose the recording carries, the class it fell into, and its trigger day."""

    purpose: str
    class_name: str
    trigger_on: date | None  #: None while the trigger is open
    reference: str = ""


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording whose bytes are sealed and which is about to be registered."""

    id: str
    source: Source
    native_index: bytes
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    claimed_start: str
    time_basis: str
    facts: Mapping[str, Any]
    personal: bytes | None
    data_key: bytes = field(repr=False)
    objects: tuple[SealedObject, ...]
    assigned: tuple[Assigned, ...]
    blinds: frozenset[bytes] = frozenset()

    @property
    def original(self) -> SealedObject:
        """The object that holds the recording itself."""
        return next(found for found in self.objects if found.role == ORIGINAL)
