"""The obligations of `KeyService`, on every adapter and on the fake."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_roots import (
    Argon2Cost,
    FileRoot,
    KmsRoot,
    KmsSettings,
    PassphraseRoot,
    RootProtector,
)
from retention.kernel.errors import FixityMismatch, InvalidInput, KeyMissing
from retention.vault.model import KeyService
from tests.fakes.memory_keys import MemoryKeys

Again = Callable[[], KeyService]
"""The same service, as another process would open it."""

CHEAP = Argon2Cost(passes=1, memory_kib=8, lanes=1)
REGION = "eu-west-1"
SECRET, CONTEXT = b"a data key of thirty-two bytes..", b"01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def kms_root() -> Iterator[RootProtector]:
    with pytest.MonkeyPatch.context() as patching, mock_aws():
        patching.setenv("AWS_ACCESS_KEY_ID", "testing")
        patching.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["KeyId"]
        yield KmsRoot(KmsSettings(key, REGION))


@pytest.fixture(params=["memory", "keyring, file", "keyring, passphrase", "keyring, KMS"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Again:
    if request.param == "memory":
        only = MemoryKeys()
        return lambda: only
    protector: RootProtector
    if request.param == "keyring, file":
        protector = FileRoot(tmp_path / "root.key")
    elif request.param == "keyring, passphrase":
        protector = PassphraseRoot(lambda: "correct horse", CHEAP)
    else:
        protector = request.getfixturevalue("kms_root")
    return lambda: Keyring.create(tmp_path / "keyring", protector)


@pytest.fixture
def keys(again: Again) -> KeyService:
    return again()


def test_what_a_key_wraps_it_unwraps(keys: KeyService) -> None:
    key = keys.new_key()
    wrapped = keys.wrap(key, SECRET, CONTEXT)
    assert SECRET not in wrapped
    assert keys.unwrap(key, wrapped, CONTEXT) == SECRET


def test_each_key_is_another(keys: KeyService) -> None:
    one, other = keys.new_key(), keys.new_key()
    assert keys.key_ids() == {one, other}
    with pytest.raises(FixityMismatch):
        keys.unwrap(other, keys.wrap(one, SECRET, CONTEXT), CONTEXT)


def test_a_wrap_is_bound_to_its_context(keys: KeyService) -> None:
    key = keys.new_key()
    with pytest.raises(FixityMismatch):
        keys.unwrap(key, keys.wrap(key, SECRET, CONTEXT), b"another recording")


def test_a_changed_or_cut_wrap_is_refused(keys: KeyService) -> None:
    key = keys.new_key()
    wrapped = keys.wrap(key, SECRET, CONTEXT)
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(FixityMismatch):
            keys.unwrap(key, bytes(changed), CONTEXT)
    for length in (0, 1, 12, 13, len(wrapped) - 1):
        with pytest.raises(FixityMismatch):
            keys.unwrap(key, wrapped[:length], CONTEXT)


def test_wrapping_twice_gives_different_bytes(keys: KeyService) -> None:
    key = keys.new_key()
    assert keys.wrap(key, SECRET, CONTEXT) != keys.wrap(key, SECRET, CONTEXT)


def test_many_are_wrapped_and_unwrapped_in_order(keys: KeyService) -> None:
    key = keys.new_key()
    items = [(b"%032d" % number, b"%d" % number) for number in range(500)]
    wrapped = keys.wrap_many(key, items)
    contexts = [context for _, context in items]
    assert keys.unwrap_many(key, zip(wrapped, contexts, strict=True)) == [secret for secret, _ in items]
    assert keys.wrap_many(key, []) == []
    assert keys.unwrap(key, wrapped[7], b"7") == b"%032d" % 7


def test_a_secret_that_is_too_long_is_refused(keys: KeyService) -> None:
    key = keys.new_key()
    assert keys.unwrap(key, keys.wrap(key, bytes(1024), b""), b"") == bytes(1024)
    with pytest.raises(InvalidInput):
        keys.wrap(key, bytes(1025), CONTEXT)


def test_an_unknown_key_is_missing(keys: KeyService) -> None:
    for act in (keys.wrap, keys.unwrap):
        with pytest.raises(KeyMissing):
            act("0123456789abcdef", SECRET, CONTEXT)
    for act_many in (keys.wrap_many, keys.unwrap_many):
        with pytest.raises(KeyMissing):
            act_many("0123456789abcdef", [])


def test_a_destroyed_key_is_gone_and_the_others_are_not(keys: KeyService) -> None:
    doomed, kept = [keys.new_key() for _ in range(3)], keys.new_key()
    wraps = {key: keys.wrap(key, SECRET, CONTEXT) for key in (*doomed, kept)}
    keys.destroy(doomed)
    assert keys.key_ids() == {kept}
    for key in doomed:
        with pytest.raises(KeyMissing):
            keys.unwrap(key, wraps[key], CONTEXT)
    assert keys.unwrap(kept, wraps[kept], CONTEXT) == SECRET


def test_destroying_may_be_repeated(keys: KeyService) -> None:
    key = keys.new_key()
    keys.destroy({key})
    keys.destroy({key, "0123456789abcdef"})
    keys.destroy([])
    assert keys.key_ids() == frozenset()


def test_a_key_made_by_one_is_used_by_another_at_once(again: Again) -> None:
    one, other = again(), again()
    key = one.new_key()
    assert other.unwrap(key, one.wrap(key, SECRET, CONTEXT), CONTEXT) == SECRET
    late = other.new_key()
    assert one.unwrap(late, other.wrap(late, SECRET, CONTEXT), CONTEXT) == SECRET


def test_a_key_destroyed_by_one_is_used_by_nobody_afterwards(again: Again) -> None:
    one, other = again(), again()
    key = one.new_key()
    wrapped = other.wrap(key, SECRET, CONTEXT)
    one.destroy([key])
    with pytest.raises(KeyMissing):
        other.unwrap(key, wrapped, CONTEXT)
    with pytest.raises(KeyMissing):
        other.wrap(key, SECRET, CONTEXT)
    assert other.key_ids() == frozenset()


def test_rotating_the_root_changes_nothing_for_what_was_wrapped(again: Again) -> None:
    one, other = again(), again()
    key, secret = one.new_key(), one.secret("blind-index")
    wrapped = one.wrap(key, SECRET, CONTEXT)
    for rotating in (one, other, one):
        rotating.rotate_root()
        for keys in (one, other, again()):
            assert keys.unwrap(key, wrapped, CONTEXT) == SECRET
            assert keys.secret("blind-index") == secret
    late = other.new_key()
    assert one.unwrap(late, other.wrap(late, SECRET, CONTEXT), CONTEXT) == SECRET


def test_a_secret_stays_the_same_for_everyone(again: Again) -> None:
    one, other = again(), again()
    secret = one.secret("journal")
    assert len(secret) == 32
    assert secret == other.secret("journal") == again().secret("journal")
    assert other.secret("signing") != secret
    one.destroy(["journal"])
    assert one.secret("journal") == secret
    assert one.key_ids() == frozenset()


def test_a_secret_has_a_proper_name(keys: KeyService) -> None:
    for name in ("", "two words", "../root", "new\nline"):
        with pytest.raises(InvalidInput):
            keys.secret(name)


def test_many_threads_make_use_and_destroy_keys(again: Again) -> None:
    services, kept, failures = [again(), again()], [], []

    def work(number: int) -> None:
        keys = services[number % 2]
        try:
            for _ in range(5):
                key, doomed = keys.new_key(), keys.new_key()
                wrapped = keys.wrap(key, SECRET, CONTEXT)
                keys.destroy([doomed])
                assert keys.unwrap(key, wrapped, CONTEXT) == SECRET
                kept.append(key)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert services[0].key_ids() == services[1].key_ids() == set(kept)
    assert len(kept) == 20


def test_of_keys_that_are_as_they_were_made_none_is_unreadable(again: Again) -> None:
    keys = again()
    assert keys.unreadable() == frozenset()
    key = keys.new_key()
    wrapped = keys.wrap(key, SECRET, CONTEXT)
    keys.secret("journal")
    keys.destroy([keys.new_key()])
    keys.rotate_root()
    assert keys.unreadable() == again().unreadable() == frozenset()
    assert keys.unwrap(key, wrapped, CONTEXT) == SECRET


def test_a_key_that_was_changed_where_it_is_kept_is_found_while_the_others_serve(
    again: Again, tmp_path: Path
) -> None:
    """Also by a process that has used it already."""
    keys = again()
    spoilt, sound = keys.new_key(), keys.new_key()
    wrapped = keys.wrap(sound, SECRET, CONTEXT)
    keys.wrap(spoilt, SECRET, CONTEXT)
    spoil(keys, tmp_path / "keyring", spoilt)
    for each in (keys, again()):
        assert each.unreadable() == {spoilt}
        assert each.key_ids() == {spoilt, sound}
        assert each.unwrap(sound, wrapped, CONTEXT) == SECRET
        with pytest.raises(FixityMismatch):
            each.wrap(spoilt, SECRET, CONTEXT)
    keys.destroy([spoilt])
    assert keys.unreadable() == frozenset()


def spoil(keys: KeyService, path: Path, key_id: str) -> None:
    """Flip a bit of a key where it is kept."""
    if isinstance(keys, MemoryKeys):
        keys.spoilt.add(key_id)
        return
    content = bytearray(path.read_bytes())
    at = content.index(key_id.encode()) + len(key_id) + 10
    content[at] = ord("A") if content[at] != ord("A") else ord("B")
    with path.open("r+b") as file:
        file.write(content)
