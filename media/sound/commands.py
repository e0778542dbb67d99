"""The toolbox's commands for sound: `python -m media mute` and `python -m media suggest`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import phonenumbers

from media.errors import ToolFailed
from media.note import Note
from media.raw_format import RAW_FORMAT_HELP
from media.sound.mute import Report, Request, mute
from media.sound.personal import REGIONS
from media.sound.samples import Style
from media.sound.spans import Mute
from media.sound.speech import NOT_ASKED, Recogniser, not_heard, open_recogniser
from media.sound.suggest import Suggestions, suggest
from media.sound.transcript import to_rttm, to_webvtt
from media.sound.weights import WeightsMissing


def add_commands(commands: Any) -> None:
    """Add the commands to a parser."""
    _add_mute(commands)
    _add_suggest(commands)


def _add_mute(commands: Any) -> None:
    parser = commands.add_parser("mute", help="write a copy in which some stretches are not heard")
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path, help="its suffix says what is written")
    parser.add_argument(
        "--mute",
        action="append",
        default=[],
        metavar="START-END[@CHANNEL]",
        help="seconds, as decimals; channels count from 0",
    )
    parser.add_argument("--mutes", type=Path, metavar="FILE", help="the same, one a line")
    parser.add_argument("--channel", type=int, metavar="N", help="of mutes that name none; default: all")
    parser.add_argument("--style", type=Style, choices=list(Style), default=Style.SILENCE)
    parser.add_argument("--raw-format", help=f"what a headerless file is: {RAW_FORMAT_HELP}")
    parser.add_argument("--report", type=Path, metavar="JSON", help="write what was done")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.set_defaults(command=_mute)


def _add_suggest(commands: Any) -> None:
    parser = commands.add_parser("suggest", help="point out keys, numbers and personal data in sound")
    parser.add_argument("file", type=Path)
    parser.add_argument("--raw-format", help=f"what a headerless file is: {RAW_FORMAT_HELP}")
    parser.add_argument("--no-words", action="store_true", help="keys and voice activity only")
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="a Whisper model for CTranslate2 of your own"
    )
    parser.add_argument("--language", help="of the call, such as ja or en; default: found out")
    parser.add_argument(
        "--region",
        action="append",
        type=_region,
        help=f"of telephone numbers; default {', '.join(REGIONS)}",
    )
    parser.add_argument("--webvtt", type=Path, metavar="FILE", help="write the words")
    parser.add_argument("--rttm", type=Path, metavar="FILE", help="write who speaks when")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_suggest)


def _region(text: str) -> str:
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is no region: write the two letters of one, such as JP")
    return text.upper()


def _mute(options: argparse.Namespace) -> int:
    lines = options.mutes.read_text(encoding="utf-8").splitlines() if options.mutes else []
    texts = [*options.mute, *(line for line in lines if line.strip())]
    request = Request(
        tuple(Mute.parse(text, options.channel) for text in texts), options.style, options.raw_format
    )
    report = mute(options.file, options.out, request)
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=2)
    if options.report:
        options.report.write_text(f"{text}\n", encoding="utf-8")
    _say(text if options.json else _mute_text(options.out, report))
    return 0


def _mute_text(out: Path, report: Report) -> str:
    lines = []
    for track in report.tracks:
        seconds = sum(end - start for one in track.muted for start, end in one.asked) / track.rate
        lines.append(f"{out}: track {track.track}, {track.container}, {track.codec}, {track.rate} Hz")
        lines.append(f"  {seconds:.3f} channel-seconds muted ({track.style}); method: {track.method}")
        lines.append(f"  {track.checked}")
        lines += [f"  note: {each.text}" for each in track.survives]
    return "\n".join(lines)


def _suggest(options: argparse.Namespace) -> int:
    recogniser, why_not = _recogniser(options)
    found = suggest(
        options.file,
        recogniser=recogniser,
        why_no_words=why_not,
        raw_format=options.raw_format,
        regions=tuple(options.region or REGIONS),
    )
    if options.webvtt:
        options.webvtt.write_text(to_webvtt(found.words), encoding="utf-8")
    if options.rttm:
        options.rttm.write_text(to_rttm(found.voice, options.file.stem), encoding="utf-8")
    _say(json.dumps(found.as_json(), ensure_ascii=False) if options.json else _suggest_text(found))
    return 0


def _recogniser(options: argparse.Namespace) -> tuple[Recogniser | None, Note]:
    """A model that the operator names has to load; without one, a missing extra is only said."""
    if options.no_words:
        return None, NOT_ASKED
    try:
        return open_recogniser(options.model, options.language), NOT_ASKED
    except WeightsMissing as error:
        if options.model:
            raise ToolFailed(str(error)) from error
        return None, not_heard(error)


def _suggest_text(found: Suggestions) -> str:
    lines = [
        f"{one.start_s:9.3f}-{one.end_s:.3f}@{one.channel}  {one.kind} ({one.source}, rank {one.rank:.2f})  "
        f"{one.heard}  [{'; '.join(one.reasons)}]"
        for one in found.spans
    ]
    lines.append(f"looked for: {'; '.join(each.text for each in found.looked_for)}")
    lines += [f"note: {each.text}" for each in (*found.not_looked_for, *found.notes)]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
