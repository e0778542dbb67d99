"""What people wait for is looked up: no question reads all recordings, or all of what hangs on them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from retention.bootstrap import App
from retention.catalogue.identifiers import KINDS, sought
from retention.disposal.night import dispose_of_refused
from retention.founding import open_app
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.received import Described, Interval, Person, Received
from retention.requests.rules.model import RequestKind
from tests.benchmarks.archive import SITES
from tests.benchmarks.lookups import Question, archive, questions, scans

RECORDINGS = 2_000
#: Tables that grow with the archive.
LARGE = {"recording", "wrap", "object", "identifier", "tombstone", "audit_entry", "hold_match"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    opened = open_app(archive(tmp_path_factory.mktemp("archive"), RECORDINGS))
    yield opened
    opened.close()


def large_ones(steps: list[str]) -> list[str]:
    return [step for step in steps if step.split()[0] in LARGE]


def test_due_list_plan_impact_explain_and_search_read_no_large_table_from_end_to_end(app: App) -> None:
    found = {question.name: large_ones(scans(app, question)) for question in questions(app)}
    assert len(found) >= 9
    assert not any(found.values()), found


@pytest.mark.parametrize("value", ["sum(size_bytes)", "max(size_bytes)", "group_concat(facts)"])
def test_a_question_that_reads_all_recordings_would_be_found(app: App, value: str) -> None:
    def ask(session: Session, _: int) -> object:
        return session.execute(text(f"SELECT {value} FROM recording")).scalar_one()

    assert large_ones(scans(app, Question(value, 1, ask)))


def test_looking_for_what_must_not_be_recorded_reads_neither_what_is_kept_nor_what_is_gone(app: App) -> None:
    """It is asked after every ingest; what was disposed of in years stands in the same table."""

    def refused(_session: Session, _: int) -> object:
        return dispose_of_refused(app.disposal_tools(), "benchmark")

    steps = large_ones(scans(app, Question("refused", 1, refused)))
    assert steps == ["recording USING INDEX recording_going"]


def test_a_requests_search_reads_nothing_from_end_to_end_whatever_it_describes(app: App) -> None:
    described = Described(
        tuple(sought(kind, "1001", "JP") for kind in KINDS),
        (Interval(f"call-{SITES[0]}", app.clock.now() - timedelta(hours=1), app.clock.now()),),
    )
    person, now = Person("somebody"), app.clock.now()
    filed = file(
        app.paper_tools(), Received(RequestKind.ERASURE, person, now, "ja", described=described), "clerk"
    )
    identify(app.paper_tools(), filed.receipt, ["drivers-licence"], [], "", "clerk")

    def search(_session: Session, _: int) -> object:
        return match(app.paper_tools(), filed.receipt, "clerk")

    assert large_ones(scans(app, Question("match", 1, search))) == []
