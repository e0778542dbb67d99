"""What can go wrong with pictures and sound, in words a person understands.

    MediaToolError
     ├ Unreadable           this file cannot be used; `reason` says why
     │  └ UnsupportedCodec  it is whole, but nobody here can decode it
     ├ RedactionFailed      what was written is not what was asked for; it was thrown away
     ├ ToolTimedOut         a tool did not finish in time
     └ ToolFailed           a tool is missing, broken, or refused its work

An `Unreadable` is a fact about the file and will be the same tomorrow, a
`RedactionFailed` one about this program. The last two are facts about the
machine or the moment.
"""


class MediaToolError(Exception):
    """Something went wrong while working on pictures or sound."""


class Unreadable(MediaToolError):
    """The file cannot be used as a recording.

    Attributes:
        reason: One clause without a full stop, such as "the file is empty".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnsupportedCodec(Unreadable):
    """The file is encoded in a way that this build of FFmpeg cannot decode."""


class RedactionFailed(MediaToolError):
    """What was written does not hide what it had to hide. Nothing is left of it."""


class ToolTimedOut(MediaToolError):
    """A tool was stopped because it did not finish in time."""


class ToolFailed(MediaToolError):
    """A tool could not be started, or ended with an error."""
