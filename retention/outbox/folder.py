"""The folder between the office and the public app, which share nothing else.

The office writes `ID.link` and takes it away; the app writes `ID.receipt` and
takes away the links that it has served. Each file appears whole or not at all,
so the folder may also be carried to and fro (rsync and the like) between two
machines. `ID` is a hash that leads nobody to the link.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkstemp
from typing import Any, BinaryIO, Final

from retention.kernel.canonical import canonical_json
from retention.kernel.errors import InvalidInput, StoreUnavailable
from retention.outbox.link import ID, Waiting, read_head

LINK, RECEIPT, PART = ".link", ".receipt", ".part"
FORMAT: Final = "retention-receipt/1"
UNFINISHED_FOR: Final = timedelta(days=1)
"""Nobody takes longer to write a file: what is older was left by a writer that died."""
RECEIPT_BYTES: Final = 4096  #: a receipt is no longer
MODE: Final = 0o640  #: the app may be another user of the same group


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a link."""

    id: str
    state: str
    tried: int  #: how often a passphrase was given
    wrong: int  #: how often it was a wrong one
    starts: int  #: how often the download began
    started_at: datetime | None  #: first
    ended_at: datetime | None  #: when it was downloaded, or died


class Folder:
    """An outbox."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder where there is none."""
        with self._cannot_be("made"):
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)

    def write(self, chunks: Iterable[bytes]) -> Path:
        """Write a file that is not there yet for anybody; `publish` gives it its name.

        Raises:
            StoreUnavailable: It cannot be written.
        """
        with self._cannot_be("written"):
            descriptor, name = mkstemp(prefix=".", suffix=PART, dir=self.path)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, MODE)
                file.writelines(chunks)
                file.flush()
                os.fsync(descriptor)
        return Path(name)

    def publish(self, written: Path, name: str) -> None:
        """Give a written file its name, durably.

        Raises:
            StoreUnavailable: It cannot be done.
        """
        with self._cannot_be("written"):
            written.replace(self.path / name)
            self._sync()

    def take_away(self, link_id: str) -> None:
        """Take a link's file away; nothing happens where there is none.

        Raises:
            StoreUnavailable: It cannot be done.
        """
        hint = "The link is still live: take its file away by hand."
        with self._cannot_be("changed", hint), suppress(FileNotFoundError):
            (self.path / f"{link_id}{LINK}").unlink()
            self._sync()

    def links(self) -> Iterator[str]:
        """The ids of all that waits."""
        return self._named(LINK)

    def receipts(self) -> Iterator[Receipt]:
        """All receipts that can be read."""
        for link_id in self._named(RECEIPT):
            try:
                with (self.path / f"{link_id}{RECEIPT}").open("rb") as file:
                    found = read_receipt(file.read(RECEIPT_BYTES))
            except (OSError, InvalidInput):
                continue
            if found.id == link_id:
                yield found

    def open(self, link_id: str) -> tuple[BinaryIO, Waiting] | None:
        """A link's file, for the caller to close, and its head; None where there is none that can be read."""
        try:
            file = (self.path / f"{link_id}{LINK}").open("rb")
        except OSError:
            return None
        try:
            waiting = read_head(file)
        except (OSError, InvalidInput):
            file.close()
            return None
        if waiting.head.id != link_id:
            file.close()
            return None
        return file, waiting

    def put_receipt(self, receipt: Receipt) -> None:
        """Write what became of a link, over what was said before."""
        said = canonical_json({"format": FORMAT, **_fields(receipt)}) + b"\n"
        self.publish(self.write([said]), f"{receipt.id}{RECEIPT}")

    def forget_receipt(self, link_id: str) -> None:
        """Take a receipt away.

        Raises:
            StoreUnavailable: It cannot be done.
        """
        with self._cannot_be("changed"):
            (self.path / f"{link_id}{RECEIPT}").unlink(missing_ok=True)

    def sweep(self, now: datetime) -> None:
        """Take away what writers that died have left.

        Raises:
            StoreUnavailable: It cannot be done.
        """
        before = (now - UNFINISHED_FOR).timestamp()
        for each in self.path.glob(f".*{PART}"):
            with self._cannot_be("changed"), suppress(FileNotFoundError):
                if each.stat().st_mtime < before:
                    each.unlink()

    def _named(self, suffix: str) -> Iterator[str]:
        for each in sorted(self.path.glob(f"*{suffix}")):
            if ID.fullmatch(each.stem):
                yield each.stem

    @contextmanager
    def _cannot_be(self, done: str, hint: str | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"the outbox {self.path} cannot be {done}: {error.strerror}", hint=hint
            ) from error

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _fields(receipt: Receipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in Receipt.__slots__}


def read_receipt(text: bytes) -> Receipt:
    """A receipt.

    Raises:
        InvalidInput: It is none.
    """
    try:
        said = json.loads(text)
        if said.pop("format") != FORMAT:
            raise InvalidInput("this receipt has a format that is not known")
        for name in ("started_at", "ended_at"):
            said[name] = datetime.fromisoformat(said[name]).astimezone(UTC) if said[name] else None
        found = Receipt(**said)
        counts = (found.tried, found.wrong, found.starts)
        if not ID.fullmatch(found.id) or not all(type(each) is int for each in counts):
            raise InvalidInput("this is no receipt")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidInput("this is no receipt") from error
    return found
