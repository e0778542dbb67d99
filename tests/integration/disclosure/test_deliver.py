"""Handing over: by a person, in an archive, behind a link; and what the ledger says of each."""

import logging
import re
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import pytest
from stream_unzip import AE_2, AES_256, IncorrectAESPasswordError, stream_unzip

from retention.audit.tags import Tag
from retention.disclosure import deliver as delivering
from retention.disclosure.collect import collect
from retention.disclosure.deliver import Made, Public, hand_over, make_archive, make_link
from retention.disclosure.ledger import disclosures, receipt_of
from retention.disclosure.model import Delivery
from retention.disclosure.tables import DisclosureRow
from retention.kernel.errors import DatabaseBusy, IllegalTransition, InvalidInput, StoreUnavailable
from retention.outbox import link as links
from retention.outbox.folder import Folder, Receipt
from retention.requests.answer import close
from retention.requests.decide import Decision, approve, decide
from retention.requests.rules.model import Outcome, RequestKind
from retention.workers.bell import ring
from tests.builders.custody import back_up, restore
from tests.builders.disclosure import REQUESTER, filed, plain_answer
from tests.builders.house import ACTOR, CALLER, SECOND, House
from tests.fixtures.houses import DATABASES, SQLITE, NewHouse

CHEAP = links.Cost(1, 8, 1)  #: how dear a guess is, is tested with the link's format


on_both_databases = pytest.mark.parametrize("house", DATABASES, indirect=True)


@pytest.fixture
def house(request: pytest.FixtureRequest) -> House:
    """A store with a line; on SQLite, unless a test asks for both."""
    new: NewHouse = request.getfixturevalue(f"new_{getattr(request, 'param', SQLITE)}_house")
    found = new()
    found.add_source()
    return found


@pytest.fixture
def receipt(house: House) -> str:
    """An answer to a complaint, packaged: the shortest way to one."""
    found = filed(house, RequestKind.COMPLAINT)
    tools = house.app.paper_tools()
    decide(tools, found, Decision(Outcome.ANSWERED, reason="x", measure="y"), ACTOR)
    approve(tools, found, SECOND)
    plain_answer(house, found)
    return found


def public(house: House) -> Public:
    return Public(house.app.outbox, "https://answers.example.jp", house.app.store_id, CHEAP)


def linked(house: House, receipt: str, days: int = 14) -> Made:
    return make_link(house.app.paper_tools(), house.app.door, public(house), receipt, days, ACTOR)


def archived(house: House, receipt: str) -> tuple[Made, bytes]:
    file = open_file(house)
    with file:
        made = make_archive(
            house.app.paper_tools(),
            house.app.door,
            house.app.outbox,
            house.app.encrypt_archive,
            receipt,
            file,
            ACTOR,
        )
        file.seek(0)
        return made, file.read()


def open_file(house: House) -> BinaryIO:
    return (house.app.home / "archive.zip").open("w+b")


def handed_over(house: House, receipt: str, route: str = "registered-post") -> DisclosureRow:
    return hand_over(house.app.paper_tools(), house.app.outbox, receipt, route, "no. 123", ACTOR)[1]


def collected(house: House) -> list[DisclosureRow]:
    return collect(house.app.paper_tools(), house.app.outbox, house.app.store_id, ACTOR)


def ledger(house: House) -> list[DisclosureRow]:
    with house.app.database.read() as session:
        return disclosures(session)


def states(house: House) -> list[str]:
    return [each.state for each in ledger(house)]


def stage(house: House) -> str:
    (row,) = house.rows("SELECT stage FROM request")
    return str(row.stage)


def told(house: House, link_id: str, state: str, **more: Any) -> None:
    """The app says what became of a link."""
    said = {"tried": 0, "wrong": 0, "starts": 0, "started_at": None, "ended_at": house.clock.now()}
    house.app.outbox.put_receipt(Receipt(link_id, state, **{**said, **more}))


def waiting(house: House) -> list[str]:
    return [*house.app.outbox.links()]


@on_both_databases
def test_what_a_person_handed_over_is_delivered_at_once_and_on_the_ledger(house: House, receipt: str) -> None:
    made = handed_over(house, receipt)
    assert (made.route, made.state, made.in_time) == ("registered-post", "handed-over", True)
    assert made.delivered_at == house.clock.now()
    assert stage(house) == "delivered"
    (entry,) = house.audit(Tag.REQUEST_DELIVERED)
    (package,) = house.audit(Tag.REQUEST_PACKAGED)
    assert entry.detail["package"] == made.sha256 == package.detail["sha256"]


def test_it_must_be_said_how(house: House, receipt: str) -> None:
    with pytest.raises(InvalidInput, match="how the answer was delivered"):
        handed_over(house, receipt, " ")


def test_an_answer_that_was_not_made_is_not_delivered(house: House) -> None:
    other = filed(house)
    for deliver in (handed_over, linked, archived):
        with pytest.raises(IllegalTransition):
            deliver(house, other)
    assert ledger(house) == []


# --- an encrypted archive


# The other library leaves it to its own library to know that WinZip's PBKDF2 is one with SHA-1.
@pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")
def test_an_archive_opens_with_another_library_and_its_passphrase_alone(house: House, receipt: str) -> None:
    made, content = archived(house, receipt)
    files = {
        name.decode(): b"".join(chunks)
        for name, _, chunks in stream_unzip(
            [content], password=made.passphrase.encode(), allowed_encryption_mechanisms=(AES_256, AE_2)
        )
    }
    assert list(files) == ["manifest.json", "manifest.sig", "README.txt", "letter.pdf"]
    assert files["letter.pdf"].startswith(b"%PDF")
    guessed = stream_unzip([content], password=b"guess")
    with pytest.raises(IncorrectAESPasswordError):
        b"".join(next(guessed)[2])


@on_both_databases
def test_an_archive_is_delivered_when_it_is_posted_and_not_before(house: House, receipt: str) -> None:
    made, _ = archived(house, receipt)
    assert (made.row.state, stage(house)) == (Delivery.PREPARED, "packaged")
    row = handed_over(house, receipt)
    assert (row.id, row.state, row.route) == (made.row.id, "handed-over", "registered-post")
    assert row.archive_sha256
    assert len(ledger(house)) == 1


def test_a_passphrase_is_long_random_and_kept_nowhere(house: House, receipt: str) -> None:
    archive, content = archived(house, receipt)
    link = linked(house, receipt)
    assert re.fullmatch(r"[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){4}", archive.passphrase)
    assert re.fullmatch(r"[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){2}", link.passphrase)
    secrets = [archive.passphrase, link.passphrase, link.url.rpartition("/")[2]]
    stored = [path.read_bytes() for path in house.app.home.rglob("*") if path.is_file()]
    trail = str(house.audit()).encode()
    for secret in secrets:
        assert not any(secret.encode() in each for each in [*stored, trail, content])


# --- a link


def test_a_link_holds_nothing_about_anybody(house: House, receipt: str) -> None:
    made = linked(house, receipt)
    assert re.fullmatch(r"https://answers\.example\.jp/d/[A-Za-z0-9_-]{43}", made.url)
    (link_id,) = waiting(house)
    content = (house.app.outbox.path / f"{link_id}.link").read_bytes()
    for word in (receipt, REQUESTER, CALLER, "letter.pdf", made.passphrase, made.url.rpartition("/")[2]):
        assert word.encode() not in content
    assert [each.name for each in house.app.outbox.path.iterdir()] == [f"{link_id}.link"]


@on_both_databases
def test_a_link_is_delivered_when_it_is_downloaded(house: House, receipt: str) -> None:
    made = linked(house, receipt)
    assert (stage(house), collected(house)) == ("packaged", [])
    house.clock.move(hours=5)
    told(house, made.row.link_id, "downloaded", starts=1)
    (row,) = collected(house)
    assert (row.state, row.in_time, row.delivered_at) == ("downloaded", True, house.clock.now())
    assert row.receipt["starts"] == 1
    assert stage(house) == "delivered"
    assert house.audit(Tag.REQUEST_DELIVERED)[0].detail["route"] == "link"
    assert (collected(house), waiting(house)) == ([], [])
    assert close(house.app.paper_tools(), house.app.hold_tools(), receipt, ACTOR).stage == "closed"


def test_a_download_after_the_last_day_is_on_record_as_late(house: House, receipt: str) -> None:
    made = linked(house, receipt, days=30)
    house.clock.move(days=29)
    told(house, made.row.link_id, "downloaded")
    (row,) = collected(house)
    assert row.in_time is False


@pytest.mark.parametrize("end", ["died", "interrupted", "expired"])
def test_a_link_that_nobody_downloaded_is_shown_so_that_somebody_calls(
    house: House, receipt: str, end: str
) -> None:
    made = linked(house, receipt)
    told(house, made.row.link_id, end, tried=5, wrong=5)
    (row,) = collected(house)
    assert (row.state, row.delivered_at, stage(house)) == (end, None, "packaged")
    assert house.audit(Tag.DISCLOSURE_ENDED)[0].detail["state"] == end


def test_where_no_app_runs_the_day_ends_a_link(house: House, receipt: str) -> None:
    linked(house, receipt, days=3)
    house.clock.move(days=3)
    (row,) = collected(house)
    assert (row.state, waiting(house)) == (Delivery.EXPIRED, [])


def test_wrong_passphrases_so_far_are_shown(house: House, receipt: str) -> None:
    made = linked(house, receipt)
    told(house, made.row.link_id, "waiting", tried=2, wrong=2, ended_at=None)
    (row,) = collected(house)
    assert (row.state, row.receipt["wrong"]) == ("waiting", 2)
    assert house.audit(Tag.DISCLOSURE_ENDED) == []


@on_both_databases
def test_a_new_link_takes_the_place_of_the_one_before(house: House, receipt: str) -> None:
    first, second = linked(house, receipt), linked(house, receipt)
    assert states(house) == ["withdrawn", "waiting"]
    assert waiting(house) == [second.row.link_id] != [first.row.link_id]


def test_an_archive_takes_the_link_away(house: House, receipt: str) -> None:
    linked(house, receipt)
    archived(house, receipt)
    assert (sorted(states(house)), waiting(house)) == (["prepared", "withdrawn"], [])


def test_what_is_handed_over_otherwise_takes_the_link_away(house: House, receipt: str) -> None:
    linked(house, receipt)
    handed_over(house, receipt)
    assert (sorted(states(house)), waiting(house)) == (["handed-over", "withdrawn"], [])


def test_a_link_that_was_downloaded_just_before_it_was_withdrawn_was_downloaded(
    house: House, receipt: str
) -> None:
    first = linked(house, receipt)
    linked(house, receipt)
    told(house, first.row.link_id, "downloaded")
    (row,) = collected(house)
    assert (row.id, row.state, stage(house)) == (first.row.id, "downloaded", "delivered")


def test_a_link_that_is_downloaded_after_the_case_was_closed_is_on_the_ledger(
    house: House, receipt: str
) -> None:
    made = linked(house, receipt)
    handed_over(house, receipt)
    close(house.app.paper_tools(), house.app.hold_tools(), receipt, ACTOR)
    told(house, made.row.link_id, "downloaded")
    (row,) = collected(house)
    assert (row.state, stage(house)) == ("downloaded", "closed")


def test_a_link_does_not_outlive_its_package(house: House, receipt: str) -> None:
    """The test's policy keeps packages for 90 days."""
    (paper,) = house.audit(Tag.REQUEST_PACKAGED)
    (reason,) = house.find(paper.detail["paper"]).reasons
    assert reason.due_on
    house.clock.move_to(reason.due_on - timedelta(days=2))
    made = linked(house, receipt, days=30)
    assert made.row.expires_at
    assert made.row.expires_at < house.clock.now() + timedelta(days=2)


@pytest.mark.parametrize("days", [0, 31, -1])
def test_a_link_lives_for_a_day_to_a_month(house: House, receipt: str, days: int) -> None:
    with pytest.raises(InvalidInput, match="lives for 1 to 30 days"):
        linked(house, receipt, days)


def test_the_app_is_not_believed_about_instants_outside_the_link_s_life(house: House, receipt: str) -> None:
    made = linked(house, receipt)
    told(house, made.row.link_id, "downloaded", ended_at=house.clock.now() - timedelta(days=400))
    (row,) = collected(house)
    assert row.delivered_at == made.row.made_at


# --- killed anywhere


class Killed(BaseException):
    """The process ends here."""


def kill(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(*{"before the record": (delivering, "put_on_record"),
                          "before the old one goes": (Folder, "take_away"),
                          "before the new one is there": (Folder, "publish"),
                          "while it is written": (links, "encrypt")}[where], die)  # fmt: skip


@on_both_databases
@pytest.mark.parametrize(
    "where",
    ["while it is written", "before the record", "before the old one goes", "before the new one is there"],
)
def test_killed_anywhere_there_is_no_link_without_a_record_and_never_two(
    house: House, receipt: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(house, receipt)
    with monkeypatch.context() as patch:
        kill(patch, where)
        with pytest.raises(Killed):
            linked(house, receipt)
    assert len(waiting(house)) <= 1
    assert set(waiting(house)) <= {each.link_id for each in ledger(house)}
    collected(house)
    assert set(waiting(house)) <= {each.link_id for each in ledger(house) if each.state == Delivery.WAITING}
    made = linked(house, receipt)
    assert waiting(house) == [made.row.link_id]
    assert states(house).count("waiting") == 1


def test_an_archive_that_could_not_be_written_is_on_no_ledger(house: House, receipt: str) -> None:
    def broken(package: BinaryIO, file: BinaryIO, passphrase: str) -> None:
        del package, file, passphrase
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), open_file(house) as file:
        make_archive(house.app.paper_tools(), house.app.door, house.app.outbox, broken, receipt, file, ACTOR)
    assert ledger(house) == []


@on_both_databases
def test_one_delivery_of_a_request_is_made_at_a_time(house: House, receipt: str) -> None:
    row_id = house.rows("SELECT id FROM request")[0].id
    with house.app.database.exclusive(f"delivery-{row_id}"), pytest.raises(DatabaseBusy):
        linked(house, receipt)
    assert (ledger(house), waiting(house)) == ([], [])


@on_both_databases
def test_a_link_of_which_no_ledger_knows_is_taken_away(house: House, receipt: str) -> None:
    """As after a restore of an older backup. Another store's links stay."""
    made = linked(house, receipt)
    other = replace(public(house), sender="01JQZ0000000000000000000ST")
    kept = make_link(house.app.paper_tools(), house.app.door, other, receipt, 14, ACTOR)
    house.sql("DELETE FROM disclosure")
    collected(house)
    assert waiting(house) == [kept.row.link_id] != [made.row.link_id]


def test_what_a_writer_that_died_has_left_is_swept_after_a_day(house: House, receipt: str) -> None:
    linked(house, receipt)
    left = house.app.outbox.path / ".abc.part"
    left.write_bytes(b"x")
    collected(house)
    assert left.exists()
    house.app.outbox.sweep(
        datetime.fromtimestamp(left.stat().st_mtime, tz=house.clock.now().tzinfo) + timedelta(days=2)
    )
    assert not left.exists()


def test_an_outbox_that_cannot_be_written_leaves_nothing_waiting(house: House, receipt: str) -> None:
    house.app.outbox.path.write_bytes(b"a file, not a folder")
    with pytest.raises(StoreUnavailable, match="outbox"):
        linked(house, receipt)
    assert ledger(house) == []


def test_the_night_collects_receipts(house: House, receipt: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "retention.bell")
    made = linked(house, receipt)
    told(house, made.row.link_id, "died", tried=5, wrong=5)
    assert ring(house.app)
    assert states(house) == ["died"]
    assert f"event=disclosure.died delivery={made.row.id}" in caplog.messages


def test_a_night_runs_where_the_outbox_is_out_of_reach(house: House, receipt: str) -> None:
    linked(house, receipt, days=1)
    house.clock.move(days=2)
    shutil.rmtree(house.app.outbox.path)
    house.app.outbox.path.write_bytes(b"no folder")
    run = ring(house.app)
    assert run
    assert (run.state, states(house)) == ("done", ["expired"])


@on_both_databases
def test_a_restored_backup_knows_what_was_handed_over_since_and_a_replay_adds_nothing(
    house: House, receipt: str
) -> None:
    path = back_up(house)
    _, made = hand_over(house.app.paper_tools(), house.app.outbox, receipt, "post", "", ACTOR)
    assert restore(house, path).replayed.deliveries == 1
    (kept,) = ledger(house)
    assert (kept.route, kept.state, kept.sha256) == ("post", "handed-over", made.sha256)
    assert (kept.delivered_at, kept.made_at) == (made.delivered_at, made.made_at)
    assert restore(house, back_up(house, "later")).replayed.deliveries == 0
    assert len(ledger(house)) == 1


def test_a_delivery_outlives_a_request_that_the_backup_does_not_have(house: House) -> None:
    path = back_up(house)
    found = filed(house, RequestKind.COMPLAINT)
    tools = house.app.paper_tools()
    decide(tools, found, Decision(Outcome.ANSWERED, reason="x", measure="y"), ACTOR)
    approve(tools, found, SECOND)
    plain_answer(house, found)
    hand_over(tools, house.app.outbox, found, "post", "", ACTOR)
    replayed = restore(house, path).replayed
    assert (replayed.requests_lost, replayed.deliveries) == ([found], 1)
    assert filed(house, RequestKind.COMPLAINT) != found  # its number is not given again
    with house.app.database.read() as session:
        assert [receipt_of(session, each) for each in disclosures(session)] == [found]
