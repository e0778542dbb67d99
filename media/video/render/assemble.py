"""Turn decoded pictures, packets and sound into one MP4. Runs in the worker; see `render`.

Times are the source's own, moved as a whole so that the first picture or sound
starts at zero. Nothing else of the source's container is carried over.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame

from media.child import OnProgress
from media.container import Opened, open_recording
from media.errors import ToolFailed, Unreadable
from media.process import local_url
from media.video.mask_table import MaskTable
from media.video.render.ahead import Ahead
from media.video.render.encode import (
    MOST_GROWTH,
    Form,
    Piece,
    Purse,
    open_encoder,
    open_stream,
    piece_frames,
    settled,
    without_extras,
)
from media.video.render.look import Look
from media.video.render.paint import paint
from media.video.render.runs import Copied, Decoded, RunEnds, read_runs
from media.video.render.smart import CopyPlan, as_annex_b
from media.video.render.soundtrack import Soundtrack, first_sound_s
from media.video.render.track import PictureTrack, write_packet
from media.video.scan import Scan, main_picture

_AHEAD_FRAMES = 12  #: decoded pictures that wait for the encoder
_USUAL_RATE_FPS = Fraction(25)
_MOST_TICKS = 1_000_000  #: a second
_MUX = {"movflags": "+faststart", "fflags": "+bitexact"}


@dataclass(slots=True)
class Assembled:
    """What was written."""

    frames: int = 0
    copied: int = 0
    sound_tracks: int = 0
    video_bytes: int = 0
    start_s: Fraction = Fraction(0)
    notes: list[str] = field(default_factory=list)


def assemble(
    source: Path,
    target: Path,
    sound: Path | None,
    *,
    table: MaskTable,
    seen: Scan,
    plan: CopyPlan,
    threads: int,
    report: OnProgress,
) -> Assembled:
    """Write the whole output to `target`, which is replaced.

    Raises:
        Unreadable: The source, or the sound that is to be added, is damaged.
        OSError: The output cannot be written.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(open_recording(source))
        heard = stack.enter_context(open_recording(sound)) if sound else None
        out = stack.enter_context(_open_output(target, seen.time_base))
        work = _Assembly(opened, heard, out, seen, plan, threads)
        items = _painted(read_runs(opened, work.stream, plan.runs), table)
        with Ahead(items, _AHEAD_FRAMES) as coming:
            for item in coming:
                work.take(item)
                report(work.done.frames, len(seen.pts))
        work.finish()
    return work.done


def _open_output(target: Path, time_base: Fraction) -> OutputContainer:
    """The movie counts in the picture's ticks, so that a late start is kept to the tick."""
    options = {**_MUX, "movie_timescale": str(min(time_base.denominator, _MOST_TICKS))}
    return av.open(local_url(target), "w", format="mp4", container_options=options)


def _painted(
    items: Iterator[Decoded | Copied | RunEnds], table: MaskTable
) -> Iterator[Decoded | Copied | RunEnds]:
    size: str | None = None
    for item in items:
        if isinstance(item, Decoded):
            size = size or item.look.size
            if item.look.size != size:
                raise Unreadable(
                    f"the picture changes from {size} to {item.look.size} at frame {item.number}; "
                    "cut the recording there, and redact the parts one by one"
                )
            yield _paint_one(item, table)
        else:
            yield item


def _paint_one(item: Decoded, table: MaskTable) -> Decoded:
    frame = item.frame
    pts, duration = frame.pts if frame.pts is not None else frame.dts, frame.duration
    painted = paint(frame, table.at(item.number))
    painted.pts, painted.duration = pts, duration
    return Decoded(item.number, painted, item.look)


class _Assembly:
    """The output while it is being written."""

    def __init__(
        self,
        opened: Opened,
        heard: Opened | None,
        out: OutputContainer,
        seen: Scan,
        plan: CopyPlan,
        threads: int,
    ) -> None:
        self.stream = main_picture(opened)
        self._opened, self._heard, self._out = opened, heard, out
        self._seen, self._plan, self._threads = seen, plan, threads
        self._order = seen.in_order()
        self._sizes = np.concatenate(([0], np.cumsum(seen.sizes[self._order])))
        self._rate = self.stream.average_rate or self.stream.guessed_rate or _USUAL_RATE_FPS
        self._purse = Purse()
        self._piece: Piece | None = None
        self._piece_end = 0
        self._form: Form | None = None
        self._headers = b""
        self._track: PictureTrack | None = None
        self._sound: Soundtrack | None = None
        self._last_pts: int | None = None
        self._last_length = 0
        self.done = Assembled()
        first = int(seen.pts.min())
        self._start = self._start_ticks(first)

    # -- what comes in -------------------------------------------------------

    def take(self, item: Decoded | Copied | RunEnds) -> None:
        """The next picture, packet or end of a run."""
        if isinstance(item, Decoded):
            self._take_picture(item)
        elif isinstance(item, Copied):
            self._take_packet(item.packet)
        else:
            self._end_piece()

    def finish(self) -> None:
        """Write what is left, and check that something was written at all."""
        if self._track is None:
            raise Unreadable("not one picture could be decoded")
        self._track.end(self._seen.last_duration or self._rest() or self._last_length or self._usual_step())
        self._add_sound(None)
        self.done.video_bytes = self._track.size_bytes
        if self._track.packets != self.done.frames:
            raise ToolFailed(
                f"{self.done.frames} pictures became {self._track.packets} packets; try again without smart rendering"
            )

    def _take_picture(self, item: Decoded) -> None:
        frame = item.frame
        pts = self._own_time(frame, item.number)
        if self._form is None:
            self._begin(item.look)
        if self._piece is not None and self.done.frames >= self._piece_end:
            self._end_piece()
        if self._piece is None:
            self._begin_piece(item.number)
        assert self._piece is not None
        assert self._track is not None
        self._track.show(pts)
        frame.pts, frame.time_base = pts, self._seen.time_base
        self._last_length = frame.duration
        for packet in self._piece.add(frame):
            self._add(packet)
        self.done.frames += 1

    def _take_packet(self, packet: "Packet[Any]") -> None:
        if self._form is None:
            assert self._plan.first_look is not None
            self._begin(self._plan.first_look)
        assert self._track is not None
        assert packet.pts is not None
        number = self.done.frames
        self._track.show(int(self._seen.pts[self._order[number]]) - self._start)
        self._last_length = 0
        slim = Packet(as_annex_b(bytes(packet)))
        slim.pts, slim.is_keyframe = packet.pts - self._start, packet.is_keyframe
        slim.time_base = self._seen.time_base
        self._add(slim)
        self.done.frames += 1
        self.done.copied += 1

    def _own_time(self, frame: VideoFrame, number: int) -> int:
        if frame.pts is None:
            raise Unreadable(f"frame {number} does not say when it is shown; put the video into an MP4 first")
        pts = frame.pts - self._start
        if self._last_pts is not None and pts <= self._last_pts:
            raise Unreadable(
                f"frame {number} is shown no later than the frame before it; cut the recording there"
            )
        self._last_pts = pts
        return pts

    # -- the track and the sound ---------------------------------------------

    def _begin(self, look: Look) -> None:
        """Write the header: now it is known what the picture looks like."""
        self._form = Form(
            look,
            aspect=self.stream.sample_aspect_ratio,
            time_base=self._seen.time_base,
            rate_fps=self._rate,
            sps_id=self._plan.sps_id,
            threads=self._threads,
        )
        self._form = settled(self._form, most_bits=self._most_bits())
        probe = open_encoder(self._form, bit_rate=1_000_000)
        self._headers = without_extras(probe.extradata or b"")
        stream = open_stream(self._out, self._form, self._headers + self._plan.headers)
        if look.width % 2 or look.height % 2:
            self.done.notes.append("A side is odd: the copy is H.264 4:4:4, which some phones do not play.")
        if look.is_askew:
            self.done.notes.append("The source asks to be turned by an odd angle; the copy is not turned.")
        depth = max(probe.reorder_depth, self._plan.depth)
        self._track = PictureTrack(
            stream,
            depth=depth,
            first_pts=int(self._seen.pts.min()) - self._start,
            step=self._usual_step(),
            mux=self._mux,
        )
        self._begin_sound()

    def _begin_sound(self) -> None:
        if self._heard is None:
            return
        shift = -self.done.start_s
        own, original = first_sound_s(self._heard), first_sound_s(self._opened)
        if own is not None and original is not None:
            shift += original - own
        self._sound = Soundtrack(self._heard, self._out, shift)
        self.done.sound_tracks = self._sound.tracks
        self.done.notes += self._sound.notes

    def _start_ticks(self, first_pts: int) -> int:
        """Where the output's zero lies in the source: its first picture or first sound, whichever is earlier."""
        base = self._seen.time_base
        starts = [first_pts * base]
        if self._heard is not None and (sound := first_sound_s(self._opened)) is not None:
            starts.append(sound)
        ticks = int(min(starts) // base)
        self.done.start_s = ticks * base
        return ticks

    def _most_bits(self) -> int:
        """A second's, in the busiest piece."""
        length = min(piece_frames(self._rate), len(self._order))
        most_bytes = int((self._sizes[length:] - self._sizes[:-length]).max())
        return max(1_000_000, round(most_bytes * 8 * MOST_GROWTH * self._rate / length))

    def _rest(self) -> int:
        """Ticks from the last picture to the end that the container claims; 0 where it claims none."""
        claimed_us = self._opened.container.duration or 0
        end = (
            Fraction(claimed_us, 1_000_000) + Fraction(self._opened.container.start_time or 0, 1_000_000)
        ) / (self._seen.time_base)
        return max(0, round(end) - int(self._seen.pts.max()))

    def _usual_step(self) -> int:
        return max(1, round(1 / (self._rate * self._seen.time_base)))

    def _add(self, packet: "Packet[Any]") -> None:
        assert self._track is not None
        self._track.add(packet)

    def _mux(self, packet: "Packet[Any]") -> None:
        assert packet.dts is not None
        self._add_sound(packet.dts * self._seen.time_base)
        write_packet(self._out, packet)

    def _add_sound(self, until_s: Fraction | None) -> None:
        if self._sound is not None:
            for packet in self._sound.until(until_s):
                write_packet(self._out, packet)

    # -- pieces --------------------------------------------------------------

    def _begin_piece(self, number: int) -> None:
        assert self._form is not None
        length = piece_frames(self._rate)
        end = min(number + length, self._plan.end_of_run(number), len(self._order))
        end = max(end, number + 1)
        here = min(number, len(self._order) - 1)
        source_bytes = int(self._sizes[min(end, len(self._order))] - self._sizes[here])
        first, last = (int(self._seen.pts[self._order[n]]) for n in (here, min(end, len(self._order)) - 1))
        duration_s = float((last - first) * self._seen.time_base + 1 / self._rate)
        self._piece = Piece(self._form, budget_bytes=self._purse.budget(source_bytes), duration_s=duration_s)
        if self._piece.headers != self._headers:
            raise ToolFailed("two pieces were encoded with different headers; this is a fault of the encoder")
        self._piece_end = number + length

    def _end_piece(self) -> None:
        if self._piece is not None:
            for packet in self._piece.finish():
                self._add(packet)
            self._purse.pay(self._piece.size_bytes)
            self._piece = None
