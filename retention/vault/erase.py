"""Erase objects that no row wants, and prove them gone."""

from collections.abc import Sequence

from retention.kernel.errors import StoreUnavailable
from retention.vault.model import ObjectName, ObjectStore

NAMED = 10


def erase_for_good(store: ObjectStore, names: Sequence[ObjectName], *, locks_are_stale: bool) -> int:
    """Erase every version of each object; how many.

    Args:
        store: Where they are.
        names: What to erase.
        locks_are_stale: They were certainly disposed of: a lock that a hold
            left on them is taken away. Bytes that nobody knows keep theirs.

    Raises:
        StoreUnavailable: Something is left; the message names it.
    """
    failures = store.erase_many(names)
    if failures and locks_are_stale:
        store.protect(list(failures), held=False)
        failures = store.erase_many(list(failures))
    left = set(failures) | store.remains(names)
    if left:
        reasons = [f"{name} ({failures.get(name, 'still listed')})" for name in sorted(left)[:NAMED]]
        raise StoreUnavailable(f"{len(left)} objects could not be erased: {', '.join(reasons)}")
    return len(names)
