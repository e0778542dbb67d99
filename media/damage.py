"""What a person is told of damage: where it is, what happened, in words, and what to do next.

FFmpeg speaks of itself: an error number, the name of a function, a name that it
gave to the file. None of that helps whoever holds the recording.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import av

from media.errors import Unreadable

#: FFmpeg's sentence → ours, as a clause.
_WORDS = {
    "Invalid data found when processing input": "its data are damaged",
    "End of file": "the file ends in it",
    "Input/output error": "the disk does not give it",
    "Cannot allocate memory": "there is not enough memory for it",
}


def in_words(error: BaseException) -> str:
    """What an error says happened, as a clause without numbers or names of functions."""
    if not isinstance(error, av.FFmpegError):
        return str(error).strip().rstrip(".") or "its data are damaged"
    said = error.strerror or "its data are damaged"
    return _WORDS.get(said, said[:1].lower() + said[1:])


@contextmanager
def decoding(told: Callable[[str], str]) -> Iterator[None]:
    """What a decoder raises is damage of the file, of which `told` makes a sentence with the reason.

    Raises:
        Unreadable: The decoder failed.
        MemoryError: It had no room for a thread, or for a picture.
    """
    try:
        yield
    except (av.error.BlockingIOError, av.error.MemoryError) as error:
        raise MemoryError from error
    except av.FFmpegError as error:
        raise Unreadable(told(in_words(error))) from error


def damaged_frame(number: int, why: str, at_s: float | None = None) -> str:
    """A frame of the source that cannot be decoded.

    Args:
        number: Counted from 0.
        why: A clause, as `in_words` gives it.
        at_s: When it would be shown, in seconds from the first frame, where that is known.
    """
    until = "SECONDS" if at_s is None else f"{at_s:.2f}"
    place = "" if at_s is None else f", {until} s from the beginning,"
    return (
        f"frame {number}{place} cannot be decoded whole ({why}); get another copy of the recording, "
        f"or take the part before that frame: `python -m media excerpt IN OUT --from 0 --until {until}`"
    )


def damaged_packet(number: int, why: str) -> str:
    """A packet of the picture, before anything of it is decoded."""
    return (
        f"the file breaks at packet {number} of the picture ({why}); "
        "get another copy of it, or take the part before that place: `python -m media excerpt`"
    )


def encrypted(what: str) -> str:
    """Pictures or sound of which there is no key here."""
    return f"the {what} is encrypted; have the recorder export it without encryption"
