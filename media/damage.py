"""What a person is told of damage: where it is, what happened, in words, and what to do next.

FFmpeg speaks of itself: an error number, the name of a function, a name that it
gave to the file. None of that helps whoever holds the recording.
"""

import av

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


def damaged_frame(number: int, why: str) -> str:
    """A frame of the source that cannot be decoded; `number` counts from 0."""
    return (
        f"frame {number} cannot be decoded whole ({why}); get another copy of the recording, "
        "or take the part before that frame"
    )


def damaged_packet(number: int, why: str) -> str:
    """A packet of the picture, before anything of it is decoded."""
    return (
        f"the file breaks at packet {number} of the picture ({why}); "
        "get another copy of it, or cut it before that place"
    )
