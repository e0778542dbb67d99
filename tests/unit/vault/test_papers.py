"""Papers fall into the classes that the policy has for them; without one, none is written."""

from datetime import UTC, date, datetime

import pytest

from retention.catalogue.model import Assigned
from retention.kernel.errors import InvalidInput
from retention.vault.papers import Shelf
from tests.builders.policy import schedule

REQUESTS = Shelf("requests", "request-handling")
EVENING = datetime(2026, 3, 20, 16, 0, tzinfo=UTC)  #: in Tokyo it is the 21st


def test_a_paper_counts_from_the_day_it_was_written_where_the_office_is() -> None:
    (assigned,) = REQUESTS.assigned(schedule(), "evidence", EVENING)
    assert assigned == Assigned("request-handling", "requests.evidence", date(2026, 3, 21), "")


def test_a_paper_that_waits_for_an_event_is_known_by_what_the_event_will_name() -> None:
    (assigned,) = REQUESTS.assigned(schedule(), "file", EVENING, "case-7")
    assert assigned == Assigned("request-handling", "requests.file", None, "case-7")


def test_without_a_class_for_it_no_paper_is_written_and_the_policy_that_is_needed_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        Shelf("complaints", "complaint-handling").assigned(schedule(), "file", EVENING, "case-7")
    assert refused.value.message == "the policy has no retention class for complaints of the area file"
    assert "the purpose complaint-handling and classes for case-file" in refused.value.hint


def test_a_paper_that_nothing_will_be_known_about_cannot_wait_for_an_event() -> None:
    with pytest.raises(InvalidInput, match=r"of the area file that counts from the recording's end$"):
        REQUESTS.assigned(schedule(), "file", EVENING)
