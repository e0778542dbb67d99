"""Two processes on one store, let go at once: one holds (or files a request), the other runs a disposal.

Each has an App of its own, as two commands would; nothing is shared but the
store's folder and its database. They live as long as the race, and go from
store to store as they are told.
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
from retention.holds.model import HoldKind
from retention.holds.place import Placed, new_hold
from retention.ingest.discover import discover
from retention.ingest.receive import Receiver
from retention.requests.file import file
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import RequestKind
from retention.vault.door import Way
from tests.fakes.hand_clock import HandClock
from tests.fakes.scripted_inspector import ScriptedInspector

REVIEW_ON = date(2099, 1, 1)
LINE, CAMERA = "line-1", "lobby"


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on in this store."""

    home: Path
    at: datetime


@dataclass(frozen=True, slots=True)
class Start:
    """One round, for one of the two."""

    described: Described  #: what is to be held
    on: date  #: what is due by then is to be disposed of
    after_s: float  #: how long this one waits once both were let go
    arrives: Path | None = None  #: taken in first, by whoever disposes


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
    arrived: str = ""  #: what was taken in before


Outcome = Held | Disposed
Act = Callable[[App, Start, Callable[[], None]], Outcome]


def compete(act: Act, barrier: Barrier, orders: Connection) -> None:
    """Carry out rounds until the other end is closed."""
    app: App | None = None
    with suppress(EOFError):
        while True:
            order: Start | Enter = orders.recv()
            if isinstance(order, Enter):
                app = _enter(order, app)
                continue

            def let_go(after_s: float = order.after_s) -> None:
                barrier.wait()
                time.sleep(after_s)

            assert app is not None
            orders.send(act(app, order, let_go))
    if app is not None:
        app.close()


def _enter(order: Enter, before: App | None) -> App:
    if before is not None:
        before.close()
    return App(order.home, clock=HandClock(order.at), inspector=ScriptedInspector())


def place(app: App, start: Start, let_go: Callable[[], None]) -> Held:
    """Place a hold on what is described, and read it through the hold."""
    (criteria,) = start.described.criteria(app.index_key)
    hold = new_hold(
        app.keys,
        app.clock.now(),
        "placer",
        kind=HoldKind.LEGAL,
        reason="a dispute",
        review_on=REVIEW_ON,
        criteria=criteria,
    )
    let_go()
    return _held(app, put_in_force(app.hold_tools(), hold))


def file_request(app: App, start: Start, let_go: Callable[[], None]) -> Held:
    """File a person's request about what is described, and read it through the request's hold."""
    received = Received(
        kind=RequestKind.DISCLOSURE,
        subject=Person("someone"),
        received_at=app.clock.now(),
        language="ja",
        described=start.described,
    )
    tools = app.paper_tools()
    let_go()
    (placed,) = file(tools, received, "clerk").placed
    return _held(app, placed)


def _held(app: App, placed: Placed) -> Held:
    hold = placed.hold
    contents = [read(app, each, hold.id, hold.key_id) for each in placed.recording_ids]
    return Held(hold.id, hold.key_id, placed.recording_ids, placed.too_late, "".join(contents))


def dispose(app: App, start: Start, let_go: Callable[[], None]) -> Disposed:
    """Take in what arrives, and run the disposal of its day."""
    arriving = [] if start.arrives is None else list(discover([start.arrives], LINE))
    receiver, tools = Receiver(app.ingest_tools(), "recorder"), app.disposal_tools()
    let_go()
    arrived = "".join(outcome.id or "" for outcome in receiver.receive(arriving))
    run = run_disposal(tools, start.on, "disposer")
    return Disposed(run.state, run.disposed, run.held, arrived)


def read(app: App, recording: str, hold_id: str, key_id: str) -> str:
    """The SHA-256 of what the hold opens."""
    way = Way(hold_id=hold_id, hold_key_id=key_id)
    reader = app.door.open(app.schedule(), recording, way, "reader", app.clock.now())
    return sha256(b"".join(reader.chunks())).hexdigest()
