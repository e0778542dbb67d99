"""Errors say whose fault it is, what happened, to what, and what to do next.

    RetentionError
     ├ RequestError      the caller can fix it       exit 10-19
     │  ├ InvalidInput        11
     │  ├ NotFound            12
     │  ├ NotPermitted        13
     │  ├ IllegalTransition   14
     │  ├ HoldInForce         15
     │  ├ StaleApproval       16
     │  ├ GuardTripped        17
     │  ├ KeyDestroyed        18
     │  └ ObjectExists        19
     ├ DependencyError   try again later             exit 20-29
     │  ├ StoreUnavailable    21
     │  ├ KeyServiceUnavailable 22
     │  ├ DatabaseBusy        23
     │  ├ ToolTimedOut        24
     │  └ ToolFailed          25
     ├ IntegrityError    stop, tell a person         exit 30-39
     │  ├ FixityMismatch      31
     │  ├ KeyMissing          32
     │  ├ AuditChainBroken    33
     │  └ CatalogueDisagrees  34
     └ MediaError        this recording cannot be used  exit 40-49
        ├ Unreadable          41
        ├ UnsupportedCodec    42
        └ NotReleased         43

Only a DependencyError is worth retrying. The docstring of a class is its
default message. Exit codes are part of the command line's contract.
"""

import re
from typing import ClassVar


class RetentionError(Exception):
    """Something went wrong in Retention."""

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.hint = self.default_hint if hint is None else hint

    @property
    def message(self) -> str:
        """What happened, and to what."""
        return str(self.args[0])

    @property
    def code(self) -> str:
        """A stable word for machines: the class's name in kebab case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class RequestError(RetentionError):
    """The request cannot be carried out as it stands."""

    exit_code = 10


class InvalidInput(RequestError):
    """The input is not valid."""

    exit_code = 11


class NotFound(RequestError):
    """There is no such thing here."""

    exit_code = 12


class NotPermitted(RequestError):
    """This is not permitted."""

    exit_code = 13


class IllegalTransition(RequestError):
    """This is not possible in the present state."""

    exit_code = 14


class HoldInForce(RequestError):
    """A hold is in force."""

    exit_code = 15
    default_hint = "See `retention hold list`. A hold ends when its owner lifts it."


class StaleApproval(RequestError):
    """What was approved is no longer what would be done."""

    exit_code = 16
    default_hint = "Make the plan again and have it approved again."


class GuardTripped(RequestError):
    """A guard of the nightly disposal has tripped; nothing was disposed of."""

    exit_code = 17
    default_hint = "Look at the reason; two people may reset it with `retention disposal reset RUN`."


class KeyDestroyed(RequestError):
    """The key was destroyed on purpose: nobody can read this any more."""

    exit_code = 18


class ObjectExists(RequestError):
    """The vault already holds an object of this name."""

    exit_code = 19
    default_hint = "What is sealed is never replaced. Seal it as a new recording."


class DependencyError(RetentionError):
    """Something we depend on did not answer."""

    exit_code = 20
    default_hint = "Try again in a while; nothing was lost."


class StoreUnavailable(DependencyError):
    """The object store did not answer."""

    exit_code = 21


class KeyServiceUnavailable(DependencyError):
    """The key service did not answer."""

    exit_code = 22


class DatabaseBusy(DependencyError):
    """The database is busy."""

    exit_code = 23


class ToolTimedOut(DependencyError):
    """A tool did not finish in time."""

    exit_code = 24


class ToolFailed(DependencyError):
    """A tool did not do its work."""

    exit_code = 25
    default_hint = "Nothing was kept. `retention doctor` looks at the tools; then try again."


class IntegrityError(RetentionError):
    """What is stored is not what was recorded."""

    exit_code = 30
    default_hint = (
        "Stop and tell a person. Do not repair by hand: run `retention check --level digest` first."
    )


class FixityMismatch(IntegrityError):
    """The stored bytes are not the bytes that were sealed."""

    exit_code = 31


class KeyMissing(IntegrityError):
    """A key is missing that should be there."""

    exit_code = 32


class AuditChainBroken(IntegrityError):
    """The audit trail was changed."""

    exit_code = 33


class CatalogueDisagrees(IntegrityError):
    """The catalogue and the vault disagree."""

    exit_code = 34


class MediaError(RetentionError):
    """This recording cannot be used."""

    exit_code = 40


class Unreadable(MediaError):
    """The recording cannot be read."""

    exit_code = 41


class UnsupportedCodec(MediaError):
    """The recording's encoding is not supported."""

    exit_code = 42


class NotReleased(MediaError):
    """A redacted copy did not pass its check."""

    exit_code = 43
    default_hint = "No copy was kept. Decide about what was found, then run it again."
