"""Render a copy, look at it again, and only then let it have its name.

The copy is verified under a name of its own. Where anything is found, it is
removed and `NotReleased` says what was found; there is no way to keep it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from media.errors import NotReleased
from media.video.masks import Box, MaskPlan
from media.video.render.model import Audio, FrameRange, RenderResult, ReplaceAudio, Smart
from media.video.render.render import render, settle, unfinished
from media.video.verify.model import VerifyReport
from media.video.verify.second_look import SecondLook
from media.video.verify.verify import verify


@dataclass(frozen=True, slots=True)
class Released:
    """A copy that exists under its final name, and why it may."""

    rendered: RenderResult
    verified: VerifyReport


def release(
    source: Path,
    plan: MaskPlan,
    target: Path,
    *,
    second_look: SecondLook | None,
    kept: Mapping[int, Sequence[Box]] | None = None,
    audio: Audio | ReplaceAudio = Audio.KEEP,
    smart: Smart = Smart.AUTO,
    looked_at: Sequence[FrameRange] = (),
    on_report: Callable[[VerifyReport], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Released:
    """Render and verify. Arguments are those of `render` and `verify`, and two of its own.

    `on_report` gets the report in any case, also where nothing is released. For `on_progress`, rendering is
    the first half of the total and verifying the second.

    Raises:
        NotReleased: Something was found in the finished copy.
        MediaToolError: As `render` and `verify` raise them.
    """
    progress = on_progress or (lambda _done, _total: None)
    with unfinished(source, target) as part:
        rendered = render(
            source,
            plan,
            part,
            audio=audio,
            smart=smart,
            looked_at=looked_at,
            on_progress=lambda done, total: progress(done, 2 * total),
            is_cancelled=is_cancelled,
        )
        report = verify(
            source,
            part,
            plan,
            sound=None if audio is Audio.DROP else audio.path if isinstance(audio, ReplaceAudio) else source,
            second_look=second_look,
            kept=kept,
            on_progress=lambda done, total: progress(total + done, 2 * total),
            is_cancelled=is_cancelled,
        )
        if on_report is not None:
            on_report(report)
        if not report.is_clean:
            raise NotReleased(tuple(finding.note.text for finding in report.findings))
        settle(part, target)
    return Released(rendered, report)
