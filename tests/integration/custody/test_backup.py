"""A backup is one file, of one instant, complete or not there; without the store's keys it is noise."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from retention.audit.verify import ask
from retention.custody.archive import members_of, read_head, verify_archive
from retention.custody.backup import SECRET, make_backup
from retention.custody.preview import preview_restore
from retention.database import Database
from retention.disposal.surroundings import surroundings
from retention.kernel.errors import (
    DatabaseBusy,
    FixityMismatch,
    InvalidInput,
    RetentionError,
    StoreUnavailable,
)
from tests.builders.custody import back_up, made
from tests.builders.house import ACTOR, CALLER, House


def verify(house: House, path: Path) -> dict[str, object]:
    return verify_archive(path, house.app.keys.secret(SECRET), house.app.signer.is_ours)


def test_it_says_what_is_in_it(busy: House) -> None:
    busy.take_in(phone=CALLER)

    manifest = verify(busy, back_up(busy))

    assert manifest["store"] == busy.app.store_id
    assert manifest["recordings"] == 1
    rows = manifest["rows"]
    assert isinstance(rows, dict)
    assert (rows["recording"], rows["identifier"], rows["source"]) == (1, 2, 2)


def test_it_is_on_record_with_its_digest(busy: House) -> None:
    backup = made(busy)

    (entry,) = busy.audit("store:backup:make")

    assert entry.subject == "backup"
    assert entry.detail["sha256"] == backup.sha256
    assert entry.detail["head"] == backup.audit_seq
    assert backup.size_bytes == backup.path.stat().st_size


def test_the_nights_guard_sees_when_it_was_made(busy: House) -> None:
    back_up(busy)
    tools = busy.app.disposal_tools()
    with busy.app.database.read() as session:
        seen = surroundings(
            session, busy.plan(), tools.limits, busy.clock.now(), tools.journal, ask(tools.witness), ""
        )

    assert seen.last_backup_at == busy.clock.now()


def test_nothing_in_it_can_be_read_from_the_file(busy_sqlite: House) -> None:
    recording_id = busy_sqlite.take_in()

    content = back_up(busy_sqlite).read_bytes()

    assert recording_id.encode() not in content
    assert b"line-1" not in content
    assert b"settings" not in content


def test_no_key_is_in_it(busy_sqlite: House) -> None:
    busy_sqlite.take_in()
    keys = busy_sqlite.app.keys

    plain = b"".join(content for _, content in members_of(back_up(busy_sqlite), keys.secret(SECRET)))

    assert all(secret not in plain for secret in busy_sqlite.memory_keys.secrets.values())


def test_it_is_of_one_instant_whatever_goes_on_meanwhile(busy: House) -> None:
    busy.take_in()
    tools = busy.app.custody_tools()
    path = busy.drop.parent / "backup"

    def take_in_another(done: int) -> None:
        if done == 1:
            busy.take_in()

    backup = make_backup(tools, path, ACTOR, progress=take_in_another)

    names = [name for name, _ in members_of(path, busy.app.keys.secret(SECRET))]
    recordings = [
        c for n, c in members_of(path, busy.app.keys.secret(SECRET)) if n.startswith("tables/recording/")
    ]
    assert backup.recordings == 1
    assert len(recordings[0].splitlines()) == 1
    assert names[0] != "settings.toml"
    assert len(busy.rows("SELECT id FROM recording")) == 2


def test_a_file_of_that_name_is_replaced_only_when_told(busy_sqlite: House) -> None:
    path = back_up(busy_sqlite)
    first = path.read_bytes()

    with pytest.raises(InvalidInput, match="exists already"):
        back_up(busy_sqlite)
    assert path.read_bytes() == first

    back_up(busy_sqlite, force=True)
    assert path.read_bytes() != first


def test_a_folder_that_is_not_there_is_said(busy_sqlite: House) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        make_backup(busy_sqlite.app.custody_tools(), Path("/nowhere/backup"), ACTOR)


def test_a_disk_that_fails_leaves_no_file_and_no_record(
    busy_sqlite: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fail(descriptor: int) -> None:
        if "partial" in Path(f"/proc/self/fd/{descriptor}").readlink().name:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(StoreUnavailable, match="No space left"):
        back_up(busy_sqlite)

    assert [path.name for path in busy_sqlite.drop.parent.iterdir() if "backup" in path.name] == []
    assert busy_sqlite.audit("store:backup:make") == []


def test_two_backups_at_a_time_are_refused(busy: House) -> None:
    with Database.exclusive(busy.app.database, "backup"), pytest.raises(DatabaseBusy):
        back_up(busy)


def test_only_its_owner_may_read_it(busy_sqlite: House) -> None:
    assert back_up(busy_sqlite).stat().st_mode & 0o777 == 0o600


# --- what was changed is refused


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, sqlite_template: object) -> tuple[House, bytes]:
    folder = tmp_path_factory.mktemp("archive")
    shutil.copytree(sqlite_template.home, folder / "store")  # type: ignore[attr-defined]
    house = House(folder)
    house.add_source()
    house.take_in()
    content = back_up(house).read_bytes()
    return house, content


def refused(house: House, path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        preview_restore(house.app.custody_tools(), path)
    except (FixityMismatch, InvalidInput):
        return True
    return False


def test_what_was_not_changed_is_taken(archive: tuple[House, bytes], tmp_path: Path) -> None:
    house, content = archive
    assert not refused(house, tmp_path / "b", content)


def test_a_byte_changed_anywhere_is_refused(archive: tuple[House, bytes], tmp_path: Path) -> None:
    house, content = archive
    head = content.index(b"\n", content.index(b"\n") + 1)
    places = [*range(head), *range(head + 1, len(content), len(content) // 150), len(content) - 1]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        assert refused(house, tmp_path / "b", bytes(changed)), place


@pytest.mark.parametrize("left", [0, 1, 50, 200, -1, -17])
def test_a_backup_that_was_cut_is_refused(archive: tuple[House, bytes], tmp_path: Path, left: int) -> None:
    house, content = archive
    assert refused(house, tmp_path / "b", content[:left])


@pytest.mark.parametrize("added", [b"!", b"\n", bytes(70_000)])
def test_a_backup_that_was_added_to_is_refused(
    archive: tuple[House, bytes], tmp_path: Path, added: bytes
) -> None:
    house, content = archive
    assert refused(house, tmp_path / "b", content + added)


def test_another_stores_backup_is_refused_and_names_its_store(
    archive: tuple[House, bytes], sqlite_house: House, tmp_path: Path
) -> None:
    _, content = archive
    (tmp_path / "b").write_bytes(content)
    head = read_head(tmp_path / "b")

    with pytest.raises(InvalidInput, match=head.store) as caught:
        preview_restore(sqlite_house.app.custody_tools(), tmp_path / "b")

    assert "keys restore" in caught.value.hint


def test_a_backup_that_another_signed_is_refused(archive: tuple[House, bytes], tmp_path: Path) -> None:
    house, content = archive
    (tmp_path / "b").write_bytes(content)

    with pytest.raises(FixityMismatch, match="not signed by this store"):
        verify_archive(tmp_path / "b", house.app.keys.secret(SECRET), lambda _message, _signature: False)


def test_a_file_that_is_no_backup_is_said_to_be_none(archive: tuple[House, bytes], tmp_path: Path) -> None:
    house, _ = archive
    with tarfile.open(tmp_path / "b", "w") as tar:
        tar.add(__file__)

    with pytest.raises(InvalidInput, match="no backup"):
        preview_restore(house.app.custody_tools(), tmp_path / "b")


def test_a_file_that_is_not_there_is_said(archive: tuple[House, bytes], tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="cannot be read"):
        preview_restore(archive[0].app.custody_tools(), tmp_path / "nothing")
