"""Try out an object store and report what it really does: for `retention doctor`.

Nothing is taken on trust from a vendor's page: objects of no meaning are put,
read, listed, protected and erased in the user's own store, under names of
their own, and removed again. A finding that is not ok says what it endangers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from retention.adapters.store_s3 import S3Store
from retention.kernel.errors import InvalidInput, NotFound, ObjectExists, RetentionError
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, ObjectStore, object_name

_SHORT = bytes(range(256)) * 8
_LONG_BYTES = 20 << 20
"""More than one part of a multipart upload."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str  #: what the store should do, as a claim
    ok: bool
    detail: str = ""  #: what it did instead, or what that means


@dataclass(frozen=True, slots=True)
class _Trial:
    """The store, and the names that this trial may use."""

    store: ObjectStore
    short: ObjectName
    long: ObjectName


def prove(store: ObjectStore, at: datetime) -> list[Finding]:
    """What the store does, tried out. Leaves nothing behind in a store that works.

    Args:
        store: The user's store.
        at: Now; the names used carry it.
    """
    trial = _Trial(store, object_name(new_id(at), "probe"), object_name(new_id(at), "probe"))
    steps: list[tuple[str, Callable[[_Trial], str]]] = [
        ("the store can be reached and knows its id", _knows_its_id),
        ("an object is stored and read again", _puts_and_reads),
        ("a long object is stored in parts and read again", _puts_long),
        ("a range gives exactly its bytes", _reads_ranges),
        ("what is stored is never replaced", _keeps_the_first),
        ("what is stored is listed", _lists),
        ("a hold of the store's own stands in the way of erasing", _protects),
        ("erasing leaves no version and no delete marker", _erases),
    ]
    findings = [_try(what, step, trial) for what, step in steps]
    if isinstance(store, S3Store):
        findings += [_try(*step, trial) for step in _s3_steps(store)]
    return findings


def _try(what: str, step: Callable[[_Trial], str], trial: _Trial) -> Finding:
    try:
        trouble = step(trial)
    except RetentionError as error:
        trouble = f"{error.message} {error.hint}".strip()
    return Finding(what, not trouble, trouble)


def _knows_its_id(trial: _Trial) -> str:
    return "" if trial.store.store_id() == trial.store.store_id() else "it gave two ids"


def _puts_and_reads(trial: _Trial) -> str:
    trial.store.put_new(trial.short, [_SHORT])
    return "" if b"".join(trial.store.read(trial.short)) == _SHORT else "it gave other bytes than were stored"


def _puts_long(trial: _Trial) -> str:
    piece = bytes(1 << 20)
    trial.store.put_new(trial.long, (piece for _ in range(_LONG_BYTES // len(piece))))
    read = sum(len(got) if got == bytes(len(got)) else 0 for got in trial.store.read(trial.long))
    return "" if read == _LONG_BYTES else f"it gave {read} right bytes of {_LONG_BYTES}"


def _reads_ranges(trial: _Trial) -> str:
    for start, length in ((0, 1), (100, 50), (len(_SHORT) - 1, 1)):
        if b"".join(trial.store.read(trial.short, start, length)) != _SHORT[start : start + length]:
            return f"{length} bytes from {start} were others: players cannot seek"
    try:
        b"".join(trial.store.read(trial.short, len(_SHORT), 1))
    except InvalidInput:
        return ""
    return "a range outside the object was not refused"


def _keeps_the_first(trial: _Trial) -> str:
    try:
        trial.store.put_new(trial.short, [b"other"])
    except ObjectExists:
        return ""
    return "a second put replaced the first: conditional writes do not work there"


def _lists(trial: _Trial) -> str:
    found = {name: size for name, size, _ in trial.store.list_names(trial.short[:2])}
    return (
        "" if found.get(trial.short) == len(_SHORT) else "the list does not hold it: reconciling cannot work"
    )


def _protects(trial: _Trial) -> str:
    trial.store.protect([trial.short], True)
    failures = trial.store.erase_many([trial.short])
    trial.store.protect([trial.short], False)
    if trial.short in failures:
        return ""
    return "there is no lock: holds are kept by the catalogue and the keys alone"


def _erases(trial: _Trial) -> str:
    names = [trial.short, trial.long]
    failures = trial.store.erase_many(names)
    left = trial.store.remains(names)
    if failures or left:
        reasons = "; ".join(sorted(set(failures.values()))) or "no reason given"
        return f"{len(left)} of {len(names)} are still there ({reasons}): disposal cannot be proved"
    try:
        b"".join(trial.store.read(trial.short))
    except NotFound:
        return ""
    return "an erased object can still be read"


def _s3_steps(store: S3Store) -> Iterator[tuple[str, Callable[[_Trial], str]]]:
    yield (
        "versions and delete markers that others made are erased too",
        lambda trial: _erases_versions(store, trial),
    )
    yield "the bucket keeps versions", lambda _: "" if store.is_versioned() else _UNVERSIONED


_UNVERSIONED = "it does not: whoever may write can destroy what is held; turn versioning and Object Lock on"


def _erases_versions(store: S3Store, trial: _Trial) -> str:
    store.put_new(trial.short, [_SHORT])
    store.cover(trial.short)
    failures = store.erase_many([trial.short])
    left = store.remains([trial.short])
    return "old versions are left" if failures or left else ""
