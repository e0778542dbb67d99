"""Bytes without a row and rows without bytes: listed both ways, and only bytes are ever erased, when told to.

A lost database must never look like orphans: nothing is erased from another
store than the catalogue's, and nothing when there are too many of them. Rows
without bytes are a loss to be reported; no row is removed to hide it. Keys
without a row are only reported. Files that are no objects are listed as aliens.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.tables import CohortRow, StoreRow
from retention.custody.model import INTAKE_AGE, KEPT_OF_A_KIND, Kind
from retention.custody.objects import Known, Stranger, is_still_missing, walk
from retention.custody.tools import Progress, Tools, silent
from retention.database import table_of
from retention.holds.tables import HoldRow
from retention.ingest.tables import QuarantineRow
from retention.kernel.canonical import digest_of
from retention.kernel.errors import CatalogueDisagrees, GuardTripped, StoreUnavailable
from retention.vault.erase import NAMED, erase_for_good

#: So many orphans are erased at most, whatever the size of the vault ...
FEW = 10
#: ... or this share of its objects.
SHARE = 0.01
ERASE_AT_ONCE = 1_000


@dataclass(slots=True)
class Reconciled:
    """What does not fit, and what was done about it."""

    objects: int = 0  #: in the vault, intakes apart
    known: int = 0  #: of them, known to the catalogue
    counts: Counter[Kind] = field(default_factory=Counter)
    size_bytes: Counter[Kind] = field(default_factory=Counter)
    listed: list[tuple[Kind, str]] = field(default_factory=list)  #: of each kind at most KEPT_OF_A_KIND
    keys_without_row: tuple[str, ...] = ()
    erased: int = 0

    def note(self, kind: Kind, name: str, size_bytes: int) -> None:
        """Count one object that does not fit."""
        self.counts[kind] += 1
        self.size_bytes[kind] += size_bytes
        if self.counts[kind] <= KEPT_OF_A_KIND:
            self.listed.append((kind, name))


def reconcile(
    tools: Tools,
    actor: str,
    *,
    erase_orphans: bool = False,
    erase_stranded: bool = False,
    erase_aliens: bool = False,
    progress: Progress = silent,
) -> Reconciled:
    """Hold catalogue and vault against each other; erase what was asked for.

    Args:
        tools: The store.
        actor: Who asks.
        erase_orphans: Erase bytes without a row that are older than a day, and
            what is left of recordings that were disposed of.
        erase_stranded: Erase bytes whose rows were lost when a backup was restored.
        erase_aliens: Erase what lies in the vault and is no object of ours.
        progress: Told how many objects were compared.

    Raises:
        CatalogueDisagrees: The catalogue belongs to another object store.
        GuardTripped: There are too many orphans: the catalogue is what is missing.
        StoreUnavailable: Something could not be erased.
    """
    found = _compare(tools, progress)
    kinds = {Kind.ORPHAN, Kind.UNDEAD} if erase_orphans else set()
    kinds |= {Kind.STRANDED} if erase_stranded else set()
    if erase_orphans:
        _guard(found)
    if any(found.counts[kind] for kind in kinds):
        found.erased = _erase_all(tools, actor, kinds)
    if erase_aliens and found.counts[Kind.ALIEN]:
        found.erased += _erase_aliens(tools, actor)
    return found


def _compare(tools: Tools, progress: Progress) -> Reconciled:
    found = Reconciled()
    with tools.database.sorting_on_disk().read() as session:
        _refuse_other_store(session, tools)
        for each in walk(session, tools.store, tools.clock.now()):
            _sort(tools, found, each)
            progress(found.objects)
        for name, stored_bytes, _ in _aliens(tools):
            found.note(Kind.ALIEN, name, stored_bytes)
        found.keys_without_row = tuple(sorted(tools.keys.key_ids() - keys_with_row(session)))
    return found


def _refuse_other_store(session: Session, tools: Tools) -> None:
    wanted, here = session.execute(select(col(StoreRow.object_store_id))).scalar_one(), tools.store.store_id()
    if wanted != here:
        raise CatalogueDisagrees(
            f"the catalogue belongs to object store {wanted}, not to {here}: nothing can be reconciled",
            hint="Correct the setting store_url, or mount the right disk.",
        )


def _sort(tools: Tools, found: Reconciled, each: Known | Stranger) -> None:
    if isinstance(each, Stranger):
        found.objects += 1
        found.note(each.kind, each.name, each.stored_bytes)
    elif each.stored_bytes is not None:
        found.objects += 1
        found.known += 1
    elif each.expected.must_be_there and is_still_missing(tools.database, tools.store, each.expected):
        found.note(Kind.MISSING_BYTES, each.expected.sealed.name, each.expected.sealed.stored_bytes)


def keys_with_row(session: Session) -> frozenset[str]:
    """The keys that a cohort, a hold or a quarantined item has or had."""
    return frozenset(
        key_id
        for model in (CohortRow, HoldRow, QuarantineRow)
        for key_id in session.execute(select(table_of(model).c.key_id)).scalars()
    )


def _guard(found: Reconciled) -> None:
    orphans = found.counts[Kind.ORPHAN]
    if orphans <= max(FEW, SHARE * found.objects) and orphans <= found.known:
        return
    raise GuardTripped(
        f"{orphans} of {found.objects} objects have no row: more likely the catalogue lost its rows. Nothing was erased",
        hint="Look at `retention check`; restore the last backup if the catalogue is not what it was.",
    )


def _erase_all(tools: Tools, actor: str, kinds: Collection[Kind]) -> int:
    """Walk again, so that what got a row meanwhile is left alone; how many were erased."""
    erased = 0
    batch: list[Stranger] = []
    with tools.database.sorting_on_disk().read() as session:
        for each in walk(session, tools.store, tools.clock.now()):
            if isinstance(each, Stranger) and each.kind in kinds:
                batch.append(each)
            if len(batch) >= ERASE_AT_ONCE:
                erased += _erase(tools, actor, batch)
                batch = []
    return erased + (_erase(tools, actor, batch) if batch else 0)


def _aliens(tools: Tools) -> Iterator[tuple[str, int, datetime]]:
    return tools.store.strangers(tools.clock.now() - INTAKE_AGE)


def _erase_aliens(tools: Tools, actor: str) -> int:
    """On record first, as for objects."""
    erased = 0
    aliens = _aliens(tools)
    while some := list(islice(aliens, ERASE_AT_ONCE)):
        names = [name for name, _, _ in some]
        _put_on_record(tools, actor, names, sum(size for _, size, _ in some), [Kind.ALIEN])
        failures = tools.store.erase_strangers(names)
        if failures:
            reasons = ", ".join(f"{name} ({reason})" for name, reason in sorted(failures.items())[:NAMED])
            raise StoreUnavailable(f"{len(failures)} files could not be erased: {reasons}")
        erased += len(names)
    return erased


def _erase(tools: Tools, actor: str, some: list[Stranger]) -> int:
    """On record first, then erased, then proved gone: a crash in between is found by the next run."""
    names = [each.name for each in some]
    _put_on_record(tools, actor, names, sum(each.stored_bytes for each in some), {each.kind for each in some})
    undead = [each.name for each in some if each.kind is Kind.UNDEAD]
    unknown = [each.name for each in some if each.kind is not Kind.UNDEAD]
    erase_for_good(tools.store, undead, locks_are_stale=True)
    erase_for_good(tools.store, unknown, locks_are_stale=False)
    return len(names)


def _put_on_record(
    tools: Tools, actor: str, names: Sequence[str], size_bytes: int, kinds: Collection[Kind]
) -> None:
    detail = {
        "objects": len(names),
        "bytes": size_bytes,
        "kinds": sorted(str(kind) for kind in kinds),
        "names": digest_of(list(names)),
    }
    with tools.database.write() as session:
        record(session, tools.clock.now(), Act(Tag.RECONCILED, actor, "", detail=detail))
