"""Verify: look at a finished copy as a stranger would, and refuse it where it shows too much.

Nothing of the renderer is believed: the file is walked box by box, decoded
again, compared with the source, and searched by another detector. Only what is
proved to be the source's own pictures, byte for byte, is not decoded again, and
only where the same detector has looked at these in the source: see `same`. It
does not judge the plan: somebody whom nobody decided
about is found by the second look, or by the person who reviews.
"""

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from media.child import DEFAULT_MEMORY_BYTES, NO_SENSE, ask_child, path_text
from media.errors import ToolFailed, Unreadable
from media.video.detect.later import files_of
from media.video.mask_table import table_of
from media.video.masks import Box, Mask, MaskPlan
from media.video.verify.model import VerifyReport
from media.video.verify.second_look import SecondLook

_STALL_SECONDS = 300.0
_WORKER = "media.video.verify.worker"
_REPORT = TypeAdapter(VerifyReport)


def verify(
    source: Path,
    output: Path,
    plan: MaskPlan,
    *,
    sound: Path | None,
    second_look: SecondLook | None = None,
    kept: Mapping[int, Sequence[Box]] | None = None,
    workers: int = 0,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    on_progress: Callable[[int, int], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> VerifyReport:
    """Look at `output` again, beside `source`.

    Args:
        source: The recording.
        output: The finished copy.
        plan: What should be painted over.
        sound: The file whose sound should be in the copy; None where there should be none.
        second_look: How to search the copy. None searches for nobody, and the report says so.
        kept: By frame, boxes of people who stay visible by decision.
        workers: Threads that search; 0 is one a core.
        memory_bytes: Address space of the child process.
        on_progress: Gets frames done and frames in all, in another thread.
        is_cancelled: Asked about ten times a second.

    Raises:
        Unreadable: One of the files cannot be decoded whole. A copy that cannot is not released either.
        ToolFailed: The child process died, or the detector is broken.
        Cancelled: `is_cancelled` said so.
        ValueError: The second look cannot be sent to a child process.
    """
    spared = MaskPlan({frame: [Mask(box) for box in boxes] for frame, boxes in (kept or {}).items()})
    masks, stay = table_of(plan).pack(), table_of(spared).pack()
    try:
        look = pickle.dumps(second_look)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError("the second look must be made by a function of a module, not by a lambda") from error
    request = {
        "source": path_text(source),
        "output": path_text(output),
        "sound": None if sound is None else path_text(sound),
        "workers": workers,
        "mask_bytes": len(masks),
        "kept_bytes": len(stay),
    }
    for path in (source, output):
        if not path.is_file():
            raise Unreadable(f"{path.name} is not there")
    answer = ask_child(
        _WORKER,
        request,
        bulk=masks + stay + look,
        reads=[
            source,
            output,
            *([] if sound is None else [sound]),
            *(files_of(second_look.make) if second_look else []),
        ],
        stall_seconds=_STALL_SECONDS,
        memory_bytes=memory_bytes,
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )
    try:
        return _REPORT.validate_python(answer)
    except ValueError as error:
        raise ToolFailed(NO_SENSE) from error


def to_json(report: VerifyReport) -> bytes:
    """The report for machines; `from_json` reads it."""
    value = asdict(report)
    for told, finding in zip(value["findings"], report.findings, strict=True):
        told["note"] = finding.note.as_json()
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def from_json(data: bytes) -> VerifyReport:
    """The report that `to_json` wrote.

    Raises:
        ValueError: It did not.
    """
    return _REPORT.validate_json(data)
