"""The trail in the database: in the transaction of the act, append-only, verified against three witnesses."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from retention.adapters.witness_folder import WitnessFolder
from retention.audit.chain import GENESIS, Head
from retention.audit.record import Act, record
from retention.audit.tables import APPEND_ONLY
from retention.audit.tags import Tag
from retention.audit.verify import Verdict, Vouched, ask, head_of, verify_trail
from retention.audit.witness import SignedJournal
from retention.bootstrap import JOURNAL_NAME
from retention.kernel.errors import AuditChainBroken, StoreUnavailable
from tests.builders.house import House


def act(house: House, subject: str = "x", at_days: float = 0) -> None:
    with house.app.database.write() as session:
        at = house.clock.now() + timedelta(days=at_days)
        record(session, at, Act(Tag.SEARCHED, "sato", subject, detail={"found": 1}))


def without_triggers(house: House, *statements: str) -> None:
    """What an owner of the database can do."""
    if house.app.database.is_sqlite:
        drops = [
            f"DROP TRIGGER {table}_no_{verb}"
            for table in APPEND_ONLY
            for verb in ("update", "delete", "replace")
        ]
    else:
        drops = [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in APPEND_ONLY]
    house.sql(*drops, *statements)


def refusals(house: House) -> list[str]:
    changes = [
        "UPDATE {0} SET digest = 'x'",
        "DELETE FROM {0}",
        "INSERT INTO {0} SELECT * FROM {0} WHERE true ON CONFLICT ({1}) DO UPDATE SET digest = 'x'",
    ]
    own = (
        ["REPLACE INTO {0} SELECT * FROM {0}", "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"]
        if house.app.database.is_sqlite
        else ["TRUNCATE {0}"]
    )
    keys = {"audit_entry": "seq", "audit_root": '"on"'}
    return [change.format(table, keys[table]) for table in APPEND_ONLY for change in (*changes, *own)]


def test_the_database_refuses_to_change_replace_or_remove_entries_and_roots(house: House) -> None:
    act(house)
    house.app.sign_root()
    before = house.rows("SELECT * FROM audit_entry"), house.rows("SELECT * FROM audit_root")
    for statement in refusals(house):
        with pytest.raises(DBAPIError, match="append-only"):
            house.sql(statement)
    assert (house.rows("SELECT * FROM audit_entry"), house.rows("SELECT * FROM audit_root")) == before


def test_an_act_and_its_entry_are_kept_together(house: House) -> None:
    house.add_source("line-7")
    (entry,) = house.audit(Tag.SOURCE_REGISTERED)
    assert (entry.actor, entry.subject) == ("sato", "line-7")
    assert house.verify().ok


def test_an_act_that_is_undone_leaves_no_entry_and_moves_no_head(house: House) -> None:
    with house.app.database.read() as session:
        before = head_of(session)

    def fail_after_the_entry() -> None:
        with house.app.database.write() as session:
            record(session, house.clock.now(), Act(Tag.SEARCHED, "sato", "x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_the_entry()
    with house.app.database.read() as session:
        assert head_of(session) == before
    assert list(house.app.witness.heads())[-1] == before
    assert house.audit(Tag.SEARCHED) == []
    assert house.verify().ok


def test_the_first_entry_names_the_making_of_the_store(house: House) -> None:
    first = house.audit()[0]
    assert first.tag == Tag.STORE_CREATED
    assert house.rows("SELECT previous FROM audit_entry WHERE seq = 1")[0][0] == GENESIS


def test_every_committed_head_is_witnessed_outside_the_database(house: House) -> None:
    act(house)
    with house.app.database.read() as session:
        assert list(house.app.witness.heads())[-1] == head_of(session)


def test_acts_of_one_transaction_stand_in_their_order(house: House) -> None:
    with house.app.database.write() as session:
        record(session, house.clock.now(), *(Act(Tag.SEARCHED, "sato", str(n)) for n in range(5)))
    assert [entry.subject for entry in house.audit(Tag.SEARCHED)] == list("01234")
    assert house.verify() == Verdict(ok=True, entries=6, first_bad=None, reason="", witnessed=6)


# --- what verification finds; that it finds every change of a row is a property test


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("DELETE FROM audit_entry WHERE seq > 4", 5),
        ("DELETE FROM audit_entry", 1),
        ("UPDATE audit_head SET digest = 'x'", 6),
        ("UPDATE audit_head SET seq = 4", 5),
        ("UPDATE audit_head SET seq = 9", 7),
        ("DELETE FROM audit_head", 1),
    ],
)
def test_a_cut_tail_and_a_forged_head_are_found(house: House, change: str, first_bad: int) -> None:
    for n in range(5):
        act(house, str(n))
    without_triggers(house, change)
    verdict = house.verify()
    assert (verdict.ok, verdict.first_bad) == (False, first_bad)
    assert verdict.reason


def cut_to(house: House, seq: int) -> None:
    """Cut the tail off and let the head agree: in the database alone nothing is missing."""
    without_triggers(
        house,
        f"DELETE FROM audit_entry WHERE seq > {seq}",
        f"UPDATE audit_head SET seq = {seq}, digest = (SELECT digest FROM audit_entry WHERE seq = {seq})",
    )


def test_a_tail_cut_with_care_is_found_by_the_witness_alone(house: House) -> None:
    for n in range(5):
        act(house, str(n))
    vouched = ask(house.app.witness)
    cut_to(house, 4)
    with house.app.database.read() as session:
        blind = verify_trail(
            session,
            Vouched((Head(4, head_of(session).digest),)),
            house.app.store_id,
            house.app.signer.is_ours,
        )
        seeing = verify_trail(session, vouched, house.app.store_id, house.app.signer.is_ours)
    assert blind.ok
    assert (seeing.ok, seeing.first_bad) == (False, 5)
    assert "witnessed and are gone" in seeing.reason


def test_a_trail_rewritten_from_the_start_is_found_by_the_first_root(house: House) -> None:
    act(house)
    house.app.sign_root()
    root = house.rows("SELECT seq FROM audit_root")[0][0]
    act(house)
    rewrite_all(house)
    with house.app.database.read() as session:
        verdict = verify_trail(session, Vouched(()), house.app.store_id, house.app.signer.is_ours)
    assert (verdict.ok, verdict.first_bad) == (False, root)
    assert "witnessed" in verdict.reason


def rewrite_all(house: House) -> None:
    """Change the first entry and make every digest after it anew."""
    found = house.rows("SELECT at, tag, actor, subject, purpose, detail FROM audit_entry ORDER BY seq")
    without_triggers(house, "DELETE FROM audit_entry", f"UPDATE audit_head SET seq = 0, digest = '{GENESIS}'")
    with house.app.database.write() as session:
        for row in found:
            at = house.clock.now()
            record(session, at, Act(Tag(row.tag), "somebody else", row.subject))
        session.info.clear()  # the forger does not tell the witness


def test_a_head_that_was_witnessed_twice_differently_is_reported(house: House) -> None:
    act(house)
    with house.app.database.read() as session:
        vouched = Vouched((Head(2, "a" * 64), Head(2, "b" * 64)))
        verdict = verify_trail(session, vouched, house.app.store_id, house.app.signer.is_ours)
    assert (verdict.ok, verdict.first_bad) == (False, 2)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_root SET digest = 'x'",
        "UPDATE audit_root SET seq = seq - 1",
        "UPDATE audit_root SET seq = seq + 1000",
        "UPDATE audit_root SET \"on\" = '2026-03-01'",
        "UPDATE audit_root SET signature = substr(signature, 1, 63)",
    ],
)
def test_an_edited_root_is_found_and_named(house: House, change: str) -> None:
    act(house)
    house.app.sign_root()
    act(house)
    without_triggers(house, change)
    verdict = house.verify()
    assert not verdict.ok
    assert verdict.first_bad == house.rows("SELECT seq FROM audit_root")[0][0]
    assert "is not signed by this store" in verdict.reason


def test_a_root_of_another_store_is_no_root(house: House) -> None:
    house.app.sign_root()
    with house.app.database.read() as session:
        verdict = verify_trail(session, ask(house.app.witness), "another store", house.app.signer.is_ours)
    assert not verdict.ok


def test_a_day_has_one_root(house: House) -> None:
    first = house.app.sign_root()
    act(house)
    assert house.app.sign_root().seq == first.seq
    house.clock.move(days=1)
    assert house.app.sign_root().seq == first.seq + 1
    assert [row[0] for row in house.rows('SELECT "on" FROM audit_root ORDER BY "on"')] in (
        [date(2026, 3, 2), date(2026, 3, 3)],
        ["2026-03-02", "2026-03-03"],
    )
    assert house.verify().ok


def test_acts_during_verification_are_not_taken_for_tampering(house: House) -> None:
    vouched = ask(house.app.witness)
    with house.app.database.read() as session:
        head_of(session)
        act(house)
        assert verify_trail(session, vouched, house.app.store_id, house.app.signer.is_ours).ok


# --- the journal


def test_the_journal_gives_back_what_was_written(house: House) -> None:
    house.app.journal.write("hold-lifted", house.clock.now(), {"hold": "h1"})
    (entry,) = house.app.journal.entries()
    assert (entry["kind"], entry["hold"]) == ("hold-lifted", "h1")


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b"h1", b"h2"),
        lambda line: b"0" + line[1:] if not line.startswith(b"0") else b"1" + line[1:],
        lambda line: line[65:],
        lambda line: b"\xff\xfe" + line,
    ],
)
def test_a_changed_line_of_the_journal_is_refused_not_skipped(sqlite_house: House, change: object) -> None:
    assert callable(change)
    sqlite_house.app.journal.write("hold-lifted", sqlite_house.clock.now(), {"hold": "h1"})
    path = sqlite_house.app.home / "witness" / "journal"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(AuditChainBroken, match="line 1"):
        list(sqlite_house.app.journal.entries())


def test_a_line_that_a_killed_writer_tore_is_dropped_by_the_next(sqlite_house: House) -> None:
    journal = sqlite_house.app.journal
    journal.write("hold-lifted", sqlite_house.clock.now(), {"hold": "h1"})
    path = sqlite_house.app.home / "witness" / "journal"
    with path.open("ab") as file:
        file.write(b"0123 {torn" + b"x" * 100_000)
    assert [entry["hold"] for entry in journal.entries()] == ["h1"]
    journal.write("hold-lifted", sqlite_house.clock.now(), {"hold": "h2"})
    assert [entry["hold"] for entry in journal.entries()] == ["h1", "h2"]


def written(house: House, *holds: str) -> Path:
    """The journal's file, with one line for each of the holds."""
    for hold in holds:
        house.app.journal.write("hold-lifted", house.clock.now(), {"hold": hold})
    return house.app.home / "witness" / "journal"


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        ([1, 2, 3], 1),
        ([0, 2, 3], 2),
        ([0, 1, 1, 2, 3], 3),
        ([0, 2, 1, 3], 2),
        ([3, 0, 1, 2], 1),
        ([0, 1, 2, 3, 0], 5),
    ],
    ids=["first dropped", "one dropped", "one repeated", "two swapped", "last first", "an old one added"],
)
def test_lines_that_were_dropped_moved_or_repeated_are_refused_and_named(
    sqlite_house: House, kept: list[int], named: int
) -> None:
    path = written(sqlite_house, "h1", "h2", "h3", "h4")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[each] for each in kept))
    with pytest.raises(AuditChainBroken, match=f"line {named} of the journal"):
        list(sqlite_house.app.journal.entries())


def test_what_was_cut_off_at_the_end_is_told_by_the_newest_head(sqlite_house: House) -> None:
    """The chain that is left holds; only who remembers its end can tell."""
    path = written(sqlite_house, "h1", "h2", "h3")
    act(sqlite_house)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))
    journal, known = sqlite_house.app.journal, sqlite_house.app.witness.journal_end()
    assert [entry["hold"] for entry in journal.entries()] == ["h1", "h2"]
    assert known.lines == 3
    assert journal.lost([known]) == "the journal had 3 lines and has 2"
    act(sqlite_house)
    assert sqlite_house.app.witness.journal_end() == known, "the next head does not forget it"
    written(sqlite_house, "h4")
    act(sqlite_house)
    assert sqlite_house.app.witness.journal_end() == known, "nor does it when as many lines are there"
    assert journal.lost([known]) == "line 3 of the journal is not the one that is remembered"
    path.write_bytes(b"".join(lines))
    assert journal.lost([known]) == ""


def test_writers_at_the_same_time_make_one_chain(sqlite_house: House) -> None:
    app = sqlite_house.app
    apart = [WitnessFolder(app.home / "witness", lambda: app.keys.secret(JOURNAL_NAME)) for _ in range(4)]

    def write(folder: WitnessFolder) -> None:
        journal = SignedJournal(folder, app.keys.secret(JOURNAL_NAME))
        for number in range(25):
            journal.write("hold-lifted", sqlite_house.clock.now(), {"hold": str(number)})

    with ThreadPoolExecutor(len(apart)) as pool:
        list(pool.map(write, apart))
    assert len(list(app.journal.entries())) == app.journal.end().lines == 100


def test_nothing_is_added_to_a_journal_whose_last_line_is_none(sqlite_house: House) -> None:
    path = written(sqlite_house, "h1")
    path.write_bytes(path.read_bytes() + b"rubbish\n")
    with pytest.raises(AuditChainBroken, match="last line of the journal"):
        written(sqlite_house, "h2")
    assert path.read_bytes().endswith(b"rubbish\n")


def test_a_line_under_another_key_is_refused(sqlite_house: House) -> None:
    sqlite_house.app.journal.write("hold-lifted", sqlite_house.clock.now(), {"hold": "h1"})
    with pytest.raises(AuditChainBroken):
        list(SignedJournal(sqlite_house.app.witness, b"x" * 32).entries())


# --- the witness folder


def test_an_older_head_never_replaces_a_newer_one(sqlite_house: House) -> None:
    witness, now = sqlite_house.app.witness, sqlite_house.clock.now()
    witness.publish(Head(9, "nine"), now)
    witness.publish(Head(8, "eight"), now)
    assert list(witness.heads())[-1] == Head(9, "nine")


def test_the_first_head_of_each_day_is_kept_for_good(sqlite_house: House) -> None:
    witness, clock = sqlite_house.app.witness, sqlite_house.clock
    for seq in range(10, 16):
        witness.publish(Head(seq, str(seq)), clock.now())
        clock.move(hours=12)
    assert [head.seq for head in witness.heads()] == [1, 12, 14, 15]


def test_after_a_restore_heads_past_the_backup_no_longer_bind(sqlite_house: House) -> None:
    witness, clock = sqlite_house.app.witness, sqlite_house.clock
    for seq in (10, 20):
        clock.move(days=1)
        witness.publish(Head(seq, str(seq)), clock.now())
    witness.restart(Head(12, "12"), clock.now())
    assert [head.seq for head in witness.heads()] == [1, 10]
    witness.publish(Head(13, "13"), clock.now())
    assert [head.seq for head in witness.heads()][-1] == 13


def test_a_head_that_a_power_cut_emptied_does_not_stop_the_service(sqlite_house: House) -> None:
    (sqlite_house.app.home / "witness" / "head").write_bytes(b"")
    act(sqlite_house)
    assert sqlite_house.verify().ok
    assert list(sqlite_house.app.witness.heads())[-1].seq == 2


def in_folder(house: House, name: str) -> Path:
    path = house.app.home / "witness" / name
    assert path.exists()
    return path


def empty(house: House) -> None:
    for path in (house.app.home / "witness").iterdir():
        path.unlink()


def forge(house: House, name: str) -> None:
    """What somebody without keys can write: the right words under a MAC that is none."""
    path = in_folder(house, name)
    line = path.read_bytes()
    path.write_bytes(b"0" * 64 + line[64:])


@pytest.mark.parametrize(
    "damage",
    [
        empty,
        lambda house: in_folder(house, "heads").unlink(),
        lambda house: forge(house, "head"),
        lambda house: forge(house, "heads"),
        lambda house: in_folder(house, "head").write_bytes(b"{}"),
        lambda house: in_folder(house, "heads").write_bytes(in_folder(house, "heads").read_bytes()[70:]),
    ],
    ids=["all gone", "heads gone", "head forged", "heads forged", "head no line", "heads cut"],
)
def test_a_trail_for_which_no_head_of_ours_vouches_does_not_hold(
    sqlite_house: House, damage: Callable[[House], object]
) -> None:
    """And the next act does not make good what was lost or changed."""
    act(sqlite_house)
    assert sqlite_house.verify() == Verdict(ok=True, entries=2, first_bad=None, reason="", witnessed=2)
    damage(sqlite_house)
    for entries in (2, 3):
        verdict = sqlite_house.verify()
        assert (verdict.ok, verdict.entries, verdict.first_bad) == (False, entries, None)
        assert "head" in verdict.reason
        sqlite_house.clock.move(days=1)
        act(sqlite_house)


def test_verification_says_up_to_which_entry_a_head_vouches(sqlite_house: House) -> None:
    """The newest head is not there (a power cut): the day's first is."""
    sqlite_house.clock.move(days=1)
    for _ in range(3):
        act(sqlite_house)
    in_folder(sqlite_house, "head").unlink()
    verdict = sqlite_house.verify()
    assert (verdict.ok, verdict.entries, verdict.witnessed) == (True, 4, 2)


def test_an_old_line_of_the_heads_cannot_be_said_again(sqlite_house: House) -> None:
    """A restore long ago made heads not bind; to say that again would make the later ones not bind."""
    witness, clock = sqlite_house.app.witness, sqlite_house.clock
    witness.restart(Head(1, sqlite_house.rows("SELECT digest FROM audit_entry")[0][0]), clock.now())
    for _ in range(2):
        act(sqlite_house)
    path = in_folder(sqlite_house, "heads")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1]]))
    assert "line 4 of the witnessed heads" in sqlite_house.verify().reason


def test_a_folder_that_is_not_there_is_not_made_anew(sqlite_house: House) -> None:
    """Its disk is not mounted, or somebody took it away."""
    app = sqlite_house.app
    shutil.rmtree(app.home / "witness")
    with pytest.raises(StoreUnavailable, match="is not there"):
        WitnessFolder(app.home / "witness", lambda: app.keys.secret(JOURNAL_NAME))
    with pytest.raises(StoreUnavailable, match="witness folder"):
        act(sqlite_house)


def test_a_witness_that_cannot_write_is_an_error_to_be_seen(sqlite_house: House) -> None:
    in_the_way = sqlite_house.app.home / "witness" / "head.new"
    in_the_way.mkdir()
    with pytest.raises(StoreUnavailable, match="cannot witness the audit trail's head"):
        act(sqlite_house)
    in_the_way.rmdir()
    act(sqlite_house)
    assert sqlite_house.verify().ok


def test_an_entry_whose_time_is_no_time_is_found_and_named(sqlite_house: House) -> None:
    for number in range(5):
        sqlite_house.add_source(f"line-{number}")
    for trigger in ("update", "delete", "replace"):
        sqlite_house.sql(f"DROP TRIGGER audit_entry_no_{trigger}")
    sqlite_house.sql("UPDATE audit_entry SET at = 'rubbish' WHERE seq = 4")

    verdict = sqlite_house.verify()
    assert not verdict.ok
    assert verdict.first_bad == 4
    assert "entry 4" in verdict.reason


def test_a_witness_folder_where_a_file_stands_in_the_way_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="cannot be used: Not a directory"):
        WitnessFolder(tmp_path / "disk" / "witness", lambda: bytes(32), is_new=True)
