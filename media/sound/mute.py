"""Write a copy of a recording in which some stretches are not heard.

The recording is a stranger's, so a child process decodes and writes (`muting`
says how); only samples that lie in the open are replaced here (`splice`), as
that decodes nothing. The result appears under its name only when it is whole,
on the disk, and has been read again and found silent; until then it has a name
of its own beside it, and whatever goes wrong removes it. Tags, side tracks and
anything else that is not sound or moving picture do not get through.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media.child import path_text, what_the_disk_said
from media.errors import ToolFailed, Unreadable
from media.files import draft_of, settle, trouble_in_words
from media.job import do, ignore, parsed
from media.sound.report import SCHEMA, Redacted, Request, as_json
from media.sound.spans import Mute
from media.sound.splice import write_spliced

__all__ = ["Report", "Request", "mute", "mute_into", "mute_tracks"]

Progress = Callable[[int, int], None]

_WORKER = "media.sound.mute_worker"
_TRACKS = TypeAdapter(tuple[Redacted, ...])


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked for, and what was done on each sound track."""

    request: Request
    tracks: tuple[Redacted, ...]

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`. It names no file: names may be personal data."""
        asked = [
            {"start_s": float(one.start_s), "end_s": float(one.end_s), "channel": one.channel}
            for one in self.request.mutes
        ]
        return {"schema": SCHEMA, "asked": asked, "tracks": [as_json(one) for one in self.tracks]}


def mute(source: Path, out: Path, request: Request, progress: Progress = ignore) -> Report:
    """Write a muted copy of a call, or of footage whose picture stays as it is.

    Args:
        source: Any recording; only read.
        out: Its suffix says what is written. Replaced if it exists.
        request: At least one mute.
        progress: Called with what is done and what there is to do, in any one unit. What it raises ends the
            work, and nothing is left behind.

    Returns:
        What was done.

    Raises:
        Unreadable: The source cannot be used, with the reason.
        NotReleased: What was written was not silent. It is gone.
        ValueError: A mute lies outside the recording, or the result cannot be of that kind.
        ToolFailed: The disk is full, the folder cannot be written to, or the child process died.
    """
    if not request.mutes:
        raise ValueError("say what to mute: there is no span")
    if out.exists() and out.samefile(source):
        raise ValueError(f"{out} is the recording itself; a redaction is always a copy")
    with _published(out) as draft:
        return mute_into(source, draft, out.suffix, request, progress)


def mute_into(source: Path, out: Path, suffix: str, request: Request, progress: Progress = ignore) -> Report:
    """As `mute`, straight into `out`, which the caller publishes, or lets go whatever is raised.

    Without a mute, it is a copy of the sound and of nothing else.

    Args:
        source: Any recording; only read.
        out: A file that is there, and may be one without a name.
        suffix: Says what is written.
        request: At least one mute.
        progress: As for `mute`.
    """
    _see(source)
    try:
        spliced = write_spliced(source, out, suffix, request, progress)
    except OSError as error:
        raise ToolFailed(what_the_disk_said(error)) from error
    if spliced:
        return Report(request, (spliced,))
    asked = {
        "suffix": suffix,
        "style": request.style.value,
        "raw_format": request.raw_format,
        "mutes": [_as_row(one) for one in request.mutes],
    }
    return Report(request, _ask(source, out, asked, progress))


def mute_tracks(
    source: Path, out: Path, mutes: Mapping[int, Sequence[Mute]], progress: Progress = ignore
) -> Report:
    """As `mute`, for footage whose sound tracks are muted in different places, by index of the track."""
    _see(source)
    asked = tuple(one for track in mutes.values() for one in track)
    with _published(out) as draft:
        rows = {str(track): [_as_row(one) for one in each] for track, each in mutes.items()}
        done = _ask(source, draft, {"suffix": out.suffix, "tracks": rows}, progress)
        return Report(Request(asked), done)


def _see(source: Path) -> None:
    if not source.is_file():
        raise Unreadable("the file cannot be opened: there is no such file")


def _ask(source: Path, out: Path, asked: dict[str, Any], progress: Progress) -> tuple[Redacted, ...]:
    request = {"source": path_text(source), "out": path_text(out), **asked}
    answer = do(_WORKER, request, reads=[source], writes=[out], unit="sample", progress=progress)
    return parsed(_TRACKS, answer.get("tracks"))


def _as_row(mute: Mute) -> list[Any]:
    return [str(mute.start_s), str(mute.end_s), mute.channel]


@contextmanager
def _published(out: Path) -> Iterator[Path]:
    """A draft beside `out` that gets its name when the block ends well."""
    with trouble_in_words(out), draft_of(out, out.suffix) as draft:
        yield draft
        settle(draft, out)
