"""What can go wrong with pictures and sound, in words a person understands.

    MediaToolError
     ├ Unreadable           this file cannot be used; `reason` says why
     │  └ UnsupportedCodec  it is whole, but nobody here can decode it
     ├ ToolTimedOut         a tool did not finish in time
     ├ ToolFailed           a tool is missing, broken, or refused its work
     │  ├ ModelMissing      the weights of a detector have not been fetched
     │  └ ExtraMissing      an optional part of the installation is not there
     ├ Cancelled            somebody asked to stop
     ├ Undecided            a person still has to decide about some of what was found
     └ NotReleased          a redacted copy did not pass its check, and is gone

An `Unreadable` is a fact about the file and will be the same tomorrow.
`ToolTimedOut` and `ToolFailed` are facts about the machine or the moment.
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


class ModelMissing(ToolFailed):
    """The weights of a detector are not on this machine."""


class ExtraMissing(ToolFailed):
    """What was asked for needs an optional part that is not installed.

    Attributes:
        remedy: The command that installs it.
    """

    def __init__(self, doing: str, extra: str) -> None:
        self.remedy = f"pip install 'retention[{extra}]'"
        super().__init__(f"{doing} needs the optional extra {extra}, which is not installed: {self.remedy}")


class Cancelled(MediaToolError):
    """The work was cancelled; what is finished is kept, and running it again goes on from there."""


class Undecided(MediaToolError):
    """Something that was found has not been decided, so nothing may be rendered.

    Attributes:
        open_points: What is undecided, one sentence each.
    """

    def __init__(self, open_points: tuple[str, ...]) -> None:
        super().__init__("not everything is decided:" + "".join(f"\n  {point}" for point in open_points))
        self.open_points = open_points


class NotReleased(MediaToolError):
    """A finished copy shows or sounds, or may, what it should hide, or is not what was asked for. It was not kept.

    Attributes:
        findings: What was found, one sentence each.
    """

    def __init__(self, found: str | tuple[str, ...]) -> None:
        findings = (found,) if isinstance(found, str) else found
        super().__init__(
            f"nothing is released: {findings[0]}" + (f" (and {len(findings) - 1} more)" * (len(findings) > 1))
        )
        self.findings = findings
