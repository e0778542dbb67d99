"""Cut a part out of a recording: exactly what lies in the span, and nothing of what lies before or after.

    cut(source, target, span)            -> the part under its name, if it is what was asked for
    cut_into(source, out, span, form)    -> the same into a file that the caller publishes

Uncompressed sound is copied sample by sample (`media.sound.excerpt`). Whatever
must be decoded is a stranger's file: one child process with bounded memory cuts,
and another one looks at what was written, beside the source. Only what passes
gets its name. Nothing of the source's container is carried over: tags,
chapters, subtitles, side tracks and what an encoder says of itself stay behind.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media.child import DEFAULT_MEMORY_BYTES, ask_child, path_text
from media.errors import Unreadable, UnsupportedCodec
from media.excerpt.model import Cut, Form, Span
from media.inspection import printable
from media.sound import excerpt as samples
from media.sound.splice import raw_wave
from media.sound.wave import read_wave
from media.video.render.render import settle, unfinished

Progress = Callable[[int, int], None]

_WORKER = "media.excerpt.worker"
_STALL_SECONDS = 1800.0  #: a day of footage is read to find the part, before the first picture is reported
_CUT = TypeAdapter(Cut)
_FOOTAGE_SUFFIX, _SOUND_SUFFIX = ".mp4", ".wav"


def cut(
    source: Path,
    target: Path,
    span: Span,
    *,
    raw_format: str | None = None,
    keeps_sound: bool = True,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Cut:
    """Write the part of `source` that lies in `span` to `target`.

    Args:
        source: Any recording; only read.
        target: Named .mp4 for footage and .wav for sound; uncompressed sound without a header stays without
            one, under any other name. Replaced if it exists.
        span: Which part.
        raw_format: What a headerless file is.
        keeps_sound: Whether footage keeps its sound.
        on_progress: Gets what is done and what there is to do, in any one unit, in another thread.
        is_cancelled: Asked about ten times a second.

    Raises:
        ValueError: The target has another suffix than what comes out, or is the source; or nothing of the
            recording lies in the span.
        Unreadable: The source is damaged, up to the end of the span.
        NotReleased: What was written is not that part. It is gone.
        ToolFailed: The disk is full, or a child process died.
        Cancelled: `is_cancelled` said so.
    """
    with unfinished(source, target) as draft:
        form = _form_for(source, target.suffix.lower(), raw_format)
        done = cut_into(
            source,
            draft,
            span,
            form,
            raw_format=raw_format,
            keeps_sound=keeps_sound,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )
        settle(draft, target)
    return done


def cut_into(
    source: Path,
    out: Path,
    span: Span,
    form: Form,
    *,
    raw_format: str | None = None,
    keeps_sound: bool = True,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Cut:
    """As `cut`, straight into `out`, which is empty, and which the caller publishes, or lets go whatever is raised.

    Args:
        source: Any recording; only read. It may be a file without a name.
        out: The same.
        span: Which part.
        form: What the part is to be.
        raw_format: As for `cut`.
        keeps_sound: As for `cut`.
        on_progress: As for `cut`.
        is_cancelled: As for `cut`.
    """
    if form is Form.SAMPLES:
        return _copied(source, out, span, raw_format)
    progress = on_progress or (lambda _done, _total: None)
    request = {
        "source": path_text(source),
        "target": path_text(out),
        "span": span.as_json(),
        "form": form.value,
        "raw_format": raw_format,
        "keeps_sound": keeps_sound,
    }

    def ask(*, is_check: bool) -> dict[str, Any]:
        return ask_child(
            _WORKER,
            {**request, "is_check": is_check},
            reads=[source, *([out] if is_check else [])],
            writes=[] if is_check else [out],
            stall_seconds=_STALL_SECONDS,
            memory_bytes=DEFAULT_MEMORY_BYTES,
            on_progress=lambda done, total: progress(done + is_check * total, 2 * total),
            is_cancelled=is_cancelled,
        )

    answer = ask(is_check=False)
    if answer.get("nothing"):
        raise ValueError(f"nothing of the recording lies from {span}")
    done = _CUT.validate_python({**answer, "form": form, "size_bytes": out.stat().st_size})
    ask(is_check=True)
    return _CUT.validate_python({**done.as_json(), "notes": [printable(note) for note in done.notes]})


def _form_for(source: Path, suffix: str, raw_format: str | None) -> Form:
    if suffix == _FOOTAGE_SUFFIX:
        return Form.MP4
    with source.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        raw = raw_wave(raw_format, size_bytes) if raw_format else None
        plain = None if raw_format else read_wave(file, size_bytes)
    if raw and suffix == _SOUND_SUFFIX:
        raise ValueError("a part of sound without a header has none either; do not name it .wav")
    if raw:
        return Form.SAMPLES
    if suffix != _SOUND_SUFFIX:
        raise ValueError("a part of footage is an MP4, and one of sound a WAV: name it .mp4 or .wav")
    return Form.SAMPLES if plain else Form.WAV


def _copied(source: Path, out: Path, span: Span, raw_format: str | None) -> Cut:
    try:
        with source.open("rb") as recorded, out.open("w+b") as file:
            found = samples.cut(recorded, file, span.start_s, span.end_s, raw_format)
            size_bytes = os.fstat(file.fileno()).st_size
    except UnsupportedCodec as error:
        raise Unreadable("this is no uncompressed sound") from error
    count = found.end_sample - found.start_sample
    return Cut(
        Form.SAMPLES,
        samples=count,
        rate=found.rate,
        duration_us=count * 1_000_000 // found.rate,
        size_bytes=size_bytes,
    )
