"""Render: a copy of a video in which every mask is painted over and nothing else is told.

The work is done by a child process with bounded memory, as the source is a
stranger's file. The output grows under a name of its own and gets its final one
only when it is complete, read back and on the disk. Whatever happens before
that, nothing is there under the final name.

This does not look for people: a frame without a mask comes out as it was. See
`media.video.verify` for the second look.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from media import files
from media.child import DEFAULT_MEMORY_BYTES, ask_child, path_text
from media.errors import Unreadable
from media.files import draft_of, trouble_in_words
from media.inspection import printable
from media.video.mask_table import table_of
from media.video.masks import MaskPlan, Style
from media.video.render.model import QP_WORST, Audio, FrameRange, RenderResult, ReplaceAudio, Smart

STALL_SECONDS = 300.0  #: without one more picture; a disk may be slow, an encoder is not
_WORKER = "media.video.render.worker"
_PROMISED_GROWTH = 1.1
_SMALL_BYTES = 64 * 1024  #: below it a container's own tables outweigh the pictures
_RESULT = TypeAdapter(RenderResult)


def render(
    source: Path,
    plan: MaskPlan,
    target: Path,
    *,
    audio: Audio | ReplaceAudio = Audio.KEEP,
    smart: Smart = Smart.AUTO,
    looked_at: Sequence[FrameRange] = (),
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    on_progress: Callable[[int, int], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> RenderResult:
    """Write `source` with the masks of `plan` to `target`, an MP4 with H.264 in it.

    Args:
        source: A recording with a moving picture. It is only read.
        plan: What is painted over. Frames count as PyAV decodes them.
        target: Replaced if it exists.
        audio: Whether its sound is kept, dropped or replaced by redacted sound.
        smart: Whether stretches without a mask may be copied.
        looked_at: Frames of which the caller asserts that a detector and the motion net saw every one.
            Without them nothing is ever copied.
        memory_bytes: Address space of the child process.
        on_progress: Gets frames done and frames in all, about four times a second, in another thread.
        is_cancelled: Asked about ten times a second.

    Raises:
        Unreadable: The source, or the sound that should replace its own, cannot be used as a whole. The
            reason names the frame and what to do.
        ToolFailed: The disk is full, the child process died, or the output did not come out whole.
        Cancelled: `is_cancelled` said so.
        ValueError: The plan is not one, or the target is the source.
    """
    with unfinished(source, target) as part:
        result = _render_to(
            source, plan, part, audio, smart, looked_at, memory_bytes, on_progress, is_cancelled
        )
        settle(part, target)
    return result


@contextmanager
def unfinished(source: Path, target: Path) -> Iterator[Path]:
    """A name beside `target` to write to; whatever is left under it in the end is removed.

    Raises:
        Unreadable: The source is not there.
        ToolFailed: Nothing can be written beside the target.
        ValueError: They are the same file.
    """
    if not source.is_file():
        raise Unreadable("the file is not there")
    if target.exists() and target.samefile(source):
        raise ValueError("the output would replace its own source; give it another name")
    with ExitStack() as stack:
        with trouble_in_words(target):
            part = stack.enter_context(draft_of(target))
        yield part


def check_target(source: Path, target: Path) -> None:
    """Refuse a target that nothing can be written to, before hours of work are done for it.

    Raises:
        Unreadable, ToolFailed, ValueError: As `unfinished`.
    """
    with unfinished(source, target):
        pass


def settle(part: Path, target: Path) -> None:
    """Give a finished file its final name, once it is on the disk.

    Raises:
        ToolFailed: The disk does not take it.
    """
    with trouble_in_words(target):
        files.settle(part, target)


def _render_to(
    source: Path,
    plan: MaskPlan,
    part: Path,
    audio: Audio | ReplaceAudio,
    smart: Smart,
    looked_at: Sequence[FrameRange],
    memory_bytes: int,
    on_progress: Callable[[int, int], None] | None,
    is_cancelled: Callable[[], bool] | None,
) -> RenderResult:
    table = table_of(plan)
    request = {
        "source": path_text(source),
        "target": path_text(part),
        "sound": _sound_file(source, audio),
        "smart": smart.value,
        "looked_at": [[part.first, part.end] for part in looked_at],
    }
    answer = ask_child(
        _WORKER,
        request,
        bulk=table.pack(),
        reads=[source, *([audio.path] if isinstance(audio, ReplaceAudio) else [])],
        writes=[part],
        stall_seconds=STALL_SECONDS,
        memory_bytes=memory_bytes,
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )
    sizes = {"size_bytes": part.stat().st_size, "source_bytes": source.stat().st_size}
    result = _RESULT.validate_python({**answer, **sizes})
    notes = (*(printable(note) for note in result.notes), *_notes(result, table.styles()))
    return _RESULT.validate_python({**answer, **sizes, "notes": notes})


def _sound_file(source: Path, audio: Audio | ReplaceAudio) -> str | None:
    if audio is Audio.DROP:
        return None
    path = audio.path if isinstance(audio, ReplaceAudio) else source
    if not path.is_file():
        raise Unreadable("the sound that should take its place is not there")
    return path_text(path)


def _notes(result: RenderResult, styles: frozenset[Style]) -> list[str]:
    notes = []
    if Style.MOSAIC in styles:
        notes.append(
            "Some masks are a mosaic, which is weaker than a fill: a person may be recognised by it."
        )
    limit = result.source_video_bytes * _PROMISED_GROWTH + _SMALL_BYTES
    if result.video_bytes > limit:
        notes.append(
            f"The picture takes {result.video_bytes / result.source_video_bytes:.2f} times the source's bytes: "
            f"with fewer it would have become too coarse (quantiser {QP_WORST})."
        )
    return notes
