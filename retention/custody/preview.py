"""Verify a backup, and say what restoring it would do, before anything is changed."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from retention.catalogue.model import ORIGINAL
from retention.custody.archive import members_of, read_head, verify_archive
from retention.custody.backup import SECRET, SETTINGS, journal_digest
from retention.custody.replay.journal import look_ahead
from retention.custody.tables import columns_of_all
from retention.custody.tools import Tools
from retention.kernel.errors import AuditChainBroken, CatalogueDisagrees
from retention.vault.model import parse_name

WITHOUT_IT = "Bring back the witness folder: without it a restore would undo disposals and lose holds."


@dataclass(frozen=True, slots=True)
class Preview:
    """What restoring a backup would do."""

    path: Path
    manifest: dict[str, Any]
    settings: str  #: the store's settings file, as it was
    since: Counter[str]  #: entries of the journal after the backup, by kind
    disposed_since: int  #: recordings certified as disposed of after the backup
    stored_since: int  #: recordings and quarantined items stored after it: their rows are lost
    certificates_missing: tuple[str, ...]  #: runs of which the journal lost the document

    @property
    def made_at(self) -> datetime:
        """When the backup was made."""
        return datetime.fromisoformat(self.manifest["made_at"])


def preview_restore(tools: Tools, path: Path) -> Preview:
    """Verify the backup in `path` to its last byte.

    Raises:
        InvalidInput: It is not a backup, or another store's.
        FixityMismatch: It was changed, cut, or is not signed by this store.
        CatalogueDisagrees: It belongs to another vault or another version.
        AuditChainBroken: The journal is not the one that the backup relies on.
    """
    key = tools.keys.secret(SECRET)
    manifest = verify_archive(path, key, tools.signer.is_ours)
    _check_fits(tools, path, manifest)
    ahead = look_ahead(tools.journal)
    made_at = datetime.fromisoformat(manifest["made_at"])
    since: Counter[str] = Counter()
    runs: set[str] = set()
    for entry in tools.journal.entries():
        if datetime.fromisoformat(entry["at"]) > made_at:
            since[entry["kind"]] += 1
            if entry["kind"] == "run-certified":
                runs.add(entry["run"])
    name, content = next(members_of(path, key))
    return Preview(
        path=path,
        manifest=manifest,
        settings=content.decode() if name == SETTINGS else "",
        since=since,
        disposed_since=sum(_leaves(tools, ahead.documents[run]) for run in runs if run in ahead.documents),
        stored_since=sum(
            1
            for name, _, stored_at in tools.store.list_names()
            if stored_at > made_at and parse_name(name)[1] == ORIGINAL
        ),
        certificates_missing=tuple(ahead.missing),
    )


def _leaves(tools: Tools, document: str) -> int:
    return sum(1 for _ in tools.journal.documents.kept(document)) - 1


def _check_fits(tools: Tools, path: Path, manifest: dict[str, Any]) -> None:
    head = read_head(path)
    if (head.store, head.made_at) != (manifest["store"], manifest["made_at"]):
        raise CatalogueDisagrees(f"{path} says in the clear what its manifest does not say")
    if manifest["object_store"] != tools.store.store_id():
        raise CatalogueDisagrees(
            f"{path} belongs to object store {manifest['object_store']}, not to {tools.store.store_id()}",
            hint="Correct the setting store_url, or mount the right disk.",
        )
    if manifest["columns"] != columns_of_all():
        raise CatalogueDisagrees(
            f"{path} was made by version {manifest['version']}, whose tables are not this version's",
            hint=f"Restore it with version {manifest['version']}, then upgrade.",
        )
    lost = tools.journal.lost([tools.witness.journal_end()])
    if lost:
        raise AuditChainBroken(lost, hint=WITHOUT_IT)
    said = manifest["journal"]
    if journal_digest(tools.journal, said["lines"]) != (said["lines"], said["sha256"]):
        raise AuditChainBroken(
            "the journal of holds and disposals is not the one this backup was made with, or was cut",
            hint=WITHOUT_IT,
        )
