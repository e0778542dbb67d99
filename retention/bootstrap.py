"""The composition root: builds the service from its settings. `wiring` picks the adapters that they name."""

import json
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypedDict, Unpack

from sqlalchemy import select
from sqlmodel import Session, col

from retention import wiring
from retention.adapters.witness_folder import WitnessFolder
from retention.audit.record import WRITTEN
from retention.audit.root import sign_root
from retention.audit.tables import AuditRootRow
from retention.audit.witness import SignedJournal
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.sources import find_source
from retention.catalogue.tables import StoreRow, TombstoneRow
from retention.custody.tools import Tools as CustodyTools
from retention.database import Database
from retention.disposal.carry_out import Tools as DisposalTools
from retention.disposal.model import Limits
from retention.holds.enforce import Tools as HoldTools
from retention.ingest.model import Inspector
from retention.ingest.receive import INDEX_NAME
from retention.ingest.receive import Tools as IngestTools
from retention.kernel.clock import Clock, SystemClock, local_date
from retention.kernel.errors import InvalidInput
from retention.migrations import models
from retention.schedule.model import Schedule
from retention.settings import Effective, load_settings
from retention.vault.door import Door
from retention.vault.model import KeyService, ObjectStore
from retention.vault.papers import Tools as PaperTools
from retention.vault.signing import Signer

# Rooms that most commands do not enter are imported where they are entered: a command waits for every import.
if TYPE_CHECKING:
    from retention.adapters.keys_keyring import Keyring
    from retention.disclosure.deliver import Public
    from retention.disclosure.package import House as PackageHouse
    from retention.holds.drill import Player
    from retention.holds.drill import Tools as DrillTools
    from retention.outbox.folder import Folder as Outbox
    from retention.provision.model import Cutter
    from retention.redaction.at_work import Means as CopyMeans
    from retention.redaction.destroy import Means as RedactionMeans
    from retention.redaction.destroy import Tools as RedactionTools
    from retention.redaction.model import Silencer
    from retention.redaction.redactor import Redactor
    from retention.requests.print import Printed, Sheet
    from retention.requests.rulebooks import Rules

#: Every table is known from here on: checks and backups go by the metadata.
TABLES = models.ALL_TABLES
JOURNAL_NAME = "journal"
WORK = "work"  #: where copies are made: emptied when the work ends, or when anything starts after a kill


class Given(TypedDict, total=False):
    """Parts that the caller brings; the settings choose those that are missing."""

    clock: Clock
    keys: KeyService
    store: ObjectStore
    inspector: Inspector
    silencer: "Silencer"
    redactor: "Redactor"
    player: "Player"


class App:
    """The service, put together for one store."""

    def __init__(self, home: Path, *, is_new: bool = False, **given: Unpack[Given]) -> None:
        """Put the service together; nothing is opened before it is needed.

        Args:
            home: The store's folder.
            is_new: Make the keyring and the vault where there are none.
            given: Parts to use instead of those that the settings name. The caller closes them.
        """
        self.home = home
        self._is_new = is_new
        self._given = given
        self._closers: list[Callable[[], None]] = []
        self.effective: Effective = load_settings(home)
        self.settings = self.effective.settings
        self.clock: Clock = given.get("clock") or SystemClock()
        self.database = Database(wiring.database_url(home, self.settings.database_url), self._publish)

    @cached_property
    def keys(self) -> KeyService:
        """Where keys live."""
        return self._given.get("keys") or wiring.key_service(
            self.home / self.settings.keyring, self.home, self.settings.key_root, is_new=self._is_new
        )

    @cached_property
    def store(self) -> ObjectStore:
        """Where sealed bytes live."""
        return self._given.get("store") or wiring.object_store(
            self.home, self.settings.store_url, self.clock, is_new=self._is_new
        )

    @cached_property
    def inspector(self) -> Inspector:
        """What looks into files."""
        if "inspector" in self._given:
            return self._given["inspector"]
        inspector = wiring.inspector(self.settings.inspect_timeout_s)
        self._closers.append(inspector.close)
        return inspector

    @cached_property
    def witness(self) -> WitnessFolder:
        """What survives the database."""
        return WitnessFolder(
            self.home / self.settings.witness, lambda: self.keys.secret(JOURNAL_NAME), is_new=self._is_new
        )

    @cached_property
    def journal(self) -> SignedJournal:
        """The journal of holds and disposals."""
        return SignedJournal(self.witness, self.keys.secret(JOURNAL_NAME))

    @cached_property
    def signer(self) -> Signer:
        """The store's signature."""
        return Signer(self.keys)

    @cached_property
    def index_key(self) -> bytes:
        """The key of the blind index."""
        return self.keys.secret(INDEX_NAME)

    @cached_property
    def door(self) -> Door:
        """The one way to content."""
        return Door(self.database, self.store, self.keys)

    @cached_property
    def store_id(self) -> str:
        """Which store this is."""
        with self.database.read() as session:
            return str(session.execute(select(col(StoreRow.id))).scalar_one())

    def schedule(self) -> Schedule:
        """The retention schedule in force."""
        with self.database.read() as session:
            return schedule_in_force(session)

    def today(self) -> date:
        """Today's date at the controller's."""
        return local_date(self.clock.now(), self.schedule().controller.zone)

    def zone_of(self, source_id: str) -> str:
        """A source's time zone."""
        with self.database.read() as session:
            return find_source(session, source_id).zone

    def tombstone(self, session: Session, recording_id: str) -> dict[str, Any] | None:
        """What is left of a disposed recording."""
        row = session.get(TombstoneRow, recording_id)
        return None if row is None else {"run": row.run_id, **json.loads(row.leaf)}

    def ingest_tools(self) -> IngestTools:
        """What taking in needs."""
        return IngestTools(
            self.database, self.store, self.keys, self.inspector, self.clock, self.home / "locks"
        )

    def hold_tools(self) -> HoldTools:
        """What holds need."""
        return HoldTools(self.database, self.store, self.keys, self.journal, self.clock)

    def paper_tools(self) -> PaperTools:
        """What the rooms that keep papers need: requests, and provisions."""
        return PaperTools(
            self.database,
            self.store,
            self.keys,
            self.journal,
            self.clock,
            self.home / "locks",
            self.index_key,
        )

    def printer(self, sheet: "Sheet") -> "Printed":
        """Print a letter."""
        from retention.adapters.letter_pdf import print_letter  # a PDF library and a font, for letters alone

        return print_letter(sheet)

    @property
    def package_house(self) -> "PackageHouse":
        """What making the answer to a request needs besides."""
        from retention.disclosure.package import House as PackageHouse

        return PackageHouse(self.door, self.printer, self.signer, self.store_id)

    def encrypt_archive(self, package: BinaryIO, file: BinaryIO, passphrase: str) -> None:
        """Write a package as an archive that a passphrase opens."""
        from retention.adapters.archive_aes import encrypt_archive  # a ZIP library, for archives alone

        encrypt_archive(package, file, passphrase)

    @property
    def outbox(self) -> "Outbox":
        """Where answers wait behind links."""
        from retention.outbox.folder import Folder as Outbox

        return Outbox(self.home / self.settings.outbox)

    def public(self) -> "Public":
        """Where links to answers lead.

        Raises:
            InvalidInput: The settings do not say where they are served.
        """
        from retention.disclosure.deliver import Public
        from retention.outbox.address import check_base_url

        url = self.settings.link_base_url
        if not url:
            raise InvalidInput(
                "the settings do not say where links are served",
                hint="Set link_base_url, such as https://answers.example.jp.",
            )
        return Public(self.outbox, check_base_url(url), self.store_id)

    def rules(self) -> "Rules":
        """The rulebook in force."""
        from retention.requests.rulebooks import rules_in_force

        with self.database.read() as session:
            return rules_in_force(session)

    def redaction_tools(self) -> "RedactionTools":
        """What finishing the destruction of spans needs."""
        from retention.redaction.destroy import Tools as RedactionTools

        return RedactionTools(self.database, self.store, self.keys, self.journal, self.clock)

    def redaction_means(self) -> "RedactionMeans":
        """What destroying spans needs besides."""
        from retention.redaction.destroy import Means as RedactionMeans

        return RedactionMeans(self.door, self.inspector, self.silencer, self.home / "tmp")

    @cached_property
    def cutter(self) -> "Cutter":
        """What cuts a part out of a recording."""
        from retention.adapters.cutter_media import MediaCutter

        return MediaCutter(self.home / "tmp")

    @cached_property
    def silencer(self) -> "Silencer":
        """What silences spans of sound."""
        return self._given.get("silencer") or wiring.silencer()

    def copy_means(self) -> "CopyMeans":
        """What making redacted copies needs besides what papers need."""
        from retention.redaction.at_work import Means as CopyMeans

        return CopyMeans(self.door, self.redactor, self.home / WORK)

    @cached_property
    def redactor(self) -> "Redactor":
        """What searches recordings, and makes redacted copies."""
        settings = self.settings
        given = self._given.get("redactor")
        return given or wiring.redactor(self.home, settings.speech_model, settings.speech_language)

    @cached_property
    def player(self) -> "Player":
        """What decodes recordings to their end."""
        if "player" in self._given:
            return self._given["player"]
        player = wiring.player()
        self._closers.append(player.close)
        return player

    def drill_tools(self) -> "DrillTools":
        """What drilling holds needs."""
        from retention.holds.drill import Tools as DrillTools

        return DrillTools(
            self.database,
            self.door,
            self.clock,
            self.player,
            self.home / "tmp",
            self.settings.drill_timeout_s,
        )

    def disposal_tools(self) -> DisposalTools:
        """What disposing needs."""
        settings = self.settings
        limits = Limits(
            class_fraction=settings.guard_class_fraction,
            overall_fraction=settings.guard_overall_fraction,
            from_recordings=settings.guard_from_recordings,
            size_bytes=settings.guard_size_bytes,
            clock_forward=timedelta(days=settings.guard_clock_forward_days),
            backup_age=timedelta(days=settings.guard_backup_age_days),
        )
        return DisposalTools(
            self.database, self.store, self.keys, self.journal, self.witness, self.clock, self.signer, limits
        )

    def custody_tools(self) -> CustodyTools:
        """What checking, backing up and restoring need. The database need not exist."""
        # They go through every table there is, of whichever rooms this command would not have opened.
        from retention.migrations import models

        assert models.ALL_TABLES
        return CustodyTools(
            self.database, self.store, self.keys, self.journal, self.witness, self.signer, self.clock
        )

    def export_keys(self, passphrase: str, expires_at: datetime) -> bytes:
        """A copy of all keys and secrets under a passphrase, to be kept apart."""
        from retention.adapters.keys_escrow import export_escrow

        return export_escrow(self._keyring(), passphrase, self.clock.now(), expires_at)

    def import_keys(self, escrow: bytes, passphrase: str, living: Collection[str]) -> frozenset[str]:
        """Put the secrets of a copy, and those of its keys that may live, into the keyring; the new ids."""
        from retention.adapters.keys_escrow import import_escrow

        return import_escrow(self._keyring(), escrow, passphrase, self.clock.now(), living)

    def _keyring(self) -> "Keyring":
        from retention.adapters.keys_keyring import Keyring

        if not isinstance(self.keys, Keyring):
            raise InvalidInput("only a keyring is copied like this", hint="Use your key service's own means.")
        return self.keys

    def sign_root(self) -> AuditRootRow:
        """Sign the audit trail's head for today."""
        today = self.today()
        with self.database.write() as session:
            return sign_root(session, today, self.clock.now(), self.store_id, self.signer.sign)

    def close(self) -> None:
        """Let go of every resource."""
        for closer in self._closers:
            closer()
        self.database.close()

    def _publish(self, session: Session) -> None:
        head = session.info.get(WRITTEN)
        if head is not None:
            self.witness.publish(head, self.clock.now())
