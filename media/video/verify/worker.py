"""The child process that looks again. `verify` starts it and talks to it through `media.child`."""

import hashlib
import pickle
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from media.child import OnProgress, answer_parent
from media.container import hush
from media.note import Note, note
from media.video.mask_table import MaskTable, unpack
from media.video.masks import Box, Style
from media.video.verify.boxes import walk
from media.video.verify.looks import Hits, Looks
from media.video.verify.model import MAX_FINDINGS, Kind
from media.video.verify.pairs import Pairs, shown_at_s
from media.video.verify.pictures import MIN_FRAME_PSNR_DB, brightness, compare, total_psnr
from media.video.verify.same import END, UNPROVED, Part, prove
from media.video.verify.second_look import Known, is_hidden, is_kept
from media.video.verify.sound import compare_sound
from media.video.verify.stream import odd_units


def verify_job(request: dict[str, Any], bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """Look at `output` again, beside `source`."""
    source, output = Path(request["source"]), Path(request["output"])
    cut = request["mask_bytes"], request["mask_bytes"] + request["kept_bytes"]
    look = pickle.loads(bulk[cut[1] :])  # noqa: S301 - our own parent made it
    with Looks(look, request["workers"]) if look else nullcontext() as looks:
        work = _Look(unpack(bulk[: cut[0]]), unpack(bulk[cut[0] : cut[1]]), looks)
        container = walk(output)
        work.add_all(Kind.CONTAINER, container.faults or list(odd_units(output, container)))
        sound, faults = compare_sound(Path(request["sound"]) if request["sound"] else None, output)
        work.add_all(Kind.SOUND, faults)
        hush()
        source_sha256 = _digest(source)
        work.look_at_all(source, output, source_sha256, report)
        return {
            "source_sha256": source_sha256,
            "output_sha256": _digest(output),
            "sound": sound,
            **work.facts(),
        }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Look:
    """What was seen so far."""

    def __init__(self, masks: MaskTable, kept: MaskTable, looks: Looks | None) -> None:
        self._masks, self._kept, self._looks = masks, kept, looks
        self._findings: list[dict[str, Any]] = []
        self._frames = self._count = self._weak = 0
        self._proved = self._known = 0
        self._start: tuple[Fraction, Fraction] | None = None
        self._last: tuple[int, VideoFrame] | None = None
        self._hits = self._covered = self._spared = 0
        self._worst_fill = 0.0
        self._worst_psnr: float | None = None
        self._error, self._pixels = 0.0, 0

    def add_all(self, kind_: Kind, notes: Sequence[Note], frame: int | None = None) -> None:
        """Remember findings."""
        self._findings += [{"kind": kind_.value, "note": asdict(one), "frame": frame} for one in notes]

    def look_at_all(self, source: Path, output: Path, source_sha256: str, report: OnProgress) -> None:
        """Both files from end to end: what is proved is judged by what is known, and everything else decoded."""
        with Pairs(source, output) as pairs:
            known = self._looks.known(source_sha256, pairs.size) if self._looks else None
            proof = prove(source, output, self._masks, known.frames) if known else UNPROVED
            self._start = proof.start_s
            for part in proof.parts:
                if known and part.is_same:
                    self._take(part, known, pairs.size)
                    report(part.end, known.frames)
                elif not self._compare_part(pairs, part, report):
                    return
        if self._looks is not None:
            if self._last and not self._looks.is_due(self._last[0]):
                # Whoever comes in at the very end is in no frame that was searched.
                self._judge(self._looks.offer(self._last[0], brightness(self._last[1])))
            self._judge(self._looks.rest())

    def _take(self, part: Part, known: Known, size: tuple[int, int]) -> None:
        """Frames that are proved to be the source's own."""
        assert self._looks is not None
        due = [number for number in range(part.first, part.end) if self._looks.is_due(number)]
        if part.end == known.frames and not self._looks.is_due(part.end - 1):
            due.append(part.end - 1)
        for number, hits in known.hits_in(due):
            self._judge_one(number, [hit for hit in hits if hit[1] >= (self._looks.facts.threshold or 0)])
        self._known += len(due)
        self._last = None
        self._proved += part.end - part.first
        self._frames += part.end - part.first
        self._pixels += (part.end - part.first) * size[0] * size[1]

    def _compare_part(self, pairs: Pairs, part: Part, report: OnProgress) -> bool:
        """Decode and compare; False where there is nothing to gain from going on."""
        number = part.first - 1
        for number, (old, new) in enumerate(pairs.of(part), part.first):
            if old is None or new is None:
                self.add_all(Kind.TIMES, [note("frames_missing", frame=number)], number)
                return False
            times = shown_at_s(old), shown_at_s(new)
            self._start = self._start or times
            if times[0] - self._start[0] != times[1] - self._start[1]:
                self.add_all(Kind.TIMES, [note("frame_time", frame=number)], number)
            self._compare(number, old, new)
            self._last = number, new
            report(number, max(pairs.claimed, number + 1))
            if len(self._findings) > MAX_FINDINGS:
                return False
        if part.end < END and number + 1 != part.end:
            self.add_all(Kind.TIMES, [note("frames_missing", frame=number + 1)], number + 1)
            return False
        return True

    def _compare(self, number: int, old: VideoFrame, new: VideoFrame) -> None:
        masks = self._masks.at(number)
        self._frames += 1
        self._count += len(masks)
        self._weak += sum(mask.style is Style.MOSAIC for mask in masks)
        if (old.width, old.height) != (new.width, new.height):
            self.add_all(Kind.OUTSIDE, [note("frame_size", frame=number)], number)
            return
        found = compare(old, new, masks)
        self._error += found.square_error
        self._pixels += found.pixels
        self._worst_fill = max(self._worst_fill, found.fill_error)
        if found.psnr_db is not None:
            self._worst_psnr = min(self._worst_psnr or found.psnr_db, found.psnr_db)
            if found.psnr_db < MIN_FRAME_PSNR_DB:
                self.add_all(Kind.OUTSIDE, [note("frame_other", frame=number)], number)
        if found.fault:
            self.add_all(Kind.UNDER_MASK, [note(found.fault, frame=number)], number)
        if self._looks is not None and self._looks.is_due(number):
            self._judge(self._looks.offer(number, brightness(new)))

    def _judge(self, answers: Iterator[tuple[int, Hits]]) -> None:
        for number, hits in answers:
            self._judge_one(number, hits)

    def _judge_one(self, number: int, hits: Hits) -> None:
        hidden, kept = ([mask.box for mask in table.at(number)] for table in (self._masks, self._kept))
        for box, confidence in hits:
            self._hits += 1
            if is_hidden(box, hidden):
                self._covered += 1
            elif is_kept(box, kept):
                self._spared += 1
            else:
                self.add_all(Kind.SEEN, [_somebody(number, box, confidence)], number)
                self._findings[-1]["box"] = asdict(box)

    def facts(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "frames": self._frames,
            "proved": self._proved,
            "masks": self._count,
            "weaker_masks": self._weak,
            "worst_fill_error": round(self._worst_fill, 2),
            "psnr_db": _rounded(total_psnr(self._error, self._pixels)),
            "worst_psnr_db": _rounded(self._worst_psnr),
            "second_look": self._second_look(),
            "findings": self._findings[:MAX_FINDINGS],
        }

    def _second_look(self) -> dict[str, Any] | None:
        if self._looks is None:
            return None
        facts, look = self._looks.facts, self._looks.look
        return {
            "name": facts.name,
            "version": facts.version,
            "sha256": facts.sha256,
            "every_frames": look.every_frames,
            "angles": list(look.angles),
            "frames": self._looks.searched,
            "unchanged": self._looks.unchanged,
            "hits": self._hits,
            "covered": self._covered,
            "kept": self._spared,
            "known": self._known,
        }


def _somebody(number: int, box: Box, confidence: float) -> Note:
    place = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
    rounded = {name: round(value, 1) for name, value in place.items()}
    return note("somebody", frame=number, **rounded, confidence=round(confidence, 3))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


if __name__ == "__main__":
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    answer_parent(verify_job)
