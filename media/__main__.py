"""The toolbox from the command line: `python -m media inspect FILE`, and material for trying things.

Exit codes: 0 done, 1 the file or a tool is at fault (one line on standard error), 2 wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from media.errors import MediaToolError, Unreadable
from media.excerpt.command import add_excerpt
from media.inspection import Inspection, to_json
from media.models_command import add_models
from media.probe import DEFAULT_TIMEOUT_SECONDS, Inspector
from media.raw_format import RAW_FORMAT_HELP
from media.sound.commands import add_commands as add_sound_commands
from media.synthesise.call import SIDES, Codec, Language, make_call
from media.synthesise.footage import Person, make_footage
from media.synthesise.scene import SCENES
from media.tools import find_ffmpeg
from media.video.commands import add_commands
from media.video.propose_command import add_propose

SAMPLE_LINES = (
    "agent:ja:おでんわ ありがとうございます。サンプルしょうじの さとうで ございます。",
    "caller:ja:もしもし、ちゅうもんの ことで おききしたいのですが。",
    "agent:ja:かしこまりました。ちゅうもんばんごうを ダイヤルボタンで おねがいします。",
    "caller:dtmf:48213#",
    "agent:ja:ありがとうございます。あした おとどけする よていです。",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (MediaToolError, ValueError, OSError) as error:
        print(f"media: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_inspect(commands)
    _add_make_call(commands)
    _add_make_footage(commands)
    add_propose(commands)
    add_models(commands)
    add_commands(commands)
    add_sound_commands(commands)
    add_excerpt(commands)
    tools = commands.add_parser("tools", help="say which ffmpeg is used")
    tools.set_defaults(command=_tools)
    return parser


def _add_inspect(commands: Any) -> None:
    inspect = commands.add_parser("inspect", help="say what a file holds, in a sandbox")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.add_argument("--raw-format", help=f"what a headerless file is: {RAW_FORMAT_HELP}")
    inspect.add_argument("--thorough", action="store_true", help="decode everything, to find any damage")
    inspect.add_argument("--thumbnail", type=Path, metavar="JPEG", help="write a thumbnail of footage")
    inspect.add_argument("--peaks", type=Path, metavar="DAT", help="write the waveform of a call")
    inspect.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_SECONDS, metavar="SECONDS")
    inspect.set_defaults(command=_inspect)


def _add_make_call(commands: Any) -> None:
    call = commands.add_parser("make-call", help="write a two-channel telephone call")
    call.add_argument("out", type=Path)
    call.add_argument(
        "--line",
        action="append",
        metavar="SIDE:LANGUAGE:TEXT",
        help=f"{' or '.join(SIDES)}; {', '.join(get_args(Language))}; Japanese in kana (default: a short dialogue)",
    )
    call.add_argument("--codec", choices=get_args(Codec), default="pcm_s16le")
    call.add_argument("--seed", type=int, default=0)
    call.set_defaults(command=_make_call)


def _add_make_footage(commands: Any) -> None:
    footage = commands.add_parser("make-footage", help="write security-camera footage")
    footage.add_argument("out", type=Path)
    footage.add_argument("--camera", default="CAMERA-1")
    footage.add_argument("--started-at", type=datetime.fromisoformat, default="2026-03-02T14:05:00+09:00")
    footage.add_argument("--duration", type=float, default=15.0, metavar="SECONDS")
    footage.add_argument("--scene", choices=sorted(SCENES), default="garage")
    footage.add_argument(
        "--person",
        action="append",
        metavar="WAY@SECONDS",
        help="who passes and when: right or left in the garage, towards or away in the corridor",
    )
    footage.add_argument("--seed", type=int, default=0)
    footage.set_defaults(command=_make_footage)


def _inspect(options: argparse.Namespace) -> int:
    try:
        with Inspector() as inspector:
            found = inspector.inspect(
                options.file,
                timeout_seconds=options.timeout,
                want_thumbnail=options.thumbnail is not None,
                want_peaks=options.peaks is not None,
                is_thorough=options.thorough,
                raw_format=options.raw_format,
            )
    except Unreadable as error:
        if options.json:
            print(json.dumps({"path": str(options.file), "readable": False, "reason": error.reason}))
        else:
            print(f"{options.file}: {error.reason}", file=sys.stderr)
        return 1
    for target, data in ((options.thumbnail, found.thumbnail), (options.peaks, found.peaks)):
        if target is not None and data is not None:
            target.write_bytes(data)
    print(_as_json(options.file, found) if options.json else _as_text(options.file, found))
    return 0


def _as_json(path: Path, found: Inspection) -> str:
    return json.dumps({"path": str(path), "readable": True, **json.loads(to_json(found))}, ensure_ascii=False)


def _as_text(path: Path, found: Inspection) -> str:
    lines = [f"{path}: {found.kind}, {found.container}, {found.duration_us / 1_000_000:.3f} s"]
    for stream in found.streams:
        facts = [f"{stream.type} {stream.codec}"]
        if stream.width:
            turned = f", turned by {stream.rotation}°" if stream.rotation else ""
            rate = f", {float(stream.rate_fps):g} pictures a second" if stream.rate_fps else ""
            facts.append(f"{stream.width} x {stream.height}{rate}{turned}")
        if stream.sample_rate:
            facts.append(f"{stream.sample_rate} Hz, {stream.channels} channels")
        lines.append(f"  track {stream.index}: {', '.join(facts)}")
    if found.started_at_text:
        lines.append(f"  says it started at {found.started_at_text}")
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in found.warnings)])


def _make_call(options: argparse.Namespace) -> int:
    lines: list[Any] = []
    for text in options.line or SAMPLE_LINES:
        side, language, words = [*text.split(":", 2), "", ""][:3]
        if side not in SIDES or language not in get_args(Language):
            raise ValueError(f"not a line: {text!r}; write SIDE:LANGUAGE:TEXT")
        lines.append((side, language, words))
    for turn in make_call(options.out, lines, codec=options.codec, seed=options.seed):
        print(f"{turn.start / 8000:7.2f} s  {turn.side}: {turn.text}")
    return 0


def _make_footage(options: argparse.Namespace) -> int:
    ways = {"garage": ["right@1", "left@7"], "corridor": ["towards@0", "away@6"]}[options.scene]
    people = []
    for look, text in enumerate(options.person or ways):
        way, _, seconds = text.partition("@")
        people.append(Person(float(seconds or 0), way, look))
    make_footage(
        options.out,
        camera=options.camera,
        started_at=options.started_at,
        duration_s=options.duration,
        people=people,
        scene=options.scene,
        seed=options.seed,
    )
    return 0


def _tools(_: argparse.Namespace) -> int:
    tool = find_ffmpeg()
    print(f"ffmpeg {tool.version} ({tool.origin}{', GPL build' if tool.is_gpl else ''}): {tool.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
