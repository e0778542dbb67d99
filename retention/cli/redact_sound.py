"""retention redact audio and suggest: mute spans of a call, and find out which."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from media.files import write_whole
from media.models import digest_of
from media.note import Note, note
from media.probe import what_it_holds
from media.sound.mute import Request, mute
from media.sound.page import page_of
from media.sound.samples import Style
from media.sound.spans import Mute
from retention.cli.redact_report import ReportLanguage, Reports, checked_language, write_reports
from retention.cli.redact_shared import Copy, Original, one_of, plain_errors
from retention.cli.shared import amount, progress, show, table
from retention.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from media.sound.speech import Recogniser
    from media.sound.suggest import Suggestions

RawFormat = Annotated[str, typer.Option(help="What a headerless file is.")]


def audio(
    original: Original,
    copy: Copy,
    mutes: Annotated[
        list[str],
        typer.Option(
            "--mute", metavar="START-END[@CHANNEL]", help="Seconds, as decimals; any number of times."
        ),
    ],
    channel: Annotated[
        int | None, typer.Option(help="Of spans that name none; channels count from 0. Without it: all.")
    ] = None,
    style: Annotated[str, typer.Option(help="silence or tone.")] = "silence",
    raw_format: RawFormat = "",
    report: Reports = None,
    report_language: ReportLanguage = "",
) -> None:
    """Mute spans of a call, or of the sound of footage. Its length stays; the copy is decoded and checked."""
    language = checked_language(report_language)
    with plain_errors(original), progress("muting") as tell:
        spans = tuple(Mute.parse(text, channel) for text in mutes)
        request = Request(spans, one_of(Style, style), raw_format or None)
        done = mute(original, copy, request, tell)
    value = done.as_json()
    if report:
        document = (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
        page = page_of(done.tracks, language, source_sha256=digest_of(original), copy_sha256=digest_of(copy))
        write_reports(report, document, page)
    lines = [f"{copy}: {amount(len(spans), 'span')} muted."]
    for track in done.tracks:
        lines.append(f"  track {track.track}, {track.codec}: {track.checked}")
        lines += [f"  ! {each.text}" for each in track.survives]
    show(value, lines)


def suggest(
    original: Original,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Whether spoken words are looked for, too.")
    ] = True,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A Whisper model for CTranslate2 of your own.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the call: en, ja. Without it: found out.")] = "",
    regions: Annotated[
        list[str] | None,
        typer.Option("--region", help="Whose telephone numbers to know, as JP; any number of times."),
    ] = None,
    raw_format: RawFormat = "",
    webvtt: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the words as WebVTT.")] = None,
    rttm: Annotated[Path | None, typer.Option(metavar="FILE", help="Write who speaks when as RTTM.")] = None,
) -> None:
    """Point out what a person should decide about: keys pressed, numbers and personal data spoken.

    Of footage it hears the sound; whom its pictures show, `retention redact video --review` proposes.
    Decides nothing and mutes nothing. What it prints and writes is as personal as the recording.
    """
    from media.sound.personal import REGIONS  # noqa: PLC0415 - slow to import, and muting needs none of it
    from media.sound.suggest import suggest as search  # noqa: PLC0415 - as above
    from media.sound.transcript import to_rttm, to_webvtt  # noqa: PLC0415 - as above

    with plain_errors(original):
        unseen = [] if raw_format else _unseen(original)
        recogniser, why_not = _recogniser(model, language) if words else (None, note("words_left_out"))
        with progress("listening") as tell:
            found = search(
                original,
                recogniser=recogniser,
                why_no_words=why_not,
                raw_format=raw_format or None,
                regions=tuple(regions or REGIONS),
                progress=tell,
            )
        if webvtt is not None:
            write_whole(webvtt, to_webvtt(found.words).encode())
        if rttm is not None:
            write_whole(rttm, to_rttm(found.voice, original.stem).encode())
    value = found.as_json()
    value["not_looked_for"] = [*value["not_looked_for"], *(each.as_json() for each in unseen)]
    show(value, [*_text(found), *(f"! {each.text}" for each in unseen)])


def _unseen(original: Path) -> list[Note]:
    """That there are pictures, too, and which command searches them.

    Raises:
        InvalidInput: There is nothing else.
    """
    pictures, sound = what_it_holds(original)
    way = (
        f"`retention redact video {original} OUT --review FILE` proposes whom to decide about in the pictures"
    )
    if pictures and not sound:
        raise InvalidInput(
            f"{original} holds pictures and no sound: there is nothing to hear", hint=f"{way}."
        )
    return [note("pictures_unsearched", way=way)] if pictures else []


def _recogniser(folder: Path | None, language: str) -> "tuple[Recogniser | None, Note]":
    """A model that is named has to load; without one, a missing extra is only said."""
    from media.sound.speech import NOT_ASKED, not_heard, open_recogniser  # noqa: PLC0415 - as above
    from media.sound.weights import WeightsMissing  # noqa: PLC0415 - as above

    try:
        return open_recogniser(folder, language or None), NOT_ASKED
    except WeightsMissing as error:
        if folder is not None:
            raise
        return None, not_heard(error)


def _text(found: "Suggestions") -> list[object]:
    rows = [
        (
            f"{one.start_s:.3f}-{one.end_s:.3f}@{one.channel}",
            one.kind,
            f"{one.rank:.2f}",
            one.heard,
            "; ".join(one.reasons),
        )
        for one in found.spans
    ]
    listed = [table("", ["span", "kind", ">rank", "heard", "why"], rows)] if rows else ["Nothing was found."]
    return [
        *listed,
        f"Looked for: {'; '.join(each.text for each in found.looked_for)}.",
        *(f"! {each.text}" for each in (*found.not_looked_for, *found.notes)),
        *(["Each span can be given to `retention redact audio --mute`."] if rows else []),
    ]
