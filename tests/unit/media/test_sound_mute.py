"""Muted copies of calls: exact where samples lie in the open, silent and as long in every codec, or not there at all."""

import json
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from media.errors import MediaToolError, NotReleased, ToolFailed, Unreadable
from media.sound.mute import Request, mute
from media.sound.samples import FORMS, Style
from media.sound.spans import Mute
from tests.builders.sound import chunk, decode, encode, loud, mute_here, samples_of, wave_bytes

SILENT = 1e-4
_ALAW_SILENCE = 8 / 32768


def ask(
    *texts: str, channel: int | None = None, style: Style = Style.SILENCE, raw: str | None = None
) -> Request:
    return Request(tuple(Mute.parse(text, channel) for text in texts), style, raw)


def level(
    path: Path, start_s: float, end_s: float, channel: int | None = None, form: str | None = None
) -> float:
    """The loudest sample of a stretch."""
    samples, rate = decode(path, form=form)
    part = samples[:, round(start_s * rate) : round(end_s * rate)]
    return float(np.abs(part if channel is None else part[channel]).max())


def names(folder: Path) -> list[str]:
    """What lies there, hidden files too."""
    return sorted(one.name for one in folder.iterdir())


WAVES = {
    "pcm_u8": (1, 8),
    "pcm_s16le": (1, 16),
    "pcm_s24le": (1, 24),
    "pcm_s32le": (1, 32),
    "pcm_f32le": (3, 32),
    "pcm_f64le": (3, 64),
    "pcm_mulaw": (7, 8),
    "pcm_alaw": (6, 8),
}


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("name", WAVES)
def test_every_form_of_wav_is_silent_to_the_sample_and_else_bit_identical(
    tmp_path: Path, name: str, extensible: bool
) -> None:
    form, (tag, bits) = FORMS[name], WAVES[name]
    samples = form.from_levels(loud(2).T.reshape(-1))
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    source.write_bytes(wave_bytes(samples.tobytes(), tag, bits=bits, extensible=extensible))
    report = mute_here(source, out, ask("0.5-0.75", channel=1))
    assert report.tracks[0].method == "splice"
    before, after = decode(source)[0], decode(out)[0]
    changed = np.flatnonzero((before != after).any(axis=0))
    assert before.shape == after.shape
    assert changed.min() >= 4000 - 40
    assert changed.max() < 6000 + 40
    assert np.array_equal(before[0], after[0])
    assert np.abs(after[1, 4000:6000]).max() <= _ALAW_SILENCE
    assert np.abs(before[1, 4000:6000]).max() > 0.2


def test_only_format_and_samples_are_written(tmp_path: Path) -> None:
    secret = b"Yamada Taro 090-1234-5678"
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    data = np.arange(4000, dtype="<i2").tobytes()
    extra = chunk(b"LIST", b"INFOINAM" + secret) + chunk(b"bext", secret * 30) + chunk(b"odd ", b"abc")
    source.write_bytes(wave_bytes(data, before=extra, after=extra))
    mute_here(source, out, ask("0.1-0.11"))
    written = out.read_bytes()
    assert secret not in written
    assert [written[12:16], written[36:40]] == [b"fmt ", b"data"]
    assert len(written) == 44 + len(data)


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 10**9])
def test_a_recorder_that_was_cut_off_loses_nothing_that_is_there(tmp_path: Path, claimed: int) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    data = np.full(8001, 77, "<i2").tobytes()  # half a frame at the end
    source.write_bytes(wave_bytes(data, data_size=claimed))
    assert mute_here(source, out, ask("0.1-0.2")).tracks[0].total_samples == 4000
    assert struct.unpack("<I", out.read_bytes()[40:44]) == (16_000,)


def test_rf64_is_read_and_becomes_a_plain_wav(tmp_path: Path) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    data = np.full(8000, 77, "<i2").tobytes()
    plain = wave_bytes(data, data_size=0xFFFFFFFF)
    ds64 = chunk(b"ds64", struct.pack("<QQQI", len(plain) + 28, len(data), 4000, 0))
    source.write_bytes(b"RF64\xff\xff\xff\xffWAVE" + ds64 + plain[12:] + b"LIST" + bytes(40))
    report = mute_here(source, out, ask("0.1-0.2"))
    assert report.tracks[0].total_samples == 4000
    assert out.read_bytes()[:4] == b"RIFF"
    assert decode(out)[0].shape == (2, 4000)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(0, 1990), st.integers(1, 120), st.sampled_from([None, 0, 1])),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["pcm_s16le", "pcm_mulaw"]),
)
def test_any_spans_in_any_order_silence_exactly_what_they_name(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int, int | None]], name: str
) -> None:
    folder = tmp_path_factory.mktemp("spans")
    form, (tag, bits) = FORMS[name], WAVES[name]
    source, out = folder / "in.wav", folder / "out.wav"
    source.write_bytes(wave_bytes(form.from_levels(loud(2).T.reshape(-1)).tobytes(), tag, bits=bits))
    mutes = tuple(Mute.parse(f"{low / 1000}-{(low + length) / 1000}", side) for low, length, side in spans)
    mute_here(source, out, Request(mutes))
    before, after = decode(source)[0], decode(out)[0]
    for side in (0, 1):
        muted, near = np.zeros(16_000, bool), np.zeros(16_000, bool)
        for low, length, which in spans:
            if which in {None, side}:
                muted[low * 8 : (low + length) * 8] = True
                near[max(low * 8 - 40, 0) : (low + length) * 8 + 40] = True
        assert not after[side, muted].any()
        assert np.array_equal(after[side, ~near], before[side, ~near])


def test_ten_thousand_mutes_are_all_silent(tmp_path: Path) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    source.write_bytes(wave_bytes(np.full((8000 * 200, 2), 999, "<i2").tobytes()))
    starts = np.random.default_rng(3).permutation(10_000) * 20
    mute_here(
        source,
        out,
        Request(tuple(Mute.parse(f"{at / 1000}-{(at + 5) / 1000}", int(at) % 2) for at in starts)),
    )
    after = decode(out)[0]
    for side in (0, 1):
        places = starts[starts % 2 == side]
        assert not any(after[side, at * 8 : at * 8 + 40].any() for at in places.tolist())
    assert not after[0].any() or (after[0] != 0).mean() > 0.5


CODECS = {
    "call.ogg": ("libopus", 48_000),
    "call.m4a": ("aac", 8000),
    "call.mp3": ("libmp3lame", 8000),
    "call.aac": ("aac", 16_000),
    "call.mka": ("libopus", 48_000),
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", CODECS)
def test_compressed_calls_are_silent_in_the_spans_and_untouched_elsewhere(
    tmp_path: Path, name: str, channels: int
) -> None:
    codec, rate = CODECS[name]
    source = encode(tmp_path / name, loud(6, rate, channels), codec, rate)
    out = tmp_path / f"out-{name}"
    report = mute_here(source, out, ask("2-2.5", "4-4.01", "0-0.1"))
    track = report.tracks[0]
    before, after = decode(source)[0], decode(out)[0]
    assert track.method == "packets"
    assert before.shape == after.shape
    for start_s, end_s in ((2, 2.5), (4, 4.01), (0, 0.1)):
        assert level(out, start_s, end_s) <= SILENT
        assert level(source, start_s, end_s) > 0.2
    far = np.ones(before.shape[1], bool)
    for low, high in track.muted[0].silent:
        far[max(low - rate // 10, 0) : high + rate] = False  # decoders settle within a second
    assert np.allclose(before[:, far], after[:, far], atol=2e-3)
    assert sum(high - low for low, high in track.muted[0].silent) < 2.0 * rate
    assert b"Yamada" not in out.read_bytes()


@pytest.mark.parametrize("name", ["call.ogg", "call.m4a", "call.mp3"])
def test_what_was_said_in_a_span_changes_nothing_that_is_heard_there(tmp_path: Path, name: str) -> None:
    """Two calls that differ in the span alone are decoded to the same silence; not one packet of it is kept."""
    codec, rate = CODECS[name]
    quiet = loud(4, rate, 1)
    other = quiet.copy()
    other[:, 2 * rate : 3 * rate] = loud(1, rate, 1, seed=9)
    kept = []
    for number, levels in enumerate((quiet, other)):
        source = encode(tmp_path / f"{number}{name}", levels, codec, rate)
        out = tmp_path / f"{number}-out{name}"
        mute_here(source, out, ask("2-3"))
        kept.append(decode(out)[0][:, 2 * rate : 3 * rate])
        assert np.abs(decode(source)[0][:, 2 * rate : 3 * rate]).max() > 0.2
    assert np.array_equal(kept[0], kept[1])


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("adpcm_ms", "a.wav"),
        ("adpcm_ima_wav", "b.wav"),
        ("g722", "c.wav"),
        ("libopencore_amrnb", "d.amr"),
        ("flac", "e.flac"),
        ("alac", "f.m4a"),
    ],
)
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_codecs_with_a_memory_are_written_anew_and_else_sound_the_same(
    tmp_path: Path, codec: str, name: str, suffix: str
) -> None:
    rate = 16_000 if codec == "g722" else 8000
    channels = 1 if codec in {"g722", "libopencore_amrnb"} else 2
    source = encode(tmp_path / name, loud(2, rate, channels), codec, rate)
    out = tmp_path / f"out{suffix}"
    report = mute_here(source, out, ask("0.5-0.75", channel=0))
    before, after = decode(source)[0], decode(out)[0]
    assert report.tracks[0].method == "edit"
    assert before.shape == after.shape
    assert not after[0, rate // 2 : rate * 3 // 4].any()
    outside = np.ones(before.shape[1], bool)
    outside[rate // 2 - rate // 100 : rate * 3 // 4 + rate // 100] = False
    assert np.allclose(before[:, outside].clip(-1, 1), after[:, outside], atol=0.6 / 32768 + (1 / 32768))
    assert np.allclose(before[1:], after[1:], atol=1.6 / 32768)


@pytest.mark.parametrize("name", ["call.ogg", "call.m4a", "call.mp3"])
def test_one_side_of_a_compressed_call_keeps_the_other_one_exactly_as_it_decodes(
    tmp_path: Path, name: str
) -> None:
    codec, rate = CODECS[name]
    source = encode(tmp_path / name, loud(3, rate), codec, rate)
    with pytest.raises(ValueError, match=r"name the result \.flac"):
        mute(source, tmp_path / f"out-{name}", ask("1-2", channel=1))
    assert not (tmp_path / f"out-{name}").exists()
    out = tmp_path / "out.flac"
    mute_here(source, out, ask("1-2", channel=1))
    before, after = decode(source)[0], decode(out)[0]
    assert not after[1, rate : 2 * rate].any()
    assert np.abs(before[0].clip(-1, 1) - after[0]).max() <= 1.01 / 32768


@pytest.mark.parametrize(
    ("raw", "name"), [("mulaw 8000 2ch", "pcm_mulaw"), ("alaw", "pcm_alaw"), ("s16le 16000 1ch", "pcm_s16le")]
)
@pytest.mark.parametrize("suffix", [".raw", ".wav"])
def test_headerless_samples_are_spliced_as_they_lie(tmp_path: Path, raw: str, name: str, suffix: str) -> None:
    form = FORMS[name]
    channels, rate = (2 if "2ch" in raw else 1), (16_000 if "16000" in raw else 8000)
    source, out = tmp_path / "in.raw", tmp_path / f"out{suffix}"
    data = form.from_levels(loud(1, rate, channels).T.reshape(-1)).tobytes()
    source.write_bytes(data)
    assert mute_here(source, out, ask("0.5-0.6", raw=raw)).tracks[0].method == "splice"
    written = out.read_bytes()[-len(data) :]
    low, high = (round(at * rate) * channels * form.width for at in (0.5, 0.6))
    fade = rate // 200 * channels * form.width
    assert written[low:high] == form.silence * ((high - low) // form.width)
    assert written[: low - fade] == data[: low - fade]
    assert written[high + fade :] == data[high + fade :]


def test_headerless_samples_can_become_flac(tmp_path: Path) -> None:
    source, out = tmp_path / "in.ulaw", tmp_path / "out.flac"
    source.write_bytes(FORMS["pcm_mulaw"].from_levels(loud(1).T.reshape(-1)).tobytes())
    report = mute_here(source, out, ask("0.5-0.6", raw="mulaw 8000 2ch"))
    assert [(each.method, each.container) for each in report.tracks] == [("edit", "flac")]
    assert level(out, 0.5, 0.6) == 0
    assert decode(out)[0].shape == (2, 8000)


def test_a_header_counts_more_than_a_hint_at_headerless_samples(tmp_path: Path) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    source.write_bytes(wave_bytes(FORMS["pcm_s16le"].from_levels(loud(2).T.reshape(-1)).tobytes()))
    report = mute_here(source, out, ask("1-1.5", raw="mulaw 8000 1ch"))
    assert (report.tracks[0].codec, report.tracks[0].channels) == ("pcm_s16le", 2)
    assert level(out, 1, 1.5) == 0
    with pytest.raises(ValueError, match="unknown raw format"):
        mute_here(source, out, ask("1-1.5", raw="mulaw 8000 9ch"))


@pytest.mark.parametrize("width", [4, 8])
def test_floats_that_are_no_numbers_do_no_harm(tmp_path: Path, width: int) -> None:
    """Not even a warning on the operator's screen: here, a warning is an error."""
    kind, fault = ("<u4", 0x7F800001) if width == 4 else ("<u8", 0x7FF0000000000001)
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    source.write_bytes(wave_bytes(np.full(8000, fault, kind).tobytes(), tag=3, bits=8 * width))
    mute_here(source, out, ask("0.1-0.2"))
    written = np.frombuffer(out.read_bytes()[-8000 * width :], kind)
    assert not written[1600:3200].any()
    assert (written[:1520] == fault).all()


@pytest.mark.parametrize("raw", [None, "s16le 8000 2ch"])
def test_samples_that_lie_in_the_open_need_no_decoder(
    tmp_path: Path, raw: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = FORMS["pcm_s16le"].from_levels(loud(1).T.reshape(-1)).tobytes()
    source = tmp_path / "in.wav"
    source.write_bytes(data if raw else wave_bytes(data))
    monkeypatch.setattr("media.sound.mute._WORKER", "media.no_such_worker")
    mute(source, tmp_path / "out.wav", ask("0.5-0.6", raw=raw))
    assert level(tmp_path / "out.wav", 0.5, 0.6) == 0
    with pytest.raises(ToolFailed, match="no_such_worker died"):
        mute(source, tmp_path / "out.flac", ask("0.5-0.6", raw=raw))


def test_a_tone_replaces_speech_in_a_wav_and_in_what_is_written_anew(tmp_path: Path) -> None:
    wave = tmp_path / "in.wav"
    wave.write_bytes(wave_bytes(FORMS["pcm_s16le"].from_levels(loud(2).T.reshape(-1)).tobytes()))
    for suffix in (".wav", ".flac"):
        out = tmp_path / f"out{suffix}"
        mute_here(wave, out, ask("0.5-9", channel=0, style=Style.TONE))
        samples = decode(out)[0]
        assert np.abs(np.fft.rfft(samples[0, 4000:12_000])).argmax() == 1000
        assert np.array_equal(samples[1], decode(wave)[0][1])


def test_the_report_says_what_was_asked_what_was_done_and_how_it_was_checked(tmp_path: Path) -> None:
    source = encode(tmp_path / "call.m4a", loud(3), "aac")
    report = json.loads(json.dumps(mute_here(source, tmp_path / "out.m4a", ask("1-1.5")).as_json()))
    track = report["tracks"][0]
    assert report["asked"] == [{"start_s": 1.0, "end_s": 1.5, "channel": None}]
    assert track["muted"][0]["asked_s"] == [[1.0, 1.5]]
    assert track["muted"][0]["silent_s"][0][0] <= 1.0
    assert "below -80 dBFS" in track["checked"]
    assert str(tmp_path) not in json.dumps(report)


class _Stop(Exception):
    """A person changed their mind."""


@pytest.mark.parametrize("name", ["call.wav", "call.ogg", "call.m4a", "call.mp3"])
def test_a_cancelled_mute_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    codec, rate = CODECS.get(name, ("pcm_s16le", 8000))
    source = encode(tmp_path / name, loud(3, rate), codec, rate)
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        raise _Stop

    with pytest.raises(_Stop):
        mute(source, tmp_path / f"out-{name}", ask("1-2"), stop)
    assert seen
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["call.wav", "call.ogg", "call.m4a", "call.mp3", "call.aac", "call.flac"])
def test_what_is_not_silent_after_all_is_never_published(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check reads the file: it finds a writer that forgot what to mute, whatever the writer says."""
    codec, rate = CODECS.get(name, ("flac" if name.endswith("flac") else "pcm_s16le", 8000))
    source = encode(tmp_path / name, loud(3, rate), codec, rate)
    monkeypatch.setattr("media.sound.samples.Painter.paint", lambda *_: None)
    monkeypatch.setattr("media.sound.packets.is_affected", lambda *_: False)
    monkeypatch.setattr("media.sound.ogg.is_affected", lambda *_: False)
    with pytest.raises(NotReleased, match="not silent"):
        mute_here(source, tmp_path / f"out-{name}", ask("1-2"))
    assert names(tmp_path) == [name]


def test_a_recording_is_never_overwritten_by_its_own_redaction(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(wave_bytes(bytes(8000)))
    (tmp_path / "same.wav").symlink_to(source)
    before = source.read_bytes()
    for out in (source, tmp_path / "same.wav"):
        with pytest.raises(ValueError, match="is the recording itself"):
            mute(source, out, ask("0-0.1"))
    assert source.read_bytes() == before


def test_a_mute_outside_the_recording_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for name in ("call.wav", "call.m4a", "call.flac"):
        codec, rate = CODECS.get(name, ("flac" if name.endswith("flac") else "pcm_s16le", 8000))
        source = encode(tmp_path / name, loud(1, rate), codec, rate)
        with pytest.raises(ValueError, match="starts after the recording ends"):
            mute(source, tmp_path / f"out-{name}", ask("0.1-0.2", "100-101"))
        assert not (tmp_path / f"out-{name}").exists()


def test_a_result_of_an_unknown_kind_is_refused_in_words(tmp_path: Path) -> None:
    source = encode(tmp_path / "call.m4a", loud(1), "aac")
    with pytest.raises(ValueError, match="is not written here: name it"):
        mute(source, tmp_path / "out.xyz", ask("0-0.1"))
    with pytest.raises(ValueError, match=r"\.flac or \.wav"):
        mute(source, tmp_path / "out.webm", ask("0-0.1"))


@pytest.mark.parametrize("name", ["call.wav", "call.ogg", "call.m4a", "call.mp3", "call.flac"])
def test_mutated_headers_are_refused_or_muted_right(tmp_path: Path, name: str) -> None:
    """Whatever a stranger does to the first bytes, a result is silent where it should be, or there is none."""
    codec, rate = CODECS.get(name, ("flac" if name.endswith("flac") else "pcm_s16le", 8000))
    good = encode(tmp_path / name, loud(1.5, rate), codec, rate).read_bytes()
    random = np.random.default_rng(7)
    outcomes = {"muted": 0, "refused": 0}
    for _ in range(60):
        bad = bytearray(good)
        for at in random.integers(0, min(600, len(bad)), random.integers(1, 5)):
            bad[at] = random.integers(0, 256)
        if random.random() < 0.3:
            del bad[random.integers(20, len(bad)) :]
        source, out = tmp_path / f"bad-{name}", tmp_path / f"out-{name}"
        source.write_bytes(bad)
        outcomes[_mute_if_possible(source, out)] += 1
        assert not [one for one in names(tmp_path) if one.startswith(".")]
    assert outcomes["refused"]
    assert outcomes["muted"] or name == "call.ogg"  # where every page has a checksum


def _mute_if_possible(source: Path, out: Path) -> str:
    out.unlink(missing_ok=True)
    try:
        report = mute_here(source, out, ask("0.4-0.6"))
    except (MediaToolError, ValueError):
        assert not out.exists()
        return "refused"
    assert report.tracks[0].total_samples > 0
    assert _loudest(out, 0.4, 0.6) <= SILENT
    return "muted"


def _loudest(path: Path, start_s: float, end_s: float) -> float:
    """As `level`, but by the clock, and over packets that cannot be decoded: they were damaged before."""
    heard = 0.0
    with av.open(path) as container:
        stream = container.streams.audio[0]
        first_s = float((stream.start_time or 0) * (stream.time_base or 1))
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                continue
            for frame in frames:
                assert isinstance(frame, AudioFrame)
                at_s = (frame.time or 0.0) - first_s
                low, high = (round((edge - at_s) * frame.sample_rate) for edge in (start_s, end_s))
                part = samples_of(frame)[:, max(low, 0) : max(high, 0)]
                heard = max(heard, float(np.abs(part).max(initial=0)))
    return heard


def test_what_is_no_recording_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello " * 100)
    for name in ("text.wav", "nothing.wav"):
        with pytest.raises(Unreadable):
            mute(tmp_path / name, tmp_path / "out.wav", ask("0-0.1"))
