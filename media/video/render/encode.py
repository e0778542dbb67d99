"""Encode painted pictures in pieces, each with its own share of bytes.

A piece is a closed run of a few seconds with an encoder of its own, which
starts with an IDR picture. Its target comes from the bytes that the source
spent on the same pictures, so a busy minute may cost what it cost before, and a
calm night stays small. What one piece overdraws, the next ones pay back.

H.264, 8 bit, 4:2:0, whatever the source has: every browser and player shows it.
(A source with an odd side becomes 4:4:4, which keeps its size; some phones will
not play it.)
The encoder's psychovisual tricks are off. They invent grain and take bits from
what they think nobody looks at; here the source's own pixels count. Measured on
the labelled clips at the same size: 1 to 2 dB nearer to the source.

The same pictures and the same byte counts give the same bytes on the same
number of threads.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.errors import ToolFailed
from media.video.render.look import Look
from media.video.render.model import QP_WORST
from media.video.render.paint import output_format

GROWTH = (
    1.08  #: bytes of the output for one byte of the source; the promise is 1.1, and a container adds some
)
MOST_GROWTH = 1.65  #: of a single piece, where earlier ones left something over
PIECE_FRAMES = 250
PIECE_SECONDS = 12
_PRESET = "faster"  #: 0.8 of veryfast's speed, and 1 to 1.5 dB better at the same size
_QP_BEST = 10  #: nothing is gained beyond it
_SPARE_BYTES = 2048  #: a piece's: its first picture stands alone, where the source's may not have
_LEVEL_AT = 7  #: in Annex B headers: start code, type of unit, profile, constraints, level
_SEI = 6
_DROP_UNITS = "filter_units=pass_types=1|5"  #: slices; SEI, delimiters, filler and end marks go


@dataclass(frozen=True, slots=True)
class Form:
    """What all pieces of one output have in common."""

    look: Look
    aspect: Fraction | None  #: of one pixel
    time_base: Fraction
    rate_fps: Fraction
    sps_id: int
    threads: int
    level: int | None = None  #: ten times H.264's level; None lets the encoder choose
    quantiser: int | None = None  #: the same for every picture, whatever it costs; None goes by bytes


def settled(form: Form, *, most_bits: int = 1_000_000) -> Form:
    """`form` with the level that its busiest piece needs: each piece would choose its own, and headers would differ."""
    headers = without_extras(open_encoder(form, bit_rate=most_bits).extradata or b"")
    return replace(form, level=headers[_LEVEL_AT])


def piece_frames(rate_fps: Fraction) -> int:
    """How many pictures a piece has at most."""
    return max(1, min(PIECE_FRAMES, round(rate_fps * PIECE_SECONDS)))


def open_encoder(form: Form, *, bit_rate: int = 1_000_000) -> VideoCodecContext:
    """An encoder for one piece; its headers are the same for every piece of the same form.

    `bit_rate` counts only where the form names no quantiser.
    """
    encoder = av.CodecContext.create("libx264", "w")
    describe(encoder, form)
    encoder.thread_count = form.threads
    encoder.gop_size = PIECE_FRAMES
    if form.quantiser is None:
        encoder.bit_rate = bit_rate
    level = "" if form.level is None else f":level={form.level}"
    encoder.options = {
        "preset": _PRESET,
        **_quality(form),
        "a53cc": "0",
        "x264-params": f"stitchable=1:sps-id={form.sps_id}:psy=0:aq-mode=0:open-gop=0{level}",
    }
    encoder.open()
    return encoder


def _quality(form: Form) -> dict[str, str]:
    if form.quantiser is not None:
        return {"qp": str(form.quantiser)}
    return {"qmin": str(_QP_BEST), "qmax": str(QP_WORST)}


def open_stream(out: OutputContainer, form: Form, headers: bytes) -> VideoStream:
    """A track of `out` that takes packets of this form; `headers` are parameter sets in Annex B."""
    stream = out.add_stream("libx264", rate=form.rate_fps)
    assert isinstance(stream, VideoStream)
    describe(stream.codec_context, form)
    stream.time_base = form.time_base
    stream.set_display_matrix(form.look.matrix)
    stream.codec_context.open()
    stream.codec_context.extradata = headers
    return stream


def describe(context: Any, form: Form) -> None:
    """Set what the form says on an encoder, or on the track that takes its packets."""
    look = form.look
    context.width, context.height = look.width, look.height
    context.pix_fmt = output_format(look.width, look.height, is_full_range=look.is_full_range)
    context.color_range = 2 if look.is_full_range else 1
    context.colorspace, context.color_primaries, context.color_trc = look.colour
    context.time_base, context.framerate = form.time_base, form.rate_fps
    if form.aspect:
        context.sample_aspect_ratio = form.aspect
    context.flags |= Flags.global_header | Flags.bitexact
    if look.is_interlaced:
        context.flags |= Flags.interlaced_dct


class Piece:
    """One closed run of pictures on its way through an encoder."""

    def __init__(self, form: Form, *, budget_bytes: float = 0, duration_s: float = 0) -> None:
        self._encoder = open_encoder(form, bit_rate=max(1000, int(budget_bytes * 8 / max(duration_s, 0.04))))
        self.headers = without_extras(self._encoder.extradata or b"")
        self._strip = BitStreamFilterContext(_DROP_UNITS, "h264")
        self.reorder_depth = self._encoder.reorder_depth
        self.size_bytes = 0

    def add(self, frame: VideoFrame) -> list["Packet[Any]"]:
        """Encode one picture; packets come out in decoding order, some pictures later."""
        frame.pict_type = 0  # the decoder's choice of picture types is none of the encoder's business
        return self._stripped(self._encoder.encode(frame))

    def finish(self) -> list["Packet[Any]"]:
        """The rest of the packets."""
        return self._stripped(self._encoder.encode(None))

    def _stripped(self, packets: list["Packet[Any]"]) -> list["Packet[Any]"]:
        """Without what an encoder tells beside the picture: its name and settings (SEI), delimiters, filler."""
        kept = []
        for packet in packets:
            pts, is_key = packet.pts, packet.is_keyframe
            (slim,) = self._strip.filter(packet) or (None,)
            if slim is None:
                raise ToolFailed("the encoder gave a packet without a picture")
            slim.pts, slim.is_keyframe = pts, is_key
            slim.time_base = self._encoder.time_base
            self.size_bytes += slim.size
            kept.append(slim)
        return kept


def without_extras(headers: bytes) -> bytes:
    """Annex B headers without SEI, where x264 writes its name and every setting."""
    units = [unit for unit in headers.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    return b"".join(b"\0\0\0\1" + unit for unit in units if unit[0] & 0x1F != _SEI)


class Purse:
    """How many bytes each piece may take."""

    def __init__(self) -> None:
        self._source = 0.0
        self._spent = 0.0

    def budget(self, source_bytes: int) -> float:
        """For pictures that took `source_bytes`; with what earlier pieces left over, or without what they overdrew."""
        plain = source_bytes * GROWTH + _SPARE_BYTES
        saved = self._source - self._spent
        self._source += plain
        return min(max(plain + saved, plain / 2), plain * MOST_GROWTH / GROWTH)

    def pay(self, size_bytes: int) -> None:
        """A piece came to so many bytes."""
        self._spent += size_bytes
