"""The public notice of a store: what is gathered for it."""

from datetime import date, timedelta

from retention.bootstrap import App
from retention.catalogue.tables import ScheduleRow, SourceRow
from retention.notice.gather import gather
from retention.requests.papers import SHELF, Area
from retention.requests.rulebooks import put_in_force
from retention.schedule.model import Period
from retention.schedule.parse import parse_policy
from tests.builders.house import House
from tests.builders.policy import FILE, policy_text
from tests.builders.rulebooks import text_of


def apply(app: App, number: int, text: str) -> None:
    """Put a schedule in force as `retention schedule apply` leaves it in the catalogue."""
    row = ScheduleRow(
        version=number,
        digest=parse_policy(text, FILE).digest,
        text=text,
        file_name=FILE,
        planned_by="sato",
        approved_by="tanaka",
        applied_at=app.clock.now(),
    )
    with app.database.write() as session:
        session.add(row)


def test_every_version_is_gathered_with_its_days_and_the_rulebook_of_its_time(house: House) -> None:
    app = house.app
    put_in_force(app.database, text_of("appi.yaml"), "appi.yaml", app.clock.now(), "sato")
    first_day = app.today()
    house.clock.move(days=10)
    apply(app, 2, policy_text(quality="P9D"))
    house.clock.move(days=10)
    put_in_force(app.database, text_of("gdpr.yaml"), "gdpr.yaml", app.clock.now(), "sato")
    with app.database.read() as session:
        state = gather(session)
    second_day: date = first_day + timedelta(days=10)
    old, new = state.versions
    assert (old.number, old.since, old.until, old.book.name) == (1, first_day, second_day, "appi")
    assert (new.number, new.since, new.until, new.book.name) == (2, second_day, None, "gdpr")
    assert new.schedule.classes["calls.quality"].period == Period(days=9)


def test_recorders_are_gathered_and_the_offices_own_papers_are_not(house: House) -> None:
    app = house.app
    put_in_force(app.database, text_of("appi.yaml"), "appi.yaml", app.clock.now(), "sato")
    house.add_source("line-1")
    office = SHELF.source(app.schedule(), Area.FILE)
    with app.database.write() as session:
        session.add(SourceRow(**office.particulars(), registered_at=app.clock.now()))
    with app.database.read() as session:
        assert [source.id for source in gather(session).sources] == ["line-1"]
