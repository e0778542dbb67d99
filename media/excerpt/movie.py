"""Write a part of footage as an MP4 of its own. Runs in the worker; see `cut`.

The encoder is given the pictures of the part and no other, so there is nothing
else in the file: no run-in that an edit list would hide, and no reference to a
picture outside. Every picture is encoded with the same quantiser, whatever it
costs, so that not even a size depends on what lies outside, and the copy is as
good as the source to the eye. Times are the source's own, moved as a whole so
that the first picture or sound of the part starts at zero.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from media.child import OnProgress
from media.container import hush, open_recording
from media.errors import ToolFailed, Unreadable
from media.excerpt.model import NothingThere, Span
from media.excerpt.picture import Part, find_part, pictures, plan_part, shown_at
from media.excerpt.track import SoundTracks
from media.process import local_url
from media.video.render.ahead import Ahead
from media.video.render.encode import Form, Piece, open_encoder, open_stream, settled, without_extras
from media.video.render.look import Look
from media.video.render.paint import paint
from media.video.render.runs import Copied, Decoded, RunEnds
from media.video.render.smart import CopyPlan, as_annex_b
from media.video.render.track import PictureTrack, write_packet
from media.video.scan import main_picture

MAX_THREADS = 8
#: Of every picture. A step of 4 levels of 255 for the first, 5 and 6 for those between: about 45 dB on noise.
QUANTISER = 16
_AHEAD_FRAMES = 12
_MOST_TICKS = 1_000_000
_MUX = {"movflags": "+faststart", "fflags": "+bitexact"}
_USUAL_RATE_FPS = Fraction(25)
_FINEST_RATE = 1001  #: the denominator of rates that cameras have


def cut_footage(
    source: Path, span: Span, target: Path, *, keeps_sound: bool, report: OnProgress
) -> dict[str, Any]:
    """Write the pictures and the sound of `span` to `target`, which is replaced.

    Raises:
        NothingThere: No picture lies in it.
        Unreadable: Something that is needed is damaged, or does not say when it is shown.
        OSError: The output cannot be written.
    """
    part = find_part(source, span)
    hush()
    plan = plan_part(source, part)
    with ExitStack() as stack:
        opened = stack.enter_context(open_recording(source))
        stream = main_picture(opened)
        sound = stack.enter_context(SoundTracks(source, *span.later(part.zero_s))) if keeps_sound else None
        out = stack.enter_context(
            av.open(
                local_url(target),
                "w",
                format="mp4",
                container_options={**_MUX, "movie_timescale": str(_movie_scale(part.seen.time_base))},
            )
        )
        movie = _Movie(out, stream, part, plan, sound)
        items = pictures(opened, stream, part, plan.runs)
        with Ahead(_small(items), _AHEAD_FRAMES) as coming:
            for item in coming:
                movie.take(item)
                report(movie.frames, max(len(part.times), movie.frames + 1))
        return movie.finish()


def _movie_scale(time_base: Fraction) -> int:
    """Ticks of the movie, in which a late start is kept: whole ones of the picture's, and fine enough for a sample."""
    return time_base.denominator * max(1, _MOST_TICKS // time_base.denominator)


def _small(items: Iterator[Decoded | Copied | RunEnds]) -> Iterator[Decoded | Copied | RunEnds]:
    """Pictures in the form of the output."""
    for item in items:
        if isinstance(item, Decoded):
            at, duration = shown_at(item.frame), item.frame.duration
            item.frame = paint(item.frame, ())
            item.frame.pts, item.frame.duration = at, duration
        yield item


class _Movie:
    """The output while it is being written."""

    def __init__(
        self, out: OutputContainer, stream: VideoStream, part: Part, plan: CopyPlan, sound: SoundTracks | None
    ) -> None:
        self._out, self._stream, self._part, self._plan, self._sound = out, stream, part, plan, sound
        self._base = part.seen.time_base
        self._runs = iter(plan.runs)
        self._next_run()
        self._look: Look | None = None
        self._zero = 0
        self._last: int | None = None
        self._last_length = 0
        self._piece: Piece | None = None
        self.frames = self._copied = 0

    def take(self, item: Decoded | Copied | RunEnds) -> None:
        """The next picture, packet or end of a run."""
        if isinstance(item, RunEnds):
            self._end_piece()
            self._next_run()
        elif isinstance(item, Decoded):
            self._take_picture(item)
        else:
            self._take_packet(item.packet)

    def _next_run(self) -> None:
        """A copied run is closed: its n-th packet is not its n-th picture, but both are in it."""
        run = next(self._runs, None)
        times = self._part.seen.pts[run.first : run.end] if run and run.is_copied else ()
        self._order = iter(sorted(int(each) for each in times))

    def finish(self) -> dict[str, Any]:
        """Write what is left; what was written."""
        if self._last is None:
            raise NothingThere
        self._end_piece()
        length = self._part.last_duration(self._last) or self._last_length or self._step
        self._track.end(max(1, min(length, self._part.end - self._last)))
        if self._sound:
            self._write_sound(None)
        if self._track.packets != self.frames:
            raise ToolFailed(f"{self.frames} pictures became {self._track.packets} packets; try again")
        return {
            "frames": self.frames,
            "copied_frames": self._copied,
            "sound_tracks": self._sound.count if self._sound else 0,
            "duration_us": self._duration_us(length),
            "notes": [*self._notes(), *(self._sound.notes() if self._sound else [])],
        }

    def _take_picture(self, item: Decoded) -> None:
        at = shown_at(item.frame)
        if self._last is not None and at <= self._last:
            raise Unreadable("a picture is shown no later than the one before it; its times cannot be kept")
        if self._look is None:
            self._begin(item.look, at)
        elif item.look.size != self._look.size:
            raise Unreadable(
                f"within the part, the picture changes from {self._look.size} to {item.look.size}; "
                "cut it there, and take two parts"
            )
        self._show(at)
        self._piece = self._piece or Piece(self._form)
        if self._piece.headers != self._headers:
            raise ToolFailed("two pieces were encoded with different headers; this is a fault of the encoder")
        item.frame.pts, item.frame.time_base = at - self._zero, self._base
        self._last_length = item.frame.duration
        for packet in self._piece.add(item.frame):
            self._track.add(packet)

    def _take_packet(self, packet: "Packet[Any]") -> None:
        at = next(self._order)
        if self._look is None:
            assert self._plan.first_look is not None
            self._begin(self._plan.first_look, at)
        assert packet.pts is not None
        self._show(at)
        slim = Packet(as_annex_b(bytes(packet)))
        slim.pts, slim.is_keyframe = packet.pts - self._zero, packet.is_keyframe
        slim.time_base = self._base
        self._track.add(slim)
        self._copied += 1

    def _show(self, at: int) -> None:
        self._track.show(at - self._zero)
        self._last = at
        self.frames += 1

    def _begin(self, look: Look, first: int) -> None:
        """Write the header: now it is known what the picture looks like, and when the part begins."""
        self._look = look
        starts = [first * self._base]
        if self._sound and self._sound.first_s is not None:
            starts.append(self._sound.first_s)
        self._zero = int(min(starts) // self._base)
        rate = self._rate_fps()
        self._step = max(1, round(1 / (rate * self._base)))
        self._form = settled(
            Form(
                look,
                aspect=self._stream.sample_aspect_ratio,
                time_base=self._base,
                rate_fps=rate,
                sps_id=self._plan.sps_id,
                threads=min(MAX_THREADS, len(os.sched_getaffinity(0))),
                quantiser=QUANTISER,
            )
        )
        probe = open_encoder(self._form)
        self._headers = without_extras(probe.extradata or b"")
        self._track = PictureTrack(
            open_stream(self._out, self._form, self._headers + self._plan.headers),
            depth=max(probe.reorder_depth, self._plan.depth),
            first_pts=first - self._zero,
            step=self._step,
            mux=self._mux,
        )
        if self._sound:
            self._sound.attach(self._out, self._zero * self._base)

    def _rate_fps(self) -> Fraction:
        """Of the part's own pictures, as far as their times are known: the rest of the recording is nobody's business."""
        times = self._part.times
        if len(times) < 2:
            return _USUAL_RATE_FPS
        rate = (len(times) - 1) / ((times[-1] - times[0]) * self._base)
        return max(rate.limit_denominator(_FINEST_RATE), Fraction(1, _FINEST_RATE))

    def _notes(self) -> Iterator[str]:
        assert self._look is not None
        if self._look.width % 2 or self._look.height % 2:
            yield "a side is odd: the part is H.264 4:4:4, which some phones do not play"
        if self._look.is_askew:
            yield "the source asks to be turned by an odd angle; the part is not turned"

    def _duration_us(self, length: int) -> int:
        assert self._last is not None
        return round((self._last + length - self._zero) * self._base * 1_000_000)

    def _end_piece(self) -> None:
        if self._piece is not None:
            for packet in self._piece.finish():
                self._track.add(packet)
            self._piece = None

    def _mux(self, packet: "Packet[Any]") -> None:
        assert packet.dts is not None
        if self._sound:
            self._write_sound(packet.dts * self._base)
        write_packet(self._out, packet)

    def _write_sound(self, until_s: Fraction | None) -> None:
        assert self._sound is not None
        for packet in self._sound.until(until_s):
            write_packet(self._out, packet)
