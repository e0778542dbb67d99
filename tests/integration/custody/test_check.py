"""Each kind of damage is found, said once, and nothing else is said."""

import shutil
from datetime import timedelta

import pytest

from retention.custody.check import check
from retention.custody.model import Kind, Report
from retention.custody.repair import Repair, repair
from retention.disposal.night import LOCK
from retention.kernel.errors import StoreUnavailable
from retention.vault.fixity import Level
from retention.vault.model import object_name
from tests.builders.house import ACTOR, House
from tests.fixtures.houses import NewHouse


@pytest.fixture
def full(house: House) -> House:
    """A store with calls, footage, a hold and something disposed of."""
    house.add_source()
    house.add_camera()
    for _ in range(3):
        house.take_in()
    house.film()
    house.clock.move(days=6)
    assert house.night().disposed == 1
    return house


def look(house: House, level: Level = Level.PRESENCE) -> Report:
    return check(house.app.custody_tools(), level, ACTOR)


def kinds(report: Report) -> list[Kind]:
    return [each.kind for each in report.findings]


def only(report: Report) -> Kind:
    """The kind of the one finding."""
    assert not report.ok
    (finding,) = report.findings
    assert finding.subject
    assert finding.what
    assert finding.remedy
    return finding.kind


def a_recording(house: House) -> str:
    return str(house.rows("SELECT min(id) FROM recording WHERE state = 'sealed'")[0][0])


@pytest.mark.parametrize("level", Level)
def test_a_sound_store_has_no_findings(full: House, level: Level) -> None:
    held = full.place(a_recording(full))
    full.ingest(full.write("no recording", b"noise"))

    report = look(full, level)

    assert report.findings == ()
    assert report.ok
    assert report.recordings == 3
    assert report.objects == 7
    assert held.recording_ids


@pytest.mark.parametrize("level", Level)
def test_bytes_that_are_gone_are_missing(full: House, level: Level) -> None:
    name = object_name(a_recording(full), "original")
    del full.memory_store.objects[name]

    report = look(full, level)

    assert only(report) is Kind.MISSING_BYTES
    assert report.findings[0].subject == name


def test_the_bytes_of_a_quarantined_item_are_missed_too(full: House) -> None:
    (outcome,) = full.ingest(full.write("no recording", b"noise"))
    assert outcome.id
    del full.memory_store.objects[object_name(outcome.id, "original")]

    assert only(look(full)) is Kind.MISSING_BYTES


def test_a_recording_that_is_disposed_of_while_we_look_is_not_missing(full: House) -> None:
    """The rows are of one instant, the vault is not."""
    recording_id = a_recording(full)

    def dispose_first(act: str, _name: str) -> None:
        if act == "list_names":
            full.memory_store.before = lambda _act, _name: None
            full.sql(f"UPDATE recording SET state = 'disposing' WHERE id = '{recording_id}'")
            del full.memory_store.objects[object_name(recording_id, "original")]

    full.memory_store.before = dispose_first

    assert Kind.MISSING_BYTES not in kinds(look(full))


def test_an_object_of_another_length_is_found_from_level_size_on(full: House) -> None:
    name = object_name(a_recording(full), "original")
    full.memory_store.objects[name] += b"!"

    assert look(full).ok
    assert only(look(full, Level.SIZE)) is Kind.WRONG_SIZE


def test_a_changed_byte_is_found_at_level_digest(full: House) -> None:
    name = object_name(a_recording(full), "original")
    content = full.memory_store.objects[name]
    full.memory_store.objects[name] = content[:-1] + bytes([content[-1] ^ 1])

    assert look(full, Level.SIZE).ok
    assert only(look(full, Level.DIGEST)) is Kind.CHANGED_BYTES


def test_a_digest_that_the_catalogue_has_wrong_is_found(full: House) -> None:
    full.sql(
        f"UPDATE object SET sha256 = {blob(full)} WHERE recording_id = '{a_recording(full)}' AND role = 'original'"
    )

    # The recording's own row says something else, and so do the bytes.
    assert set(kinds(look(full, Level.DIGEST))) == {Kind.ROWS_DISAGREE, Kind.CHANGED_BYTES}


def blob(house: House) -> str:
    text = "00" * 32
    return f"x'{text}'" if house.app.database.is_sqlite else f"'\\x{text}'"


def test_a_quarantined_item_is_read_at_level_digest(full: House) -> None:
    (outcome,) = full.ingest(full.write("no recording", b"noise"))
    assert outcome.id
    name = object_name(outcome.id, "original")
    full.memory_store.objects[name] = full.memory_store.objects[name][:-1] + b"?"

    assert only(look(full, Level.DIGEST)) is Kind.CHANGED_BYTES


def test_reading_everything_is_on_record_once_with_its_counts(full: House) -> None:
    look(full, Level.DIGEST)

    (entry,) = full.audit("vault:recording:check")
    assert entry.actor == ACTOR
    assert entry.detail == {"objects": 6, "findings": {}}


def test_bytes_without_a_row_are_orphans_once_they_are_older_than_a_day(full: House) -> None:
    full.memory_store.put_new(object_name("01KJZZZZZZ0000000000000000", "original"), [b"?"])
    assert look(full).ok
    full.clock.move(days=1, seconds=1)

    assert only(look(full)) is Kind.ORPHAN


def test_bytes_of_an_intake_are_no_orphans_however_old(full: House) -> None:
    stray = "01KJZZZZZZ0000000000000000"
    full.memory_store.put_new(object_name(stray, "original"), [b"?"])
    full.sql(
        f"INSERT INTO intake (recording_id, writer, began_at) VALUES ('{stray}', 'host:x', '2026-03-02 00:00:00')"
    )
    full.clock.move(days=2)

    assert look(full).ok


def test_bytes_of_a_disposed_recording_are_undead_at_once(full: House) -> None:
    gone = full.rows("SELECT id FROM recording WHERE state = 'disposed'")[0][0]
    full.memory_store.put_new(object_name(gone, "original"), [b"?"])

    assert only(look(full)) is Kind.UNDEAD


def test_a_recording_whose_data_key_is_wrapped_for_no_living_reason_is_found(full: House) -> None:
    full.sql(f"DELETE FROM wrap WHERE recording_id = '{a_recording(full)}'")

    assert only(look(full, Level.DIGEST)) is Kind.KEY_MISSING


def test_an_active_cohort_without_its_key_is_found_once_for_all_its_recordings(full: House) -> None:
    key_id = full.rows("SELECT key_id FROM cohort WHERE state = 'active'")[0][0]
    full.memory_keys.destroy([key_id])

    assert only(look(full, Level.DIGEST)) is Kind.REASON_KEY_GONE


def test_a_hold_without_its_key_is_found(full: House) -> None:
    hold = full.place(a_recording(full)).hold
    full.memory_keys.destroy([hold.key_id])

    assert only(look(full)) is Kind.REASON_KEY_GONE


def test_a_quarantine_without_its_key_is_found(full: House) -> None:
    full.ingest(full.write("no recording", b"noise"))
    full.memory_keys.destroy([full.rows("SELECT key_id FROM quarantine")[0][0]])

    assert only(look(full, Level.DIGEST)) is Kind.REASON_KEY_GONE


def test_the_key_of_an_expired_cohort_that_is_back_is_found_and_destroyed_by_its_repair(full: House) -> None:
    key_id = full.rows("SELECT key_id FROM cohort WHERE state = 'expired'")[0][0]
    full.memory_keys.keys[key_id] = full.memory_keys.keys[full.memory_keys.new_key()]
    stray = full.memory_keys.key_ids()

    assert only(look(full)) is Kind.SPENT_KEY_LEFT

    assert repair(full.app.custody_tools(), Repair.SPENT_KEYS, ACTOR) == 1
    assert look(full).ok
    assert stray - full.memory_keys.key_ids() == {key_id}


def test_the_key_of_a_lifted_hold_that_keeps_nothing_is_found(full: House) -> None:
    hold = full.place(a_recording(full)).hold
    key = full.memory_keys.keys[hold.key_id]
    full.lift(hold.id)
    full.memory_keys.keys[hold.key_id] = key

    assert only(look(full)) is Kind.SPENT_KEY_LEFT


def test_the_key_of_an_item_that_has_left_the_quarantine_is_found(full: House) -> None:
    full.ingest(full.write("no recording", b"noise"))
    (item,) = full.quarantined()
    key = full.memory_keys.keys[item.key_id]
    full.reject(item.id)
    full.memory_keys.keys[item.key_id] = key

    assert only(look(full)) is Kind.SPENT_KEY_LEFT


def test_a_data_key_that_is_not_what_was_wrapped_is_found_at_level_digest(full: House) -> None:
    recording = a_recording(full)
    full.sql(f"UPDATE wrap SET wrapped = commitment FROM object WHERE wrap.recording_id = '{recording}'")

    report = look(full, Level.DIGEST)

    assert "not what was wrapped" in report.findings[0].what


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("cohort WHERE state = 'active'", "calls.quality@Asia/Tokyo"),
        ("hold", "hold 01"),
        ("quarantine", "quarantined item 01"),
    ],
    ids=["a cohort", "a hold", "a quarantined item"],
)
def test_a_key_that_cannot_be_read_is_found_with_the_reason_it_is_for(
    full: House, row: str, named: str
) -> None:
    full.place(a_recording(full))
    full.ingest(full.write("no recording", b"noise"))
    full.memory_keys.spoilt.add(full.rows(f"SELECT max(key_id) FROM {row}")[0][0])

    report = look(full)

    assert only(report) is Kind.KEY_UNREADABLE
    assert named in report.findings[0].what


def test_a_held_recording_that_its_hold_cannot_read_is_found(full: House) -> None:
    hold = full.place(a_recording(full)).hold
    full.sql(f"DELETE FROM wrap WHERE key_id = '{hold.key_id}'")

    assert only(look(full)) is Kind.HOLD_WITHOUT_KEY


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM hold_match",
        "UPDATE recording SET lot_id = (SELECT min(id) FROM lot WHERE holds = 0 AND recordings > 0) WHERE id = '{id}'",
    ],
)
def test_a_hold_and_its_recordings_that_do_not_know_of_each_other_are_found(full: House, damage: str) -> None:
    recording_id = a_recording(full)
    full.place(recording_id)
    full.sql(damage.format(id=recording_id))
    repair(full.app.custody_tools(), Repair.COUNTS, ACTOR)

    assert only(look(full)) is Kind.HOLD_INCOMPLETE


def test_a_held_recording_past_sealed_is_found(full: House) -> None:
    recording_id = a_recording(full)
    full.place(recording_id)
    full.sql(f"UPDATE recording SET state = 'disposing' WHERE id = '{recording_id}'")

    assert only(look(full)) is Kind.HOLD_INCOMPLETE


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE object SET size_bytes = size_bytes + 1 WHERE recording_id = '{id}' AND role = 'original'",
        "UPDATE recording SET sha256 = {blob} WHERE id = '{id}'",
    ],
    ids=["a size", "a digest"],
)
def test_what_rows_say_twice_must_agree(full: House, change: str) -> None:
    full.sql(change.format(id=a_recording(full), blob=blob(full)))

    assert Kind.ROWS_DISAGREE in kinds(look(full))


def test_a_cohort_whose_day_was_moved_is_found(full: House) -> None:
    """Either way: earlier breaks a promise to keep, later one to erase."""
    full.clock.move(days=1)
    full.take_in()
    for day in ("2020-01-01", "2099-01-01"):
        full.sql(f"UPDATE cohort SET trigger_on = '{day}' WHERE state = 'active' AND id = 1")
        assert only(look(full)) is Kind.ROWS_DISAGREE
        (finding,) = look(full).findings
        assert day in finding.what


def test_the_days_of_late_generations_events_and_other_zones_are_their_own(full: House) -> None:
    """What must not be taken for a day that was moved."""
    full.add_camera("hawaii", zone="Pacific/Honolulu")
    full.film("hawaii")
    full.film(ended_at=full.clock.now() - timedelta(days=6))
    full.add_source("case-line", purposes=["dispute"])
    full.take_in("case-line", reference="case-14")
    full.trigger("case-closed", "case-14", on=full.app.today())

    assert look(full).ok


def test_a_recording_whose_row_was_removed_is_not_only_a_wrong_count(full: House) -> None:
    full.sql(f"DELETE FROM recording WHERE id = '{a_recording(full)}'")
    assert Kind.ROWS_DISAGREE in kinds(look(full))

    repair(full.app.custody_tools(), Repair.COUNTS, ACTOR)
    assert Kind.ROWS_DISAGREE in kinds(look(full))


@pytest.mark.parametrize("column", ["recordings", "size_bytes", "living", "holds"])
def test_a_lot_that_counts_wrong_is_found_and_recounted_by_its_repair(full: House, column: str) -> None:
    full.place(a_recording(full))
    full.sql(f"UPDATE lot SET {column} = {column} + 1 WHERE id = (SELECT max(id) FROM lot)")

    report = look(full)
    assert only(report) is Kind.LOT_COUNTS
    assert column in report.findings[0].what

    assert repair(full.app.custody_tools(), Repair.COUNTS, ACTOR) == 1
    assert look(full).ok
    assert len(full.audit("catalogue:lot:recount")) == 1


def test_a_sealed_recording_in_no_lot_is_found(full: House) -> None:
    full.sql(f"UPDATE recording SET lot_id = NULL WHERE id = '{a_recording(full)}'")
    repair(full.app.custody_tools(), Repair.COUNTS, ACTOR)

    assert only(look(full)) is Kind.LOT_COUNTS


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM tombstone",
        "INSERT INTO hold_match (hold_id, recording_id) SELECT 'H', id FROM recording WHERE state = 'disposed'",
        "INSERT INTO wrap (recording_id, key_id, wrapped) SELECT id, 'K', sha256 FROM recording WHERE state = 'disposed'",
        "INSERT INTO identifier (blind, recording_id) SELECT sha256, id FROM recording WHERE state = 'disposed'",
        "UPDATE recording SET personal = sha256 WHERE state = 'disposed'",
    ],
)
def test_whatever_a_disposed_recording_left_besides_its_tombstone_is_found(full: House, damage: str) -> None:
    full.sql(damage)

    assert only(look(full)) is Kind.DISPOSED_REMNANT


def test_the_sealed_object_of_a_disposed_recording_is_found_with_its_bytes(full: House) -> None:
    full.sql(
        "INSERT INTO object (recording_id, role, size_bytes, stored_bytes, sha256, commitment)"
        " SELECT id, 'original', 1, 1, sha256, sha256 FROM recording WHERE state = 'disposed'"
    )
    assert only(look(full)) is Kind.DISPOSED_REMNANT

    gone = full.rows("SELECT id FROM recording WHERE state = 'disposed'")[0][0]
    full.memory_store.put_new(object_name(gone, "original"), [b"?"])
    assert sorted(kinds(look(full))) == [Kind.DISPOSED_REMNANT, Kind.UNDEAD]


def test_a_run_that_was_begun_and_not_ended_is_found(full: House) -> None:
    full.sql("UPDATE disposal_run SET state = 'started'")

    assert only(look(full)) is Kind.UNFINISHED_RUN


def test_a_run_that_is_under_way_is_no_finding(full: House) -> None:
    full.sql("UPDATE disposal_run SET state = 'started'")

    with full.app.database.exclusive(LOCK):
        assert look(full).ok


def test_a_changed_audit_entry_is_found(full: House) -> None:
    change_audit(full, "UPDATE audit_entry SET actor = 'nobody' WHERE seq = 3")

    report = look(full)

    assert only(report) is Kind.AUDIT_BROKEN
    assert report.findings[0].subject == "3"


def change_audit(house: House, statement: str) -> None:
    """Change the trail, as somebody with the database's password could."""
    if house.app.database.is_sqlite:
        (ddl,) = house.rows("SELECT sql FROM sqlite_master WHERE name = 'audit_entry_no_update'")[0]
        house.sql("DROP TRIGGER audit_entry_no_update", statement, ddl)
    else:
        off = "ALTER TABLE audit_entry {} TRIGGER audit_entry_append_only"
        house.sql(off.format("DISABLE"), statement, off.format("ENABLE"))


def test_a_missing_trigger_of_the_trail_is_found(full: House) -> None:
    sqlite = full.app.database.is_sqlite
    full.sql(f"DROP TRIGGER audit_entry_{'no_update' if sqlite else 'append_only ON audit_entry'}")

    assert only(look(full)) is Kind.SCHEMA_DIFFERS


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("DROP INDEX ix_hold_match_recording_id", "hold_match"),
        ("ALTER TABLE lot ADD COLUMN colour VARCHAR", "lot.colour"),
        ("CREATE TABLE stranger (id INTEGER)", "stranger"),
        ("DROP TABLE do_not_record", "do_not_record"),
    ],
)
def test_a_schema_that_is_not_this_versions_is_found(full: House, damage: str, named: str) -> None:
    full.sql(damage)

    report = look(full)

    assert only(report) is Kind.SCHEMA_DIFFERS
    assert named in report.findings[0].what


@pytest.mark.postgres
def test_a_column_that_may_be_empty_now_is_found(new_postgres_house: NewHouse) -> None:
    house = new_postgres_house()
    house.sql("ALTER TABLE lot ALTER COLUMN site DROP NOT NULL")

    report = look(house)

    assert only(report) is Kind.SCHEMA_DIFFERS
    assert "lot.site" in report.findings[0].what


def test_a_hold_that_only_the_journal_knows_is_found(full: House) -> None:
    full.app.journal.write("hold-confirmed", full.clock.now(), {"hold": "01KJZZZZZZ0000000000000000"})

    assert only(look(full)) is Kind.HOLD_LOST


def test_a_witness_folder_that_is_gone_is_found(full: House) -> None:
    shutil.rmtree(full.app.home / full.app.settings.witness)

    assert set(kinds(look(full))) == {Kind.AUDIT_BROKEN, Kind.JOURNAL_BROKEN}


def test_a_changed_line_of_the_journal_is_found(full: House) -> None:
    full.place(a_recording(full))
    path = full.app.home / full.app.settings.witness / "journal"
    path.write_bytes(path.read_bytes().replace(b'"a dispute"', b'"a dispate"'))

    assert only(look(full)) is Kind.JOURNAL_BROKEN


def test_another_vault_is_said_to_be_another_and_never_looked_through(full: House) -> None:
    full.memory_store._id = "another"
    full.memory_store.objects.clear()

    report = look(full, Level.DIGEST)

    assert only(report) is Kind.OTHER_STORE
    assert report.objects == 0


def test_a_vault_that_does_not_answer_is_an_error_and_no_finding(full: House) -> None:
    def fail(act: str, name: str) -> None:
        raise StoreUnavailable(f"{act} {name}")

    full.memory_store.before = fail

    with pytest.raises(StoreUnavailable):
        look(full)


def test_of_many_findings_all_are_counted_and_the_first_are_kept(
    full: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.custody.model.KEPT_OF_A_KIND", 2)
    full.memory_store.objects.clear()

    report = look(full)

    assert kinds(report) == [Kind.MISSING_BYTES] * 2
    assert report.counts == {Kind.MISSING_BYTES: 6}
