"""The keys counted, under a new root, in a copy kept apart, and brought back without what was destroyed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from retention.adapters.keys_escrow import export_escrow, import_escrow
from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_roots import Argon2Cost, FileRoot
from retention.audit.witness import SignedJournal
from retention.custody.keys import bring_back, report_keys, rotate_root, write_escrow
from retention.disposal.night import certificate_head
from retention.founding import create_store
from retention.kernel.canonical import isoformat
from retention.kernel.errors import InvalidInput, NotPermitted, StoreUnavailable
from tests.builders.custody import look
from tests.builders.house import ACTOR, House
from tests.builders.policy import FILE, policy_text
from tests.fakes.hand_clock import HandClock

CHEAP = Argon2Cost(passes=1, memory_kib=64, lanes=1)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[House]:
    """A store with a keyring of its own."""
    made = create_store(tmp_path / "store", policy_text(), FILE, "founder", clock=HandClock())
    house = House(tmp_path, keys=made.keys, store=made.store)
    house.add_source()
    house.add_camera()
    yield house
    house.close()
    made.close()


def keyring(house: House) -> Keyring:
    assert isinstance(house.app.keys, Keyring)
    return house.app.keys


def escrow(house: House, path: Path, *, days: int = 30) -> bytes:
    now = house.clock.now()
    expires_at = now + timedelta(days=days)
    write_escrow(
        house.app.custody_tools(),
        path,
        ACTOR,
        expires_at,
        lambda: export_escrow(keyring(house), "a passphrase", now, expires_at, CHEAP),
    )
    return path.read_bytes()


def test_keys_are_counted_by_what_they_are_for(real: House) -> None:
    recording_id = real.take_in()
    real.film()
    real.ingest(real.write("noise", b"noise"))
    real.place(recording_id)
    stray = real.app.keys.new_key()

    with real.app.database.read() as session:
        found = report_keys(session, real.app.keys)

    assert found.keys == 5
    assert found.cohorts == {"active": 2}
    assert found.holds == {"in force": 1}
    assert found.quarantine == 1
    assert found.without_row == (stray,)


def test_a_new_root_opens_what_the_old_one_opened_and_is_on_record(real: House) -> None:
    recording_id = real.take_in()
    before = (real.app.home / real.app.settings.keyring).read_text("ascii")

    rotate_root(real.app.custody_tools(), ACTOR)

    assert (real.app.home / real.app.settings.keyring).read_text("ascii") != before
    assert real.open(recording_id, "quality")
    assert len(real.audit("vault:keys:rotate")) == 1


def test_a_copy_is_on_record_with_its_end_and_certificates_state_it(real: House, tmp_path: Path) -> None:
    real.film()
    escrow(real, tmp_path / "escrow")
    ends_at = isoformat(real.clock.now() + timedelta(days=30))
    (entry,) = real.audit("vault:keys:escrow")
    assert entry.detail["expires_at"] == ends_at
    real.clock.move(days=6)

    run = real.night()

    with real.app.database.read() as session:
        head = certificate_head(session, real.app.disposal_tools(), run)
    assert f'"keys_gone_by":"{ends_at}"'.encode() in head


def test_a_copy_is_readable_by_its_owner_alone_and_replaces_nothing(real: House, tmp_path: Path) -> None:
    path = tmp_path / "escrow"
    content = escrow(real, path)

    with pytest.raises(InvalidInput):
        escrow(real, path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == content
    assert len(real.audit("vault:keys:escrow")) == 1


def restored_elsewhere(house: House, copy: bytes, folder: Path) -> tuple[Keyring, frozenset[str]]:
    """The copy in a new keyring, on a machine that has the witness folder."""
    folder.mkdir()
    there = Keyring.create(folder / "keyring", FileRoot(folder / "root"))
    now = house.clock.now()
    key_ids = keyring(house).key_ids() | {row[0] for row in house.rows("SELECT key_id FROM cohort")}
    new = bring_back(
        key_ids,
        lambda living: import_escrow(there, copy, "a passphrase", now, living),
        lambda: SignedJournal(house.app.witness, there.secret("journal")),
    )
    return there, new


def test_a_copy_brings_every_key_and_secret_back(real: House, tmp_path: Path) -> None:
    real.take_in()
    copy = escrow(real, tmp_path / "escrow")

    there, new = restored_elsewhere(real, copy, tmp_path / "there")

    assert new == there.key_ids() == real.app.keys.key_ids()
    assert there.secret("blind-index") == real.app.keys.secret("blind-index")
    assert there.secret("backup") == real.app.keys.secret("backup")


def test_what_was_destroyed_after_the_copy_was_made_stays_dead(real: House, tmp_path: Path) -> None:
    real.film()
    hold = real.place(real.take_in()).hold
    real.take_in(purposes=["dispute"], reference="case-7")
    copy = escrow(real, tmp_path / "escrow")
    real.lift(hold.id)
    real.trigger("case-closed", "case-7", real.app.today())
    real.clock.move(days=6)
    real.night()
    destroyed = {hold.key_id} | {r[0] for r in real.rows("SELECT key_id FROM cohort WHERE state = 'expired'")}

    there, _ = restored_elsewhere(real, copy, tmp_path / "there")

    assert len(destroyed) == 3
    assert not there.key_ids() & destroyed
    assert there.key_ids() < real.app.keys.key_ids()
    assert look(real).ok


def test_what_the_catalogue_knows_to_be_spent_stays_dead_too(real: House) -> None:
    asked: list[frozenset[str]] = []

    def put_in(living: object) -> frozenset[str]:
        asked.append(frozenset(living))  # type: ignore[call-overload]
        return frozenset()

    bring_back(["a", "b"], put_in, lambda: real.app.journal, spent=["b"])

    assert asked == [frozenset(), frozenset({"a"})]


def test_a_copy_that_has_ended_is_refused(real: House, tmp_path: Path) -> None:
    copy = escrow(real, tmp_path / "escrow", days=1)
    real.clock.move(days=2)

    with pytest.raises(NotPermitted, match="ended"):
        restored_elsewhere(real, copy, tmp_path / "there")


def test_a_copy_that_cannot_be_written_is_no_copy(real: House, tmp_path: Path) -> None:
    """Nor does it go where a link leads that somebody laid there."""
    (tmp_path / "escrow").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        escrow(real, tmp_path / "escrow")
    assert not (tmp_path / "elsewhere").exists()
