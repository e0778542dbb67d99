"""Cut a part out of a compressed call: what it decodes to, as a WAV. Runs in the worker; see `cut`.

The samples have 16 bits, as they do in every telephone codec; what was recorded
without loss and wider (FLAC of 24 bits, PCM in another container than WAV)
keeps its width. Nothing but samples gets through.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from media.child import OnProgress
from media.errors import NotReleased
from media.excerpt.model import NothingThere, Span
from media.excerpt.sound import SoundPart, heard_track
from media.sound import edit
from media.sound.decoded import to_form
from media.sound.samples import FORMS, Bytes, Form
from media.sound.track import Track
from media.sound.wave import Wave, read_wave, wave_header

_BATCH = 65_536


def cut_call(
    source: Path, raw_format: str | None, span: Span, target: Path, report: OnProgress
) -> dict[str, Any]:
    """Write the samples of `span` to `target`, which is replaced.

    Raises:
        NothingThere: There are none.
        Unreadable: Something up to the end of the span is damaged.
    """
    with heard_track(source, raw_format=raw_format) as track:
        part = SoundPart(track, *span.later(track.zero_s))
        form = _form_of(track)
        total = 0

        def counted() -> Iterator[tuple[int, Bytes]]:
            nonlocal total
            for batch in _batches(part, form):
                yield total, batch
                total += len(batch)
                report(total, total + 1)

        batches = counted()
        first = next(batches, None)
        if first is None:
            raise NothingThere
        actual = replace(track, channels=first[1].shape[1])
        with target.open("wb") as file:
            edit.write_samples(file, _with_first(first, batches), actual, form)
    return {
        "samples": total,
        "rate": track.rate,
        "duration_us": total * 1_000_000 // track.rate,
        "notes": part.notes(),
    }


def check_call(
    source: Path, raw_format: str | None, span: Span, result: Path, report: OnProgress
) -> dict[str, Any]:
    """Read the WAV again, decode the source again, and compare them sample by sample.

    Raises:
        NotReleased: They differ in anything, or the file holds something else besides.
    """
    with heard_track(source, raw_format=raw_format) as track, result.open("rb") as file:
        size_bytes = result.stat().st_size
        wave = read_wave(file, size_bytes)
        form = _form_of(track)
        if wave is None or wave.format.form != form or wave.format.rate != track.rate:
            raise NotReleased("the part is not a WAV of the form that it should have")
        file.seek(0)
        if file.read(wave.offset_bytes) != wave_header(wave.format, wave.total):
            raise NotReleased("the header of the part holds something besides its form")
        part = SoundPart(track, *span.later(track.zero_s))
        seen = 0
        for expected in _batches(part, form):
            file.seek(wave.offset_bytes + seen * wave.format.frame_bytes)
            if file.read(expected.size) != expected.tobytes():
                raise NotReleased(f"the part is not the recording's sound after sample {seen}")
            seen += len(expected)
            report(seen, max(seen, wave.total))
        if seen != wave.total or size_bytes != _size_bytes(wave):
            raise NotReleased(f"the part holds {wave.total} samples where {seen} were to be")
    return {}


def _size_bytes(wave: Wave) -> int:
    data_bytes = wave.total * wave.format.frame_bytes
    return wave.offset_bytes + data_bytes + data_bytes % 2


def _form_of(track: Track) -> Form:
    return FORMS[edit.exact(edit.WAV, track).form]


def _with_first(first: tuple[int, Bytes], rest: Iterator[tuple[int, Bytes]]) -> Iterator[tuple[int, Bytes]]:
    yield first
    yield from rest


def _batches(part: SoundPart, form: Form) -> Iterator[Bytes]:
    """The samples as a file holds them: (samples, channels, width), some thousands at a time."""
    waiting: list[Bytes] = []
    for block in part.blocks():
        waiting.append(to_form(block.samples, form))
        if sum(map(len, waiting)) >= _BATCH:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
