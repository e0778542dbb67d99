"""What is particular to the keyring: its protectors, its file, its escrow, its size."""

import base64
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from retention.adapters import keys_file
from retention.adapters.keys_escrow import escrow_facts, export_escrow, import_escrow
from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_ring import Kind
from retention.adapters.keys_roots import Argon2Cost, FileRoot, KmsRoot, KmsSettings, PassphraseRoot
from retention.kernel.errors import (
    FixityMismatch,
    InvalidInput,
    KeyMissing,
    KeyServiceUnavailable,
    NotPermitted,
    RetentionError,
)

CHEAP = Argon2Cost(passes=1, memory_kib=8, lanes=1)
AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
SOON = AT + timedelta(days=14)
SECRET, CONTEXT = b"a data key", b"a recording"
REGION = "eu-west-1"


def keyring(folder: Path) -> Keyring:
    return Keyring.create(folder / "keyring", FileRoot(folder / "root.key"))


def reopened(folder: Path) -> Keyring:
    return Keyring(folder / "keyring", FileRoot(folder / "root.key"))


def test_only_its_owner_can_read_a_keyring_and_its_root(tmp_path: Path) -> None:
    keyring(tmp_path).new_key()
    for name in ("keyring", "root.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_root_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keyring(tmp_path)
    (tmp_path / "root.key").chmod(0o640)
    with pytest.raises(NotPermitted, match="others may read") as caught:
        reopened(tmp_path)
    assert "chmod 600" in caught.value.hint


def test_a_keyring_without_its_root_key_file_says_so(tmp_path: Path) -> None:
    keyring(tmp_path)
    (tmp_path / "root.key").rename(tmp_path / "mislaid")
    with pytest.raises(KeyMissing, match="no root key file"):
        reopened(tmp_path)


def test_the_root_key_of_another_keyring_does_not_open_this_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        keyring(tmp_path / name)
    with pytest.raises(KeyMissing, match="does not hold the root key"):
        Keyring(tmp_path / "a" / "keyring", FileRoot(tmp_path / "b" / "root.key"))


def test_two_keyrings_may_share_a_root_key_file(tmp_path: Path) -> None:
    root = FileRoot(tmp_path / "root.key")
    one, other = (Keyring.create(tmp_path / name, root) for name in ("one", "other"))
    key = other.new_key()
    wrapped = other.wrap(key, SECRET, CONTEXT)
    one.rotate_root()
    assert Keyring(tmp_path / "other", root).unwrap(key, wrapped, CONTEXT) == SECRET


def test_a_missing_keyring_is_unavailable_and_never_empty(tmp_path: Path) -> None:
    with pytest.raises(KeyServiceUnavailable, match="no keyring"):
        reopened(tmp_path)
    keys = keyring(tmp_path)
    (tmp_path / "keyring").rename(tmp_path / "elsewhere")
    for act in (keys.key_ids, keys.new_key, lambda: keys.destroy(["x"]), lambda: keys.secret("journal")):
        with pytest.raises(KeyServiceUnavailable):
            act()


def test_a_wrong_passphrase_is_not_permitted(tmp_path: Path) -> None:
    Keyring.create(tmp_path / "keyring", PassphraseRoot(lambda: "right", CHEAP))
    with pytest.raises(NotPermitted, match="passphrase"):
        Keyring(tmp_path / "keyring", PassphraseRoot(lambda: "wrong", CHEAP))


def test_a_protector_of_another_kind_is_refused_with_a_remedy(tmp_path: Path) -> None:
    keyring(tmp_path)
    with pytest.raises(InvalidInput, match="protected by a root of kind file"):
        Keyring(tmp_path / "keyring", PassphraseRoot(lambda: "any", CHEAP))


def test_another_protector_takes_over_at_a_rotation(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    key = keys.new_key()
    wrapped = keys.wrap(key, SECRET, CONTEXT)
    passphrase = PassphraseRoot(lambda: "from now on", CHEAP)
    keys.rotate_root(passphrase)
    assert Keyring(tmp_path / "keyring", passphrase).unwrap(key, wrapped, CONTEXT) == SECRET
    with pytest.raises(InvalidInput):
        reopened(tmp_path)


def test_a_stolen_copy_of_the_keyring_is_closed_by_a_rotation(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    keys.new_key()
    stolen = tmp_path / "stolen"
    stolen.write_bytes((tmp_path / "keyring").read_bytes())
    keys.rotate_root()
    with pytest.raises(KeyMissing):
        Keyring(stolen, FileRoot(tmp_path / "root.key"))


def test_entries_cannot_stand_for_one_another(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    one, other = keys.new_key(), keys.new_key()
    path = tmp_path / "keyring"
    text = path.read_text("ascii")
    path.write_text(text.replace(one, "swap").replace(other, one).replace("swap", other), "ascii")
    with pytest.raises(FixityMismatch, match="was changed"):
        reopened(tmp_path).wrap(one, SECRET, CONTEXT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "retention-keyring 2 abc\nroot file AAAA\n",
        "retention-keyring 1 abc\nroof file AAAA\n",
        "no\nroot\n",
    ],
)
def test_what_is_no_keyring_is_refused(tmp_path: Path, text: str) -> None:
    keyring(tmp_path)
    (tmp_path / "keyring").write_text(text, "ascii")
    with pytest.raises(FixityMismatch):
        reopened(tmp_path)


def test_a_line_that_is_no_entry_is_refused(tmp_path: Path) -> None:
    keyring(tmp_path)
    with (tmp_path / "keyring").open("a", encoding="ascii") as file:
        file.write("keys are made of brass\n")
    with pytest.raises(FixityMismatch, match="no entry"):
        reopened(tmp_path)


def test_a_line_that_a_crash_cut_short_is_cut_off_by_the_next_writer(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    key = keys.new_key()
    with (tmp_path / "keyring").open("a", encoding="ascii") as file:
        file.write("key 0123456789ab")
    assert keys.key_ids() == reopened(tmp_path).key_ids() == {key}
    late = keys.new_key()
    assert reopened(tmp_path).key_ids() == {key, late}


def test_a_keyring_that_is_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    keyring(tmp_path)
    (tmp_path / "keyring").rename(tmp_path / "target")
    (tmp_path / "keyring").symlink_to(tmp_path / "target")
    with pytest.raises(KeyServiceUnavailable):
        reopened(tmp_path)


def test_a_writer_that_never_ends_makes_the_service_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keyring(tmp_path)
    monkeypatch.setattr(keys_file, "_LOCK_TIMEOUT_SECONDS", 0.05)
    with (
        keys_file.SecretFile(tmp_path / "keyring").exclusive(),
        pytest.raises(KeyServiceUnavailable, match="too long"),
    ):
        keys.new_key()


def test_a_full_disk_makes_no_key_and_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = keyring(tmp_path)
    key = keys.new_key()
    with monkeypatch.context() as patching:

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        patching.setattr("os.write", full)
        for act in (keys.new_key, lambda: keys.destroy([key]), keys.rotate_root):
            with pytest.raises(KeyServiceUnavailable, match="No space"):
                act()
    assert keys.key_ids() == reopened(tmp_path).key_ids() == {key}
    keys.rotate_root()
    keys.destroy([key])
    assert keys.key_ids() == frozenset()


def test_twenty_thousand_keys_are_no_burden(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    keys.restore({(Kind.KEY, f"{number:016x}"): bytes(32) for number in range(20_000)})
    started = time.perf_counter()
    for _ in range(10):
        keys.new_key()
    per_key_ms = (time.perf_counter() - started) * 100
    started = time.perf_counter()
    keys.destroy([f"{number:016x}" for number in range(1000)])
    destroy_ms = (time.perf_counter() - started) * 1000
    assert len(reopened(tmp_path).key_ids()) == 19_010
    assert per_key_ms < 20
    assert destroy_ms < 1000


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


def kms_root(kms: Any) -> KmsRoot:
    return KmsRoot(KmsSettings(kms.create_key()["KeyMetadata"]["KeyId"], REGION))


def test_a_root_blob_is_bound_to_its_keyring_in_kms(kms: Any) -> None:
    root = kms_root(kms)
    blob = root.protect(bytes(32), "one")
    assert root.reveal(blob, "one") == bytes(32)
    with pytest.raises(FixityMismatch):
        root.reveal(blob, "other")


@pytest.mark.usefixtures("kms")
def test_an_unknown_kms_key_makes_the_service_unavailable(tmp_path: Path) -> None:
    root = KmsRoot(KmsSettings("alias/none", REGION))
    with pytest.raises(KeyServiceUnavailable, match="alias/none"):
        Keyring.create(tmp_path / "keyring", root)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Decrypt"), NotPermitted),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "Decrypt"), KeyServiceUnavailable),
        (ClientError({"Error": {"Code": "KMSInvalidStateException"}}, "Decrypt"), KeyServiceUnavailable),
        (EndpointConnectionError(endpoint_url="https://kms"), KeyServiceUnavailable),
    ],
    ids=["refused", "throttled", "disabled", "out of reach"],
)
def test_what_kms_answers_is_told_apart(kms: Any, failure: Exception, expected: type[RetentionError]) -> None:
    root = kms_root(kms)
    blob = root.protect(bytes(32), "one")

    def fail(**_: object) -> None:
        raise failure

    root._client.meta.events.register("before-call.kms.Decrypt", fail)
    with pytest.raises(expected):
        root.reveal(blob, "one")


def test_an_escrow_brings_back_a_lost_keyring(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    made = [keys.new_key() for _ in range(3)]
    secret = keys.secret("blind-index")
    wraps = {key: keys.wrap(key, SECRET, CONTEXT) for key in made}
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    (tmp_path / "new").mkdir()
    new = keyring(tmp_path / "new")
    assert import_escrow(new, escrow, "for the notary", AT, made) == set(made)
    assert new.secret("blind-index") == secret
    assert {key: new.unwrap(key, wraps[key], CONTEXT) for key in made} == dict.fromkeys(made, SECRET)
    assert import_escrow(new, escrow, "for the notary", AT, made) == frozenset()


def test_an_escrow_mends_a_key_that_was_changed(tmp_path: Path) -> None:
    keys = Keyring.create(tmp_path / "keyring", FileRoot(tmp_path / "root.key"))
    spoilt, sound = keys.new_key(), keys.new_key()
    wrapped = keys.wrap(spoilt, b"a data key", b"")
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    content = (tmp_path / "keyring").read_bytes()
    at = content.index(spoilt.encode()) + len(spoilt) + 10
    flipped = b"A" if content[at : at + 1] != b"A" else b"B"
    (tmp_path / "keyring").write_bytes(content[:at] + flipped + content[at + 1 :])
    assert keys.unreadable() == {spoilt}
    assert import_escrow(keys, escrow, "for the notary", AT, [spoilt, sound]) == {spoilt}
    assert keys.unreadable() == frozenset()
    assert keys.unwrap(spoilt, wrapped, b"") == b"a data key"


def test_a_key_destroyed_since_the_escrow_was_made_stays_dead(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    living, destroyed = keys.new_key(), keys.new_key()
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    keys.destroy([destroyed])
    assert import_escrow(keys, escrow, "for the notary", AT, [living]) == frozenset()
    assert keys.key_ids() == {living}


def test_an_escrow_says_when_it_ends_and_what_it_holds_and_nothing_more(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    key = keys.new_key()
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    facts = escrow_facts(escrow)
    assert (facts.made_at, facts.expires_at, facts.key_ids) == (AT, SOON, frozenset([key]))
    plain = keys.contents()[Kind.KEY, key]
    assert plain not in escrow
    assert plain.hex().encode() not in escrow


def test_an_escrow_is_refused_from_the_instant_it_ends(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    import_escrow(keys, escrow, "for the notary", SOON - timedelta(microseconds=1), [])
    with pytest.raises(NotPermitted, match="ended"):
        import_escrow(keys, escrow, "for the notary", SOON, [])


def test_the_end_of_an_escrow_cannot_be_put_off(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    escrow = export_escrow(keys, "for the notary", AT, SOON, CHEAP)
    with pytest.raises(NotPermitted, match="changed"):
        import_escrow(keys, escrow.replace(b"2026-04-15", b"2027-04-15"), "for the notary", SOON, [])
    with pytest.raises(NotPermitted, match="passphrase"):
        import_escrow(keys, escrow, "a guess", AT, [])


def test_an_escrow_ends_after_it_begins(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        export_escrow(keyring(tmp_path), "for the notary", AT, AT, CHEAP)


@pytest.mark.parametrize("text", [b"", b"x\ny", b"{}\nAAAA", b'{"format":"other"}\nAAAA'])
def test_what_is_no_escrow_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(InvalidInput):
        import_escrow(keyring(tmp_path), text, "any", AT, [])


def test_an_escrow_does_not_replace_another_key_of_the_same_name(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    keys.secret("journal")
    (tmp_path / "other").mkdir()
    other = keyring(tmp_path / "other")
    other.secret("journal")
    with pytest.raises(FixityMismatch, match="another secret journal"):
        import_escrow(keys, export_escrow(other, "p", AT, SOON, CHEAP), "p", AT, [])


def test_a_root_key_that_was_changed_does_not_pass_for_a_missing_one(tmp_path: Path) -> None:
    keyring(tmp_path)
    path = tmp_path / "root.key"
    keyring_id, name, key = path.read_text("ascii").split()
    path.write_text(f"{keyring_id} {name} {'00' * (len(key) // 2)}\n", "ascii")
    with pytest.raises(FixityMismatch, match="does not open the keyring"):
        reopened(tmp_path)


def test_an_entry_that_was_cut_to_a_few_bytes_is_a_changed_one(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    key = keys.new_key()
    path = tmp_path / "keyring"
    *others, entry = path.read_text("ascii").splitlines()
    path.write_text("".join(f"{line}\n" for line in [*others, entry.rpartition(" ")[0] + " AAAA"]), "ascii")
    with pytest.raises(FixityMismatch, match="was changed"):
        reopened(tmp_path).wrap(key, SECRET, CONTEXT)


@pytest.mark.parametrize("kept", [0, 27, 28], ids=["nothing", "half a head", "a head alone"])
def test_a_root_that_a_passphrase_protects_is_refused_when_it_was_cut(tmp_path: Path, kept: int) -> None:
    root = PassphraseRoot(lambda: "right", CHEAP)
    Keyring.create(tmp_path / "keyring", root)
    path = tmp_path / "keyring"
    title, line, *rest = path.read_text("ascii").splitlines()
    head, blob = line.rsplit(" ", 1)
    cut = base64.b64encode(base64.b64decode(blob)[:kept]).decode()
    path.write_text("".join(f"{each}\n" for each in (title, f"{head} {cut}", *rest)), "ascii")
    with pytest.raises(RetentionError):
        Keyring(path, root)


def test_a_folder_that_became_something_else_makes_the_keyring_unavailable(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    keys = keyring(tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    (tmp_path / "disk").write_bytes(b"")
    for act in (keys.key_ids, keys.new_key):
        with pytest.raises(KeyServiceUnavailable, match=r"Not a directory|File exists"):
            act()


def test_a_keyring_whose_only_line_was_cut_gets_no_key_behind_it(tmp_path: Path) -> None:
    """Whatever there is of it, it is no keyring any more; nobody adds to it."""
    keys = keyring(tmp_path)
    path = tmp_path / "keyring"
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(FixityMismatch, match="it was cut"):
        keys.new_key()
    assert path.stat().st_size == 10
