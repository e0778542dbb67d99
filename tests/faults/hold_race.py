"""Two processes on one store, let go at once: one holds (or files a request), the other runs a disposal.

Each has an App of its own, as two commands would; nothing is shared but the
store's folder and its database.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from retention.bootstrap import App
from retention.disposal.night import run_disposal
from retention.holds.enforce import put_in_force
from retention.holds.model import Criteria, HoldKind
from retention.holds.place import new_hold
from retention.requests.file import file
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import RequestKind
from retention.vault.door import Way
from tests.fakes.hand_clock import HandClock

REVIEW_ON = date(2099, 1, 1)


@dataclass(frozen=True, slots=True)
class Start:
    """One round, for one of the two."""

    recording: str
    on: date
    after_s: float  #: how long this one waits once both were let go


@dataclass(frozen=True, slots=True)
class Held:
    """What the placer was told, and what it could read at once."""

    hold_id: str
    key_id: str
    recordings: tuple[str, ...]
    too_late: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Disposed:
    """What the disposer was told."""

    state: str
    disposed: int
    held: int


Outcome = Held | Disposed
Act = Callable[[App, Start, Callable[[], None]], Outcome]


def compete(act: Act, home: Path, at: datetime, barrier: Barrier, orders: Connection) -> None:
    """Carry out rounds until the other end is closed."""
    app = App(home, clock=HandClock(at))
    with suppress(EOFError):
        while True:
            start: Start = orders.recv()

            def let_go(after_s: float = start.after_s) -> None:
                barrier.wait()
                time.sleep(after_s)

            orders.send(act(app, start, let_go))
    app.close()


def place(app: App, start: Start, let_go: Callable[[], None]) -> Held:
    """Place a hold on the recording, and read it through the hold."""
    hold = new_hold(
        app.keys,
        app.clock.now(),
        "placer",
        kind=HoldKind.LEGAL,
        reason="a dispute",
        review_on=REVIEW_ON,
        criteria=Criteria(recording_ids=(start.recording,)),
    )
    let_go()
    placed = put_in_force(app.hold_tools(), hold)
    content = read(app, start.recording, hold.id, hold.key_id) if placed.recording_ids else ""
    return Held(hold.id, hold.key_id, placed.recording_ids, placed.too_late, content)


def file_request(app: App, start: Start, let_go: Callable[[], None]) -> Held:
    """File a person's request about the recording, and read it through the request's hold."""
    received = Received(
        kind=RequestKind.DISCLOSURE,
        subject=Person("someone"),
        received_at=app.clock.now(),
        language="ja",
        described=Described(recording_ids=(start.recording,)),
    )
    tools = app.paper_tools()
    let_go()
    (placed,) = file(tools, received, "clerk").placed
    hold = placed.hold
    content = read(app, start.recording, hold.id, hold.key_id) if placed.recording_ids else ""
    return Held(hold.id, hold.key_id, placed.recording_ids, placed.too_late, content)


def dispose(app: App, start: Start, let_go: Callable[[], None]) -> Disposed:
    """Run the disposal of the recording's day."""
    tools = app.disposal_tools()
    let_go()
    run = run_disposal(tools, start.on, "disposer")
    return Disposed(run.state, run.disposed, run.held)


def read(app: App, recording: str, hold_id: str, key_id: str) -> str:
    """The SHA-256 of what the hold opens."""
    way = Way(hold_id=hold_id, hold_key_id=key_id)
    reader = app.door.open(app.schedule(), recording, way, "reader", app.clock.now())
    return sha256(b"".join(reader.chunks())).hexdigest()
