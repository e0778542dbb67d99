"""Redact footage from end to end: find, let decide, paint, look again.

    propose(source, wish)                   -> the review document, everything undecided
    finish(source, document, target, order) -> the copy, if nothing is undecided and nothing shows

Everyone is hidden unless a person says otherwise, track by track. What the
second look finds in a finished copy never gets out: it becomes tracks of a new
document. Where everyone is to be hidden anyway, these are hidden too and the
copy is made again; otherwise a person decides about them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from media.errors import NotReleased, Unreadable
from media.models import CENTERFACE, digest_of, find_model
from media.note import Note, note
from media.review.decide import hide_all, positions_of
from media.review.document import Reason, ReviewDocument, Track, Verdict
from media.review.masks import boxes_of, to_mask_plan
from media.video.detect.later import centerface
from media.video.detect.port import DetectorFacts
from media.video.glimpses import glimpsed
from media.video.masks import Box, Style
from media.video.release import Released, release
from media.video.render.model import Audio, FrameRange, ReplaceAudio, Smart
from media.video.tracks import FACE_MARGIN, Sighting
from media.video.verify.model import Finding, Kind, MovedFacts, VerifyReport
from media.video.verify.second_look import Known, SecondLook, Sight
from media.video.views import right_angles

_LOWER_THRESHOLD = 0.25  #: than the first look's: what is doubtful goes back to review
_FIRST_THRESHOLD = (
    0.2  #: of the same detector before rendering: what it nearly finds there, it may find in the copy
)
_ROUNDS = 4  #: copies that are made while the second look still finds somebody; then a person is needed

OnProgress = Callable[[int, int], None]


#: CenterFace, another family of detector than the first: for `Means.other`.
other_detector = centerface(_FIRST_THRESHOLD)


def second_look(document: ReviewDocument) -> SecondLook:
    """CenterFace on the finished copy, in the angles of the first look."""
    search = document.search
    angles = right_angles(search.angles_deg) if search else (0,)
    return SecondLook(centerface(_LOWER_THRESHOLD), angles=angles, known=known(document))


def known(document: ReviewDocument) -> Known | None:
    """What the other detector saw in the source when it was searched."""
    other = document.search.other if document.search else None
    if other is None:
        return None
    return Known(
        source_sha256=document.source.sha256,
        frames=document.source.frames,
        by=DetectorFacts(**other.detector.model_dump()),
        every_frames=other.every_frames,
        width_px=other.width_px,
        angles=other.angles_deg,
        sights=tuple(
            Sight(one.first, one.last, tuple((Box(*edges), sure) for *edges, sure in one.hits))
            for one in other.sights
        ),
    )


@dataclass(frozen=True, slots=True)
class Order:
    """How a decided document becomes a copy.

    Attributes:
        hides_all: Whoever is undecided, or found by the second look, is hidden without asking.
        moving: What becomes then of what moved and no detector named; undecided leaves it to a person.
        style: For every mask; None leaves each track its own.
        audio: What becomes of the sound.
        smart: Whether stretches that hide nothing may be copied.
        look: How the finished copy is searched; None takes CenterFace in the angles of the first look.
        by: Who decides, for the document.
    """

    hides_all: bool = False
    moving: Verdict = Verdict.HIDE
    style: Style | None = None
    audio: Audio | ReplaceAudio = Audio.KEEP
    smart: Smart = Smart.AUTO
    look: SecondLook | None = None
    by: str = ""


@dataclass(slots=True)
class Watch:
    """How the work reports. `on_round` gets the document that is rendered, and which try it is."""

    on_round: Callable[[ReviewDocument, int], None] = field(default=lambda _document, _round: None)
    on_report: Callable[[VerifyReport], None] = field(default=lambda _: None)
    on_progress: OnProgress | None = None
    is_cancelled: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """A copy under its final name, the decisions behind it, and how many copies it took."""

    released: Released
    document: ReviewDocument
    rounds: int


class FoundAgain(NotReleased):
    """The second look found somebody; nothing was kept.

    Attributes:
        document: With those who were found as new tracks, undecided.
    """

    def __init__(self, findings: tuple[str, ...], document: ReviewDocument) -> None:
        super().__init__(findings)
        self.document = document


def check_models() -> None:
    """Refuse to begin without what the second look needs.

    Raises:
        ModelMissing: Its weights have not been fetched.
    """
    find_model(CENTERFACE)


def check_source(source: Path, document: ReviewDocument) -> None:
    """Refuse a document that was made for other footage.

    Raises:
        Unreadable: It was.
    """
    if digest_of(source) != document.source.sha256:
        raise Unreadable(
            f"the review document was made for another file (SHA-256 {document.source.sha256[:16]}…)"
        )


def finish(
    source: Path, document: ReviewDocument, target: Path, order: Order, watch: Watch | None = None
) -> Redacted:
    """Render, verify, and keep the copy only if nothing shows.

    Raises:
        Undecided: A track or a gap is undecided, and the order does not hide all.
        FoundAgain: The second look found somebody whom no mask covers.
        NotReleased: Something else is wrong with the finished copy.
        Unreadable: The source cannot be used, or the document is of another one.
        MediaToolError: As `release` raises them.
    """
    watch = watch or Watch()
    check_source(source, document)
    for tries in range(1, _ROUNDS + 1):
        document = _settled(document, order)
        watch.on_round(document, tries)
        seen: list[Finding] = []
        try:
            released = _release(source, document, target, order, watch, seen)
        except NotReleased as refusal:
            is_only_seen = bool(seen) and all(finding.kind is Kind.SEEN for finding in seen)
            if not is_only_seen:
                raise
            document = with_seen(document, seen)
            if not order.hides_all or tries == _ROUNDS:
                raise FoundAgain(refusal.findings, document) from refusal
        else:
            return Redacted(released, document, tries)
    raise AssertionError("the last round returns or raises")


def _settled(document: ReviewDocument, order: Order) -> ReviewDocument:
    if order.hides_all:
        document = hide_all(document, moving=order.moving, by=order.by)
    if order.style is None:
        return document
    tracks = tuple(track.model_copy(update={"style": order.style}) for track in document.tracks)
    return document.model_copy(update={"tracks": tracks})


def _release(
    source: Path,
    document: ReviewDocument,
    target: Path,
    order: Order,
    watch: Watch,
    seen: list[Finding],
) -> Released:
    moved = moved_facts(document)

    def on_report(report: VerifyReport) -> None:
        seen.extend(report.findings)
        watch.on_report(replace(report, moved=moved))

    released = release(
        source,
        to_mask_plan(document),
        target,
        second_look=order.look or second_look(document),
        kept=kept_boxes(document),
        audio=order.audio,
        smart=order.smart,
        looked_at=looked_at(document),
        on_report=on_report,
        on_progress=watch.on_progress,
        is_cancelled=watch.is_cancelled,
    )
    return replace(released, verified=replace(released.verified, moved=moved))


def moved_facts(document: ReviewDocument) -> MovedFacts:
    """How much of what moved and no detector named is painted over, and how much is not; gaps count too."""
    verdicts = [track.decision.verdict for track in document.tracks if track.reason is Reason.MOVING]
    verdicts += [gap.decision.verdict for gap in document.gaps]
    return MovedFacts(hidden=verdicts.count(Verdict.HIDE), kept=verdicts.count(Verdict.KEEP))


def unsearched(document: ReviewDocument) -> list[Note]:
    """What was not looked for, where the camera did not stand still."""
    search = document.search
    return [note("camera_moves")] if search is not None and not search.is_camera_fixed else []


def looked_at(document: ReviewDocument) -> tuple[FrameRange, ...]:
    """The frames that the detector and the motion net saw, every one; none before a camera that moves."""
    search = document.search
    if search is None or not search.is_camera_fixed:
        return ()
    return tuple(FrameRange(first, last + 1) for first, last in search.seen)


def kept_boxes(document: ReviewDocument) -> dict[int, list[Box]]:
    """By frame, where people stay visible because somebody decided so."""
    kept: dict[int, list[Box]] = {}
    for track in document.tracks:
        if track.decision.verdict is Verdict.KEEP:
            for frame, box in boxes_of(track.positions):
                kept.setdefault(frame, []).append(box)
    return kept


def with_seen(document: ReviewDocument, findings: Sequence[Finding]) -> ReviewDocument:
    """The document with everybody whom the second look saw followed in tracks of their own, undecided."""
    sightings = [
        Sighting(finding.frame, finding.box, 0.0)
        for finding in findings
        if finding.frame is not None and finding.box is not None
    ]
    number = max((track.id for track in document.tracks), default=0)
    seen = glimpsed(sightings, FACE_MARGIN, document.source.frames, document.cuts)
    new = tuple(
        Track(id=number + n, reason=Reason.FACE, positions=positions_of(covered), confidence=0.0)
        for n, (_, covered) in enumerate(seen, start=1)
    )
    return document.model_copy(update={"tracks": (*document.tracks, *new)})
