"""`python -m media render`, `verify` and `picture`: redaction from the command line, with masks from a file."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from media.note import LANGUAGES
from media.page import as_html, as_text, language_of
from media.picture.redact import redact_picture
from media.video.plan_file import read_plan
from media.video.release import release
from media.video.render.model import Audio, FrameRange, ReplaceAudio, Smart
from media.video.verify.model import VerifyReport
from media.video.verify.report import page_of
from media.video.verify.verify import to_json, verify


def add_commands(commands: Any) -> None:
    """Add them to the toolbox's parser."""
    _add_render(commands)
    _add_verify(commands)
    picture = commands.add_parser("picture", help="paint over a JPEG or PNG, and strip it")
    _add_files(picture, "picture")
    picture.set_defaults(command=_picture)


def _add_render(commands: Any) -> None:
    render = commands.add_parser("render", help="paint over a video, look again, and only then keep it")
    _add_files(render, "video")
    sound = render.add_mutually_exclusive_group()
    sound.add_argument("--drop-audio", action="store_true", help="leave the sound out")
    sound.add_argument("--replace-audio", type=Path, metavar="FILE", help="take redacted sound instead")
    render.add_argument(
        "--looked-at",
        action="append",
        default=[],
        metavar="FIRST-END",
        help="frames that a detector and the motion net saw, every one: stretches among them without a mask are copied",
    )
    _add_report(render)
    render.set_defaults(command=_render)


def _add_verify(commands: Any) -> None:
    check = commands.add_parser("verify", help="look at a finished copy again, beside its source")
    _add_files(check, "video")
    check.add_argument("--no-sound", action="store_true", help="the copy should have no sound")
    check.add_argument(
        "--sound", type=Path, metavar="FILE", help="the copy should have the sound of this file"
    )
    _add_report(check)
    check.set_defaults(command=_verify)


def _add_files(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("source", type=Path, help=f"the {what}; it is only read")
    parser.add_argument("out", type=Path, help="the redacted copy")
    parser.add_argument("--masks", type=Path, required=True, metavar="JSON", help="a mask plan, mask-plan/1")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the report; .json, .html, else text"
    )
    parser.add_argument("--language", choices=LANGUAGES, default=language_of(), help="of the report")


def _render(options: argparse.Namespace) -> int:
    audio: Audio | ReplaceAudio = Audio.DROP if options.drop_audio else Audio.KEEP
    if options.replace_audio:
        audio = ReplaceAudio(options.replace_audio)
    done = release(
        options.source,
        read_plan(options.masks),
        options.out,
        second_look=None,
        audio=audio,
        smart=Smart.AUTO,
        looked_at=[_range(text) for text in options.looked_at],
        on_report=lambda report: _write_report(report, options),
        on_progress=_Meter(),
    )
    result = done.rendered
    print(
        f"{options.out}: {result.frames} frames, {result.masked_frames} of them painted, "
        f"{result.copied_frames} copied; {result.size_bytes} bytes of {result.source_bytes}"
    )
    for note in result.notes:
        print(f"  note: {note}")
    if options.report is None:
        print(as_text(page_of(done.verified, options.language)), end="")
    return 0


def _verify(options: argparse.Namespace) -> int:
    sound = None if options.no_sound else options.sound or options.source
    report = verify(options.source, options.out, read_plan(options.masks), sound=sound, on_progress=_Meter())
    _write_report(report, options)
    if options.report is None:
        print(as_text(page_of(report, options.language)), end="")
    return 0 if report.is_clean else 1


def _picture(options: argparse.Namespace) -> int:
    done = redact_picture(options.source, read_plan(options.masks).at(0), options.out)
    print(f"{options.out}: {done.width} x {done.height}, {done.masks} painted, {done.size_bytes} bytes")
    return 0


def _range(text: str) -> FrameRange:
    first, _, end = text.partition("-")
    if not (first.isdecimal() and end.isdecimal()):
        raise ValueError(f"not a range of frames: {text!r}; write FIRST-END")
    return FrameRange(int(first), int(end))


def _write_report(report: VerifyReport, options: argparse.Namespace) -> None:
    if options.report is None:
        return
    if options.report.suffix == ".json":
        options.report.write_bytes(to_json(report))
    elif options.report.suffix == ".html":
        options.report.write_text(as_html(page_of(report, options.language)), encoding="utf-8")
    else:
        options.report.write_text(as_text(page_of(report, options.language)), encoding="utf-8")


class _Meter:
    """How far it is, and how long it still takes; on a terminal only."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if not sys.stderr.isatty() or not done:
            return
        left_s = (time.monotonic() - self._began) * (total - done) / done
        end = "\n" if done >= total else ""
        print(f"\r{100 * done // total:3d} %, {left_s:.0f} s left ", end=end, file=sys.stderr, flush=True)
