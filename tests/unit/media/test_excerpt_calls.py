"""A part of a compressed call holds the samples that a player would play in its span, one by one."""

from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.child import OnProgress
from media.container import open_recording
from media.errors import NotReleased, Unreadable
from media.excerpt.call import check_call, cut_call
from media.excerpt.cut import cut
from media.excerpt.model import Cut, Form, NothingThere, Span
from media.sound.samples import FORMS
from media.sound.wave import WaveFormat, read_wave, wave_header

UNTOLD: OnProgress = lambda _done, _total: None  # noqa: E731
LEAN = (Phase.explicit, Phase.generate)
Samples = NDArray[np.generic]

#: Name → encoder, container and rate.
CODECS = {
    "opus": ("libopus", "ogg", 48_000),
    "vorbis": ("vorbis", "ogg", 16_000),
    "aac": ("aac", "mp4", 16_000),
    "aac without a container": ("aac", "adts", 16_000),
    "mp3": ("libmp3lame", "mp3", 16_000),
    "flac": ("flac", "flac", 16_000),
    "g722": ("g722", "wav", 16_000),
    "ms adpcm": ("adpcm_ms", "wav", 8_000),
    "ima adpcm": ("adpcm_ima_wav", "wav", 8_000),
    "mu-law in Sun's format": ("pcm_mulaw", "au", 8_000),
}


def speech(rate: int, seconds: float = 2) -> NDArray[np.int16]:
    """Something like a voice, with noise in it: no two stretches are alike."""
    time_s = np.arange(round(rate * seconds)) / rate
    wave = np.sin(2 * np.pi * (200 + 60 * time_s) * time_s) * (1 + np.sin(2 * np.pi * 3 * time_s))
    noise = np.random.default_rng(5).standard_normal(len(time_s)) * 0.02
    return np.asarray((wave * 0.3 + noise) * 20_000, np.int16)


def write_sound(path: Path, codec: str, container: str, rate: int, **changes: Any) -> Path:
    samples = changes.get("samples", speech(rate))
    with av.open(path, "w", format=container) as out:
        layout = "stereo" if codec == "vorbis" else "mono"  # FFmpeg's own encoder knows nothing else
        stream: Any = out.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
        if changes.get("form"):
            stream.format = changes["form"]
        frame = av.AudioFrame.from_ndarray(
            samples.reshape(1, -1), format="s32" if samples.dtype == np.int32 else "s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for block in av.AudioResampler(stream.format, layout, rate).resample(frame):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("calls")
    return {name: write_sound(folder / str(n), *how) for n, (name, how) in enumerate(CODECS.items())}


def played(path: Path, raw_format: str | None = None) -> tuple[NDArray[Any], int]:
    """All samples that a decoder gives, as 16 bits, (samples, channels); and their rate."""
    with open_recording(path, raw_format) as opened:
        frames = [
            frame for packet in opened.container.demux(audio=0) if packet.size for frame in packet.decode()
        ]
        frames += opened.container.streams.audio[0].decode(None)
    blocks = []
    for frame in frames:
        block = frame.to_ndarray()
        if not frame.format.is_planar:
            block = block.reshape(frame.samples, -1).T
        if block.dtype.kind == "f":
            block = np.clip(np.round(block.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
        blocks.append(block)
    return np.concatenate(blocks, axis=1).T, frames[0].sample_rate


def part_of(source: Path, out: Path, start: Any, end: Any, raw_format: str | None = None) -> dict[str, Any]:
    """Cut, and check what was cut, in this process."""
    span = Span(Fraction(start), Fraction(end))
    done = cut_call(source, raw_format, span, out, UNTOLD)
    check_call(source, raw_format, span, out, UNTOLD)
    return done


def written(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        wave = read_wave(file, path.stat().st_size)
        assert wave is not None
        file.seek(wave.offset_bytes)
        kind = {2: "<i2", 4: "<i4"}[wave.format.form.width]
        return np.frombuffer(file.read(), kind)[: wave.total * wave.format.channels].reshape(
            -1, wave.format.channels
        )


instants = st.fractions(0, Fraction(21, 10), max_denominator=48_000)


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=15, phases=LEAN)
@given(start=instants, length=st.fractions(Fraction(1, 100_000), 2, max_denominator=100_000))
def test_it_holds_exactly_the_samples_that_are_played_in_the_span(
    name: str, calls: dict[str, Path], tmp_path: Path, start: Fraction, length: Fraction
) -> None:
    samples, rate = played(calls[name])
    first, end = ceil(start * rate), min(floor((start + length) * rate), len(samples))
    if first >= end:
        with pytest.raises(NothingThere):
            part_of(calls[name], tmp_path / "out.wav", start, start + length)
        return
    done = part_of(calls[name], tmp_path / "out.wav", start, start + length)
    assert (done["samples"], done["rate"], done["notes"]) == (end - first, rate, [])
    assert np.array_equal(written(tmp_path / "out.wav"), samples[first:end])


SHARED = {
    "dev-call-a.alaw.wav": None,
    "dev-call-a.g722": "g722",
    "dev-call-a.m4a": None,
    "dev-call-a.mono.gsm": "gsm",
    "dev-call-a.mono.gsm.wav": None,
    "dev-call-a.mp3": None,
    "dev-call-a.ogg": None,
    "dev-call-a.ulaw.wav": None,
    "dev-call-b.wav": None,
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SHARED)
def test_of_real_calls_too(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "audio" / "calls" / name
    samples, rate = played(source, SHARED[name])
    part_of(source, tmp_path / "out.wav", "13.39", "20.001", SHARED[name])
    wanted = samples[ceil(Fraction("13.39") * rate) : floor(Fraction("20.001") * rate)]
    assert np.array_equal(written(tmp_path / "out.wav"), wanted)


def test_a_part_begins_and_ends_where_the_whole_does(calls: dict[str, Path], tmp_path: Path) -> None:
    samples, _ = played(calls["opus"])
    part_of(calls["opus"], tmp_path / "out.wav", 0, 100)
    assert np.array_equal(written(tmp_path / "out.wav"), samples)


def test_two_parts_that_touch_are_the_whole(calls: dict[str, Path], tmp_path: Path) -> None:
    samples, _ = played(calls["mp3"])
    middle = Fraction(12_345, 16_000)
    part_of(calls["mp3"], tmp_path / "one.wav", 0, middle)
    part_of(calls["mp3"], tmp_path / "two.wav", middle, 3)
    both = np.concatenate([written(tmp_path / "one.wav"), written(tmp_path / "two.wav")])
    assert np.array_equal(both, samples)


def test_what_was_recorded_wide_and_without_loss_stays_so(tmp_path: Path) -> None:
    wide = np.random.default_rng(1).integers(-(2**23), 2**23, 16_000, np.int32) << 8
    source = write_sound(tmp_path / "in.flac", "flac", "flac", 16_000, samples=wide, form="s32")
    part_of(source, tmp_path / "out.wav", "0.25", "0.5")
    assert np.array_equal(written(tmp_path / "out.wav")[:, 0], wide[4000:8000])


def silent_stretch(path: Path) -> Path:
    """A telephone that sends nothing for half a second: two stretches of Opus with times apart."""
    with av.open(path, "w", format="matroska") as out:
        stream: Any = out.add_stream("libopus", rate=48_000, layout="mono")
        for start in (0, 72_000):
            frame = av.AudioFrame.from_ndarray(speech(48_000, 1).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            for packet in stream.encode(frame):
                out.mux(packet)
        out.mux(stream.encode(None))
    return path


def test_what_is_missing_by_the_times_is_silent_and_said(tmp_path: Path) -> None:
    done = part_of(silent_stretch(tmp_path / "in.mka"), tmp_path / "out.wav", "0.9", "1.6")
    (note,) = done["notes"]
    assert "s of sound are missing in the source" in note
    sound = written(tmp_path / "out.wav")
    assert len(sound) == round(0.7 * 48_000)
    assert not sound[round(0.2 * 48_000) : round(0.5 * 48_000)].any()
    assert sound[: round(0.05 * 48_000)].any()
    assert sound[round(0.65 * 48_000) :].any()


def test_nothing_that_the_file_carries_beside_its_sound_gets_through(tmp_path: Path) -> None:
    source = tmp_path / "in.mp3"
    with av.open(source, "w", format="mp3") as out:
        out.metadata["title"] = "a name that nobody may read"
        stream: Any = out.add_stream("libmp3lame", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(speech(16_000).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for block in av.AudioResampler(stream.format, "mono", 16_000).resample(frame):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    part_of(source, tmp_path / "out.wav", 0, 1)
    assert b"a name" in source.read_bytes()
    content = (tmp_path / "out.wav").read_bytes()
    assert b"a name" not in content
    assert len(content) == 44 + 2 * 16_000


@pytest.mark.parametrize("name", ["flac", "opus", "mp3", "aac"])
def test_sound_after_the_part_may_be_damaged_and_before_its_end_not(
    name: str, calls: dict[str, Path], tmp_path: Path
) -> None:
    content = bytearray(calls[name].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    broken = tmp_path / "broken"
    broken.write_bytes(content)
    done = part_of(broken, tmp_path / "out.wav", 0, "0.5")
    assert done["samples"] == done["rate"] // 2
    with pytest.raises(Unreadable, match="cannot be decoded"):
        part_of(broken, tmp_path / "out.wav", "0.5", 2)


def turn_a_bit(out: Path) -> None:
    content = bytearray(out.read_bytes())
    content[-7] ^= 1
    out.write_bytes(content)


def add_a_sample(out: Path) -> None:
    samples = written(out)
    header = wave_header(WaveFormat(FORMS["pcm_s16le"], 1, 16_000, 16, None), len(samples) + 1)
    out.write_bytes(header + samples.tobytes() + bytes(2))


def leave_one_out(out: Path) -> None:
    samples = written(out)[1:]
    out.write_bytes(
        wave_header(WaveFormat(FORMS["pcm_s16le"], 1, 16_000, 16, None), len(samples)) + samples.tobytes()
    )


def hide_something_behind(out: Path) -> None:
    out.write_bytes(out.read_bytes() + b"LIST\x04\0\0\0name")


def hide_something_before(out: Path) -> None:
    content = out.read_bytes()
    out.write_bytes(content[:36] + b"LIST\x04\0\0\0name" + content[36:])


@pytest.mark.parametrize(
    "spoil", [turn_a_bit, add_a_sample, leave_one_out, hide_something_behind, hide_something_before]
)
def test_what_is_not_that_part_is_not_released(calls: dict[str, Path], tmp_path: Path, spoil: Any) -> None:
    out, span = tmp_path / "out.wav", Span(Fraction(1, 2), Fraction(1))
    cut_call(calls["mp3"], None, span, out, UNTOLD)
    check_call(calls["mp3"], None, span, out, UNTOLD)
    spoil(out)
    with pytest.raises(NotReleased):
        check_call(calls["mp3"], None, span, out, UNTOLD)


# --- from outside


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    samples = speech(8000).tobytes()
    path = tmp_path / "plain.wav"
    path.write_bytes(wave_header(WaveFormat(FORMS["pcm_s16le"], 1, 8000, 16, None), 16_000) + samples)
    return path


def test_the_child_process_cuts_what_has_to_be_decoded(calls: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    done = cut(calls["aac"], out, Span(Fraction(1, 2), Fraction(1)))
    assert done == Cut(
        Form.WAV, samples=8000, rate=16_000, duration_us=500_000, size_bytes=out.stat().st_size
    )
    assert done.as_json()["form"] == "wav"
    assert list(tmp_path.iterdir()) == [out]


def test_uncompressed_sound_is_copied_and_not_decoded(plain: Path, tmp_path: Path) -> None:
    done = cut(plain, tmp_path / "out.wav", Span(Fraction(1, 2), Fraction(1)))
    assert (done.form, done.samples) == (Form.SAMPLES, 4000)
    assert (tmp_path / "out.wav").read_bytes()[44:] == plain.read_bytes()[44 + 8000 : 44 + 16_000]


@pytest.mark.parametrize(("start", "end"), [("5", "6"), ("0.00001", "0.00002")])
def test_a_span_without_a_sample_makes_no_file(
    calls: dict[str, Path], tmp_path: Path, start: str, end: str
) -> None:
    with pytest.raises(ValueError, match="nothing of the recording lies from"):
        cut(calls["opus"], tmp_path / "out.wav", Span(Fraction(start), Fraction(end)))
    assert list(tmp_path.iterdir()) == []


def test_sound_without_a_header_keeps_none(tmp_path: Path) -> None:
    source = tmp_path / "in.ul"
    source.write_bytes(bytes(range(256)) * 60)
    span = Span(Fraction(1, 2), Fraction(1))
    with pytest.raises(ValueError, match=r"do not name it \.wav"):
        cut(source, tmp_path / "out.wav", span, raw_format="mulaw")
    assert cut(source, tmp_path / "out.ul", span, raw_format="mulaw").samples == 4000
    assert (tmp_path / "out.ul").read_bytes() == source.read_bytes()[4000:8000]


def test_the_name_says_what_comes_out(calls: dict[str, Path], tmp_path: Path) -> None:
    span = Span(Fraction(0), Fraction(1))
    with pytest.raises(Unreadable, match="no moving picture"):
        cut(calls["opus"], tmp_path / "out.mp4", span)
    with pytest.raises(ValueError, match=r"name it \.mp4 or \.wav"):
        cut(calls["opus"], tmp_path / "out.ogg", span)
    with pytest.raises(ValueError, match="its own source"):
        cut(calls["opus"], calls["opus"], span)


def test_two_sound_tracks_are_no_single_wav(tmp_path: Path) -> None:
    source = tmp_path / "in.mka"
    with av.open(source, "w", format="matroska") as out:
        streams: list[Any] = [out.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(speech(8000).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = 8000
            out.mux(stream.encode(frame))
    with pytest.raises(Unreadable, match="2 sound tracks"):
        cut(source, tmp_path / "out.wav", Span(Fraction(0), Fraction(1)))
