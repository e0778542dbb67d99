"""What can go wrong with pictures and sound, in words a person understands.

    MediaToolError
     ├ Unreadable           this file cannot be used; `reason` says why
     │  └ UnsupportedCodec  it is whole, but nobody here can decode it
     ├ ToolTimedOut         a tool did not finish in time
     ├ ToolFailed           a tool is missing, broken, or refused its work
     ├ Cancelled            somebody asked to stop
     └ NotReleased          a redacted copy did not pass its check, and is gone

An `Unreadable` is a fact about the file and will be the same tomorrow. The
next three are facts about the machine or the moment; the last one is a fact
about work that has to be done again.
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


class ToolTimedOut(MediaToolError):
    """A tool was stopped because it did not finish in time."""


class ToolFailed(MediaToolError):
    """A tool could not be started, or ended with an error."""


class Cancelled(MediaToolError):
    """The work was stopped because somebody asked for it; nothing is left of it."""


class NotReleased(MediaToolError):
    """A finished copy shows, or may show, what it should hide. It was not kept.

    Attributes:
        findings: What was found, one sentence each.
    """

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__(
            f"nothing is released: {findings[0]}" + (f" (and {len(findings) - 1} more)" * (len(findings) > 1))
        )
        self.findings = findings
