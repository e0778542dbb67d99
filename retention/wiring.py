"""Picks the adapters that the settings name. Each is imported when it is picked: a command waits for every import."""

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import make_url

from retention.ingest.model import Inspector
from retention.kernel.clock import Clock, SystemClock
from retention.kernel.errors import InvalidInput, KeyServiceUnavailable, ToolFailed
from retention.vault.model import KeyService, ObjectStore

if TYPE_CHECKING:
    from retention.adapters.demo_media import Material
    from retention.adapters.keys_roots import RootProtector
    from retention.holds.drill import Player
    from retention.redaction.model import Silencer
    from retention.redaction.redactor import Redactor


def database_url(home: Path, url: str) -> str:
    """The database's address; a relative file lies in the store's folder."""
    found = make_url(url)
    if found.drivername.startswith("sqlite") and found.database and not Path(found.database).is_absolute():
        return str(found.set(database=str((home / found.database).absolute())))
    return found.render_as_string(hide_password=False)


def object_store(home: Path, url: str, clock: Clock, *, is_new: bool) -> ObjectStore:
    """Where sealed bytes live.

    Raises:
        InvalidInput: The setting names nothing that is known.
    """
    kind, _, rest = url.partition(":")
    if kind == "folder":
        from retention.adapters.store_folder import FolderStore

        return FolderStore.create(home / rest) if is_new else FolderStore(home / rest)
    if kind == "s3":
        return _s3_store(url, clock, is_new=is_new)
    raise InvalidInput(
        f"store_url {url!r} names no kind of store that is known", hint="Use folder:PATH or s3://BUCKET."
    )


def _s3_store(url: str, clock: Clock, *, is_new: bool) -> ObjectStore:
    from retention.adapters.s3_client import S3Settings
    from retention.adapters.store_s3 import S3Store

    parts = urlsplit(url)
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    prefix = parts.path.strip("/")
    settings = S3Settings(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint_url=said.pop("endpoint", None),
        region=said.pop("region", None),
        addressing_style=said.pop("addressing", "auto"),
        governance_days=_number(said.pop("governance_days", "")),
        bypass_governance=said.pop("bypass_governance", "no") == "yes",
    )
    if said or not settings.bucket:
        raise InvalidInput(
            f"store_url {url!r} is not understood: {', '.join(said) or 'it names no bucket'}",
            hint="Use s3://BUCKET/PREFIX?endpoint=URL&region=NAME&addressing=path&governance_days=N&bypass_governance=yes.",
        )
    return S3Store.create(settings, clock) if is_new else S3Store(settings, clock)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def key_service(path: Path, home: Path, root: str, *, is_new: bool) -> KeyService:
    """Where keys live.

    Raises:
        InvalidInput: The setting names no root that is known.
    """
    from retention.adapters.keys_keyring import Keyring

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    protector = _root(home, root)
    return Keyring.create(path, protector) if is_new else Keyring(path, protector)


def _root(home: Path, root: str) -> "RootProtector":
    kind, _, rest = root.partition(":")
    if kind == "file":
        from retention.adapters.keys_roots import FileRoot

        return FileRoot(home / rest)
    if kind == "passphrase-file":
        from retention.adapters.keys_roots import PassphraseRoot

        return PassphraseRoot(lambda: _passphrase(home / rest))
    if kind == "kms":
        from retention.adapters.keys_roots import KmsRoot, KmsSettings

        return KmsRoot(KmsSettings(rest))
    raise InvalidInput(
        f"key_root {root!r} names no kind of root that is known",
        hint="Use file:PATH, passphrase-file:PATH or kms:KEY_ID.",
    )


def _passphrase(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise KeyServiceUnavailable(
            f"the passphrase cannot be read from {path}: {error.strerror}",
            hint="Provide the file that key_root names.",
        ) from error


def inspector(timeout_s: float) -> Inspector:
    """What looks into files."""
    from retention.adapters.inspector_media import MediaInspector

    return MediaInspector(timeout_s)


def redactor(home: Path, model: str, language: str) -> "Redactor":
    """What searches recordings, and makes redacted copies."""
    from retention.adapters.redactor_calls import Speech
    from retention.adapters.redactor_media import MediaRedactor

    return MediaRedactor(Speech(home / model if model else None, language))


def player() -> "Player":
    """What decodes recordings to their end."""
    from retention.adapters.player_media import MediaPlayer

    return MediaPlayer()


def silencer() -> "Silencer":
    """What silences spans of sound."""
    from retention.adapters.silencer_media import MediaSilencer

    return MediaSilencer()


def demo_material(folder: Path, given: Path | None, progress: Callable[[int], None]) -> "Material":
    """Calls and footage for the demo: made here, or sorted out of the folder `given`.

    Raises:
        ToolFailed: The pictures that it is made of are not installed, as in a container.
    """
    if find_spec("skimage") is None:
        raise ToolFailed(
            "the pictures that the demo is made of are not installed", hint="`pip install scikit-image`"
        )
    from retention.adapters.demo_media import make_material, sort_material

    if given is not None:
        return sort_material(folder, given, progress)
    return make_material(folder, SystemClock().now(), progress)


def tool_versions() -> dict[str, str]:
    """The tools that work on pictures and sound, and their versions."""
    from retention.adapters.inspector_media import versions

    return versions()


def prove_store(store: ObjectStore, now: datetime) -> Iterator[tuple[bool, str]]:
    """Try put, range, erase, versions and locks on the store's own object store."""
    from retention.adapters.probe_store import prove

    for finding in prove(store, now):
        yield finding.ok, f"{finding.what}: {finding.detail}" if finding.detail else finding.what


def keys_in_escrow(escrow: bytes) -> frozenset[str]:
    """The ids of the keys that a copy says it holds.

    Raises:
        InvalidInput: It is no copy of a keyring.
    """
    from retention.adapters.keys_escrow import escrow_facts

    return escrow_facts(escrow).key_ids


def check_raw_format(text: str) -> None:
    """Refuse a source's raw sound format that nobody knows.

    Raises:
        InvalidInput: The message says which are known.
    """
    from retention.adapters.inspector_media import check_raw_format as check

    check(text)
