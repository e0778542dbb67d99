"""What a store says of its requests and recordings, for a story that knows what should be true."""

import json
from dataclasses import dataclass
from typing import Any

from retention.catalogue.states import State
from retention.holds.find import find_hold
from retention.kernel.errors import NotFound
from retention.provision.blocks import blocked
from retention.requests.cases import find_request
from retention.requests.correct import code_of
from retention.requests.match import granted
from retention.requests.provisions import handed_over
from retention.requests.tables import RequestRow
from retention.vault.door import Way
from tests.builders.house import ACTOR, House


@dataclass(frozen=True)
class Register:
    """A store, looked at from outside."""

    house: House

    def row(self, receipt: str) -> dict[str, Any]:
        """A request, as the catalogue has it."""
        with self.house.app.database.read() as session:
            found: RequestRow = find_request(session, receipt)
            return found.model_dump()

    def granted(self, receipt: str) -> tuple[str, ...]:
        """What a request is about, and would be granted for."""
        with self.house.app.database.read() as session:
            return granted(session, find_request(session, receipt).id)

    def was_given(self, receipt: str) -> bool:
        """Whether anything that a request is about was handed over to others."""
        with self.house.app.database.read() as session:
            return bool(handed_over(session, find_request(session, receipt).id))

    def code(self, receipt: str) -> str:
        """By which a second person approves a correction."""
        with self.house.app.database.read() as session:
            return code_of(session, self.house.app.paper_tools(), find_request(session, receipt))

    def copied(self, receipt: str) -> set[str]:
        """The recordings of which a redacted copy is made."""
        made = "SELECT c.recording_id FROM request_rendition c JOIN request r ON r.id = c.request_id"
        rows = self.house.rows(f"{made} WHERE r.receipt = :receipt", receipt=receipt)
        return {row.recording_id for row in rows}

    def is_sealed(self, recording_id: str) -> bool:
        """Whether a recording is known, and here."""
        try:
            return self.house.find(recording_id).state is State.SEALED
        except NotFound:
            return False

    def is_stopped(self, recording_id: str) -> bool:
        """Whether a person stopped its provision."""
        with self.house.app.database.read() as session:
            return bool(blocked(session, recording_id))

    def number_of(self, recording_id: str) -> str:
        """Whose a held recording is said to be: the note tells, through the hold."""
        (hold, *_) = self.house.find(recording_id).hold_ids
        with self.house.app.database.read() as session:
            way = Way(hold_id=hold, hold_key_id=find_hold(session, hold).key_id)
        door, now = self.house.app.door, self.house.clock.now()
        note = json.loads(door.particulars(self.house.app.schedule(), recording_id, way, ACTOR, now))
        number: str = note["entry"]["participants"][0]["phone"]
        return number
