"""Footage through the toolbox: whom to decide about, and a copy in which only those show whom a person kept."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from media import errors as media
from media.note import Language, Note, note
from media.page import as_html
from media.review.by_hand import MOVING, ByHand, decide_by_hand
from media.review.document import Decision, ReviewDocument, Sound, Verdict, to_json
from media.review.likeness import Likeness
from media.review.masks import coverage
from media.sound.mute import Request, mute
from media.sound.spans import Mute
from media.video import redact
from media.video.detect.choose import face_detector
from media.video.extent import Extent
from media.video.masks import Style
from media.video.propose import Means, propose
from media.video.propose import Wish as Search
from media.video.render.model import Audio, ReplaceAudio
from media.video.verify.report import page_of
from media.video.verify.verify import to_json as report_json
from media.video.views import Mount, mount_of
from media.video.watch import Progress as SearchProgress
from media.video.watch import Watch
from retention.kernel.errors import InvalidInput
from retention.redaction.redactor import Choice, Copy, FoundAgain, Original, Progress, Review, Wish

SCHEMA = "footage-rendition-report/1"
_PROPOSED = "proposed: everybody's voice is on it"
#: By the container of the original: how a file is called in which its sound stays where it was.
_SAME = {"mp4": ".mp4", "avi": ".avi"}


def find(original: Original, wish: Wish, work: Path, progress: Progress) -> ReviewDocument:
    """The review document of footage, in which nobody is decided about and the sound is left out."""
    redact.check_models()
    likeness = None if wish.photo is None else _likeness(wish.photo)

    def on_progress(found: SearchProgress) -> None:
        progress(found.frames, found.total)

    face = face_detector(wish.detector, wish.detector_sha256)
    mount = Mount.ANY if wish.any_angle else mount_of(original.mount)
    means = Means(face=face, other=redact.other_detector, work=work)
    document = propose(
        original.path, Search(mount, Extent(wish.extent)), means, Watch(on_progress=on_progress)
    )
    if any(each.get("type") == "audio" for each in original.facts.get("streams", ())):
        left_out = Sound(decision=Decision(verdict=Verdict.HIDE, note=_PROPOSED))
        document = document.model_copy(update={"sound": left_out})
    return document if likeness is None else likeness.order(document)


def _likeness(photo: Path) -> Likeness:
    try:
        return Likeness(photo)
    except media.Unreadable as error:
        raise InvalidInput(str(error), hint="Give another photo, or leave --keep-face out.") from error


def review_of(document: ReviewDocument) -> Review:
    """The document as the service keeps it."""
    return Review(to_json(document).encode(), coverage(document).open_points)


def faces(document: ReviewDocument) -> Mapping[str, bytes]:
    """The surest sighting of each track."""
    return {
        f"track-{track.id:03d}.jpg": base64.b64decode(track.thumbnail)
        for track in document.tracks
        if track.thumbnail
    }


def choose(document: ReviewDocument, choice: Choice, by: str) -> ReviewDocument:
    """The document with what a person decided by name."""
    if choice.moving not in MOVING:
        raise InvalidInput(
            f"{choice.moving!r} is nothing to do with what moves", hint=f"Give one of {', '.join(MOVING)}."
        )
    return decide_by_hand(document, ByHand(**{**asdict(choice), "moving": MOVING[choice.moving]}), by)


def copy(
    original: Original,
    document: ReviewDocument,
    folder: Path,
    progress: Progress,
    hide_found_for: str,
    language: Language,
) -> Copy:
    """A painted copy that was looked at again."""
    target = folder / "copy.mp4"
    order = redact.Order(
        hides_all=bool(hide_found_for), by=hide_found_for, audio=_sound(original, document, folder)
    )
    try:
        done = redact.finish(original.path, document, target, order, redact.Watch(on_progress=progress))
    except redact.FoundAgain as found:
        raise FoundAgain(found.findings, review_of(found.document)) from found
    remains = _remains(done.document)
    page = page_of(done.released.verified, language, remains=remains)
    return Copy(
        target,
        review_of(done.document),
        _report(done),
        as_html(page).encode(),
        _summary(done.document, done),
    )


def _report(done: redact.Redacted) -> bytes:
    rendered = done.released.rendered
    report = {
        "schema": SCHEMA,
        "frames": rendered.frames,
        "masked_frames": rendered.masked_frames,
        "copied_frames": rendered.copied_frames,
        "notes": list(rendered.notes),
        "verified": json.loads(report_json(done.released.verified)),
    }
    return json.dumps(report, ensure_ascii=False, indent=1).encode()


def _sound(original: Original, document: ReviewDocument, folder: Path) -> Audio | ReplaceAudio:
    sound = document.sound
    if sound is None or sound.decision.verdict is not Verdict.KEEP:
        return Audio.DROP
    if not sound.mutes:
        return Audio.KEEP
    muted = folder / f"sound{_SAME.get(original.facts['container'], '.mkv')}"
    mute(original.path, muted, Request(tuple(Mute.parse(text) for text in sound.mutes)))
    return ReplaceAudio(muted)


def _summary(document: ReviewDocument, done: redact.Redacted) -> Mapping[str, Any]:
    tracks = [track for track in document.tracks if track.decision.verdict is Verdict.HIDE]
    verdicts = [track.decision.verdict for track in document.tracks]
    verdicts += [gap.decision.verdict for gap in document.gaps]
    search, again = document.search, done.released.verified.second_look
    return {
        "hidden": verdicts.count(Verdict.HIDE),
        "kept": verdicts.count(Verdict.KEEP),
        "muted_ms": 0,
        "styles": sorted({str(track.style) for track in tracks}),
        "looked_with": list(
            dict.fromkeys(
                [looker.name for looker in (search.detectors if search else ())]
                + ([again.name] if again else [])
            )
        ),
        "sound": _what_became_of(document.sound),
        "remains": [each.text for each in _remains(document)],
    }


def _what_became_of(sound: Sound | None) -> str:
    if sound is None:
        return "none"
    if sound.decision.verdict is Verdict.HIDE:
        return "left out"
    return f"kept but for {len(sound.mutes)} spans" if sound.mutes else "kept"


def _remains(document: ReviewDocument) -> list[Note]:
    """What a person must know is still there, or was not looked for."""
    notes = redact.unsearched(document)
    if any(track.style is Style.MOSAIC for track in document.tracks):
        notes.append(note("mosaic_weaker"))
    if document.sound is not None and document.sound.decision.verdict is Verdict.KEEP:
        notes.append(note("sound_kept"))
    return notes
