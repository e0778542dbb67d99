"""What the toolbox `media` says went wrong, in the service's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from media import errors as media
from retention.kernel.errors import (
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
    except media.ToolTimedOut as error:
        raise ToolTimedOut(f"{doing}: {error}") from error
    except (media.MediaToolError, OSError) as error:
        raise ToolFailed(f"{doing}: {error}") from error
    except ValueError as error:
        raise InvalidInput(str(error)) from error
