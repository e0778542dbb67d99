"""A request as it was received: who asks, for what, and what about. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from retention.catalogue.identifiers import Identifier, blind_all
from retention.holds.model import Criteria
from retention.kernel.canonical import canonical_json
from retention.requests.rules.model import RequestKind


@dataclass(frozen=True, slots=True)
class Interval:
    """What a camera saw, or a line carried, in some time; told in true time, whatever the recorder's clock said."""

    source_id: str
    from_at: datetime
    until_at: datetime  #: exclusive


@dataclass(frozen=True, slots=True)
class Described:
    """What a request is about, as the requester described it."""

    identifiers: tuple[Identifier, ...] = ()
    intervals: tuple[Interval, ...] = ()
    recording_ids: tuple[str, ...] = ()

    def criteria(self, index_key: bytes) -> tuple[Criteria, ...]:
        """What its holds cover: one for the person, one for each interval, one for named recordings."""
        found = [
            Criteria(source_id=each.source_id, from_at=each.from_at, until_at=each.until_at)
            for each in self.intervals
        ]
        if self.identifiers:
            found.append(Criteria(blinds=blind_all(index_key, self.identifiers)))
        if self.recording_ids:
            found.append(Criteria(recording_ids=self.recording_ids))
        return tuple(found)

    def told(self) -> dict[str, Any]:
        """As the request's diary keeps it."""
        return {
            "identifiers": [[each.kind, each.value] for each in self.identifiers],
            "intervals": [
                [each.source_id, each.from_at.isoformat(), each.until_at.isoformat()]
                for each in self.intervals
            ],
            "recordings": list(self.recording_ids),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Described":
        """What `told` was made of."""
        return cls(
            tuple(Identifier(kind, value) for kind, value in told["identifiers"]),
            tuple(
                Interval(source_id, datetime.fromisoformat(start), datetime.fromisoformat(end))
                for source_id, start, end in told["intervals"]
            ),
            tuple(told["recordings"]),
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, or for whom."""

    name: str
    contact: str = ""  #: where the answer goes: an address, an e-mail address, a telephone number


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it was received."""

    kind: RequestKind
    subject: Person
    received_at: datetime
    language: str
    words: str = ""  #: what was asked, as it was said
    agent: Person | None = None
    described: Described = Described()

    def text(self) -> bytes:
        """As the request's file keeps it."""
        return canonical_json(
            {
                "kind": self.kind,
                "subject": asdict(self.subject),
                "agent": asdict(self.agent) if self.agent else None,
                "received_at": self.received_at,
                "language": self.language,
                "words": self.words,
                "described": self.described.told(),
            }
        )
