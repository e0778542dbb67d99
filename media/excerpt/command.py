"""`python -m media excerpt`: a part of a recording, from the command line."""

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from media.excerpt.cut import cut
from media.excerpt.model import Cut, Form, Span
from media.raw_format import RAW_FORMAT_HELP

_IN_WORDS = {
    Form.SAMPLES: "its own samples",
    Form.WAV: "the samples that it decodes to",
    Form.MP4: "H.264",
}


def add_excerpt(commands: Any) -> None:
    """Add the command to the toolbox's parser."""
    parser = commands.add_parser("excerpt", help="write a part of a recording, and nothing of the rest")
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path, help=".mp4 for footage, .wav for sound")
    parser.add_argument("--from", dest="start", required=True, metavar="SECONDS", help="as a decimal")
    parser.add_argument("--until", dest="end", required=True, metavar="SECONDS", help="exclusive")
    parser.add_argument("--raw-format", help=f"what a headerless file is: {RAW_FORMAT_HELP}")
    parser.add_argument("--drop-audio", action="store_true", help="leave the sound of footage out")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.set_defaults(command=_excerpt)


def _excerpt(options: argparse.Namespace) -> int:
    span = Span(_seconds(options.start), _seconds(options.end))
    done = cut(
        options.file,
        options.out,
        span,
        raw_format=options.raw_format,
        keeps_sound=not options.drop_audio,
    )
    sys.stdout.write((json.dumps(done.as_json()) if options.json else _as_text(options.out, done)) + "\n")
    return 0


def _seconds(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"not seconds: {text!r}; write a decimal, as in 12.5") from error


def _as_text(out: Path, done: Cut) -> str:
    what = (
        f"{done.frames} frames, {done.copied_frames} of them copied; {done.sound_tracks} sound tracks"
        if done.form is Form.MP4
        else f"{done.samples} samples a channel at {done.rate} Hz"
    )
    head = f"{out}: {done.duration_us / 1_000_000:.3f} s, {_IN_WORDS[done.form]}: {what}"
    return "\n".join([head, *(f"  note: {note}" for note in done.notes)])
