"""One frozen `Settings`, from defaults, then the store's file, then the environment.

The file is `settings.toml` in the store's home; a variable is `RETENTION_` and
the setting's name in capitals. Unknown keys are refused. Secrets are never
settings: a setting names the file that holds one.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retention.kernel.errors import InvalidInput

FILE_NAME = "settings.toml"
#: Variables that share the prefix and are no settings.
NOT_SETTINGS = frozenset({"RETENTION_HOME", "RETENTION_AS", "RETENTION_SHARED_DATA"})

Fraction = Annotated[float, Field(gt=0, le=1)]


class Settings(BaseModel):
    """What an operator may choose. Relative paths are relative to the store's home."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///catalogue.db",
        description="Where the catalogue lives: sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.",
    )
    store_url: str = Field(
        "folder:vault",
        description="Where sealed bytes live: folder:PATH or s3://BUCKET/PREFIX?endpoint=URL&region=NAME.",
    )
    keyring: str = Field(
        "keys/keyring", description="The keyring's file. Never back it up with the catalogue."
    )
    key_root: str = Field(
        "file:keys/root.key",
        description="What protects the keyring: file:PATH, passphrase-file:PATH or kms:KEY_ID.",
    )
    witness: str = Field(
        "witness",
        description="A folder, best on another disk, that keeps the audit trail's heads and the journal of holds and disposals.",
    )
    night_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        "02:00", description="When the nightly disposal starts, in the controller's time zone."
    )
    guard_class_fraction: Fraction = Field(
        0.5, description="A night that would dispose of more than this share of one class trips."
    )
    guard_overall_fraction: Fraction = Field(
        0.25, description="A night that would dispose of more than this share of the archive trips."
    )
    guard_from_recordings: int = Field(
        500,
        ge=1,
        description="The share guards watch from this many due recordings; below it shares mean little.",
    )
    guard_size_bytes: int = Field(
        20_000_000_000_000, ge=1, description="A night that would dispose of more bytes than this trips."
    )
    guard_clock_forward_days: int = Field(
        45, ge=1, description="A clock this many days ahead of the last activity trips: it may be wrong."
    )
    guard_backup_age_days: int = Field(
        7,
        ge=0,
        description="Once backups are made, a night trips when the last is older than this. 0 switches the guard off.",
    )
    outbox: str = Field(
        "outbox",
        description="A folder in which answers wait, encrypted, for `retention disclosure serve`; best on the machine that serves them.",
    )
    link_base_url: str = Field(
        "",
        description="What links to answers begin with: https://HOST, where `retention disclosure serve` is reached.",
    )
    link_days: int = Field(14, ge=1, le=30, description="For how many days a link to an answer lives.")
    inspect_timeout_s: float = Field(
        60.0, gt=0, description="The longest a file may take to be inspected, in seconds."
    )
    drill_recordings: int = Field(
        10,
        ge=0,
        description="How many held recordings a night drills: opens, and decodes to their end. 0: none.",
    )
    drill_timeout_s: float = Field(
        900.0, gt=0, description="The longest that decoding one recording may take in a drill, in seconds."
    )
    speech_model: str = Field(
        "",
        description="A folder with a Whisper model for CTranslate2 of your own, to hear spoken words in calls with; empty: the one of the extra `speech`.",
    )
    speech_language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = Field(
        "", description="What is spoken in calls: en, ja. Empty: found out for each stretch."
    )
    stable_s: float = Field(
        5.0,
        ge=0,
        description="How long a file in a watched folder must not change before it is taken in, in seconds.",
    )


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings in force, and where each came from."""

    settings: Settings
    origins: Mapping[str, str]  #: setting name → "default", the file's path, or the variable's name


def load_settings(home: Path, environ: Mapping[str, str] | None = None) -> Effective:
    """The settings of the store in `home`.

    Raises:
        InvalidInput: A key is unknown, or a value is not possible.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    file = home / FILE_NAME
    if file.exists():
        try:
            found = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{file} is not valid TOML: {error}", hint="Correct the file.") from error
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error
        values |= found
        origins |= dict.fromkeys(found, str(file))
    for variable, value in environ.items():
        if variable.startswith("RETENTION_") and variable not in NOT_SETTINGS:
            name = variable.removeprefix("RETENTION_").lower()
            values[name] = value
            origins[name] = variable
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InvalidInput(
            f"setting {name!r} (from {origins.get(name, 'unknown')}): "
            + ("there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]),
            hint="`retention settings` lists every setting with its meaning.",
        ) from error
    return Effective(settings, {name: origins[name] for name in Settings.model_fields})
