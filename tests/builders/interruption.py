"""A change of the schedule that has everything in it, and processes that end in the middle of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlmodel import Session

from retention.audit.witness import Follow
from retention.catalogue.schedules import schedule_in_force
from retention.database import Database
from retention.disposal.plan import make_plan
from tests.builders.archive import Archive, Take
from tests.builders.schedules import Policy, Rule

DAY = timedelta(days=1)
OLD = Policy(
    (Rule("cctv", "security", "P30D"), Rule("cases", "dispute", "P1Y", "case-closed")), cool_off="PT1H"
)
#: Divides cctv (most leaves, for longer), renames cases, and lays a floor on one area.
DIVIDED = Policy(
    (
        Rule("cctv", "security", "P30D", areas=("lobby",)),
        Rule("desk", "security", "P90D", but_areas=("lobby",)),
        Rule("disputes", "dispute", "P2Y", "case-closed"),
    ),
    floors=(Rule("law", "records", "P3Y", areas=("vault",)),),
    cool_off="PT1H",
)


def fill(archive: Archive, days: int = 4) -> None:
    """Three cameras in two zones, some days each, two with a case, one under a hold."""
    now = archive.clock.now()
    for name, zone in (("lobby", "Asia/Tokyo"), ("desk", "Asia/Tokyo"), ("vault", "America/New_York")):
        archive.add_source(name, "security", area=name, zone=zone)
        archive.add(*(Take(name, now - ago * DAY) for ago in range(days)))
    archive.add(
        Take("desk", now, purposes=("dispute",), reference="case-7"),
        Take("desk", now, purposes=("dispute",), events={"case-closed": now.date()}),
        Take("desk", now, holds=("hold-1",)),
    )


def nothing_is_due(archive: Archive) -> None:
    """A night right now, or in four weeks, would find nothing due that neither schedule lets go."""
    with archive.database.read() as session:
        on = archive.clock.now().date() + 25 * DAY
        assert make_plan(session, schedule_in_force(session), on).recordings == 0


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Counts what a process makes durable, and ends it after a line of the journal, or around a commit."""

    def __init__(self, at: int = -1) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        """Die, if the time has come."""
        self.steps += 1
        if self.steps - 1 == self.at:
            raise Killed

    @contextmanager
    def holds(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Everything the archive writes goes past here."""
        write, append = Database.write, archive.journal.documents.append

        @contextmanager
        def mortal_write(database: Database) -> Iterator[Session]:
            with write(database) as session:
                yield session
                self.step()
            self.step()

        def mortal_append(follow: Follow) -> None:
            append(follow)
            self.step()

        with monkeypatch.context() as patch:
            patch.setattr(Database, "write", mortal_write)
            patch.setattr(archive.journal.documents, "append", mortal_append)
            yield
