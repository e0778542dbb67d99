"""Tries and downloads, over every order of events."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from retention.outbox.ledger import AGAIN_FOR, FILE_NAME, FORGOTTEN_AFTER, STARTS, TRIES, Ledger, State

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
EXPIRES_AT = NOW + timedelta(days=14)
LINK = "ab" * 32


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path)) as found:
        yield found


def admitted(ledger: Ledger, at: datetime = NOW) -> bool:
    return ledger.admit(LINK, EXPIRES_AT, at)


def test_what_breaks_off_in_the_middle_leaves_nothing_half_done(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path)) as ledger:
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other, other:
            other.execute("DROP TABLE link")
        for _ in range(2):  # were the first transaction open still, the second could not begin
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                ledger.sweep(NOW)


class Histories(RuleBasedStateMachine):
    """A link, its visitors in any order, and a machine that may die at any time."""

    trying = Bundle("trying")
    sending = Bundle("sending")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.now, self.wrong, self.starts, self.whole, self.process = NOW, 0, 0, 0, 0
        self.in_flight = self.downloading = 0
        self.ledger = Ledger(Path(self.folder.name))

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    @rule(target=trying)
    def somebody_tries(self) -> int:
        if not self.ledger.admit(LINK, EXPIRES_AT, self.now):
            return -1
        self.in_flight += 1
        return self.process

    @rule(who=consumes(trying))
    def the_passphrase_is_wrong(self, who: int) -> None:
        if who == self.process:
            self.in_flight -= 1
            self.wrong += 1
            self.ledger.wrong(LINK, self.now)

    @rule(target=sending, who=consumes(trying))
    def the_passphrase_is_right(self, who: int) -> int:
        if who != self.process:
            return -1
        self.in_flight -= 1
        if not self.ledger.begin(LINK, self.now):
            return -1
        self.starts += 1
        self.downloading += 1
        return self.process

    @rule(who=consumes(sending))
    def it_comes_to_its_end(self, who: int) -> None:
        if who == self.process:
            self.downloading -= 1
            self.whole += 1
            self.ledger.complete(LINK, self.now)

    @rule(who=consumes(sending))
    def it_breaks_off(self, who: int) -> None:
        if who == self.process:
            self.downloading -= 1
            self.ledger.break_off(LINK, self.now)

    @rule(minutes=st.sampled_from([1, 30, 61, 60 * 24 * 10]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def it_is_swept(self) -> None:
        self.ledger.sweep(self.now)

    @rule()
    @precondition(lambda self: self.process < 4)
    def the_machine_dies(self) -> None:
        self.ledger.close()
        self.process += 1
        self.wrong += self.in_flight
        self.in_flight = self.downloading = 0
        self.ledger = Ledger(Path(self.folder.name))

    @invariant()
    def no_more_tries_than_allowed_were_ever_looked_at(self) -> None:
        assert self.wrong + self.in_flight <= TRIES

    @invariant()
    def one_download_runs_at_a_time_and_one_comes_to_its_end(self) -> None:
        assert self.downloading <= 1
        assert self.whole <= 1
        assert self.starts <= STARTS

    @invariant()
    def the_ledger_counts_what_happened(self) -> None:
        with closing(sqlite3.connect(Path(self.folder.name) / FILE_NAME)) as database:
            rows = database.execute("SELECT state, tried, wrong, starts FROM link").fetchall()
        for state, tried, wrong, starts in rows:
            assert starts == self.starts
            assert state != State.DOWNLOADED or self.whole == 1
            if state == State.WAITING:
                assert (tried, wrong) == (self.wrong + self.in_flight, self.wrong)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=40)


def test_what_has_ended_stays_ended(ledger: Ledger) -> None:
    for _ in range(TRIES):
        assert admitted(ledger)
        ledger.wrong(LINK, NOW)
    assert not admitted(ledger)
    assert ledger.ended() == [LINK]
    assert not ledger.is_live(LINK, EXPIRES_AT, NOW)


def test_a_link_ends_at_its_last_instant_and_not_before(ledger: Ledger) -> None:
    just_before = EXPIRES_AT - timedelta(microseconds=1)
    assert ledger.is_live(LINK, EXPIRES_AT, just_before)
    assert not ledger.is_live(LINK, EXPIRES_AT, EXPIRES_AT)


def test_an_hour_is_an_hour(ledger: Ledger) -> None:
    assert admitted(ledger)
    assert ledger.begin(LINK, NOW)
    ledger.break_off(LINK, NOW)
    assert ledger.is_live(LINK, EXPIRES_AT, NOW + AGAIN_FOR - timedelta(microseconds=1))
    assert not ledger.is_live(LINK, EXPIRES_AT, NOW + AGAIN_FOR)


def test_a_download_that_goes_on_for_hours_is_not_ended_in_its_middle(ledger: Ledger) -> None:
    assert admitted(ledger)
    assert ledger.begin(LINK, NOW)
    ledger.sweep(NOW + timedelta(hours=5))
    assert ledger.ended() == []
    ledger.complete(LINK, NOW + timedelta(hours=6))
    (receipt,) = ledger.untold()
    assert receipt.state == State.DOWNLOADED


def test_what_changes_while_it_is_told_is_told_again(ledger: Ledger) -> None:
    assert admitted(ledger)
    (before,) = ledger.untold()
    ledger.wrong(LINK, NOW)
    ledger.mark_told(before)
    (after,) = ledger.untold()
    assert after.wrong == 1
    ledger.mark_told(after)
    assert ledger.untold() == []


def test_a_link_is_forgotten_when_it_has_long_had_its_time_and_was_told(ledger: Ledger) -> None:
    assert admitted(ledger)
    ledger.sweep(EXPIRES_AT)
    later = EXPIRES_AT + FORGOTTEN_AFTER
    assert ledger.forget(later + timedelta(seconds=1)) == []
    (receipt,) = ledger.untold()
    ledger.mark_told(receipt)
    assert ledger.forget(later) == []
    assert ledger.forget(later + timedelta(seconds=1)) == [LINK]
    assert ledger.ended() == []
