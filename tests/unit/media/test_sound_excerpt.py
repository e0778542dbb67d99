"""An excerpt holds the samples of its span, bit by bit, and nothing of what lies outside."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import NotReleased, Unreadable, UnsupportedCodec
from media.sound import excerpt
from media.sound.excerpt import Excerpt, cut
from media.sound.samples import FORMS
from media.sound.wave import WaveFormat, read_wave, wave_header

SECRET = b"recorded by someone"
NAMES = st.sampled_from(sorted(FORMS))


def recorded(found: WaveFormat, samples: bytes, *, chunk: bytes = b"") -> BinaryIO:
    """A WAV in a file without a name; `chunk` lies between its format and its sound."""
    header = wave_header(found, len(samples) // found.frame_bytes)
    head, data = header[:-8], header[-8:]
    file = TemporaryFile()  # noqa: SIM115 - the test closes it
    extra = b"LIST" + len(chunk).to_bytes(4, "little") + chunk + b"\0" * (len(chunk) % 2) if chunk else b""
    file.write(head + extra + data + samples)
    file.flush()
    return file


def mono(form: str = "pcm_s16le", rate: int = 8000, channels: int = 1) -> WaveFormat:
    return WaveFormat(FORMS[form], channels, rate, 8 * FORMS[form].width, None)


@given(
    name=NAMES,
    channels=st.integers(1, 3),
    rate=st.sampled_from([8000, 11025, 44100]),
    total=st.integers(1, 400),
    start=st.fractions(0, Fraction(4, 100), max_denominator=1_000_000),
    length=st.fractions(0, Fraction(4, 100), max_denominator=1_000_000),
)
def test_it_holds_exactly_the_samples_whose_instants_lie_inside(
    name: str, channels: int, rate: int, total: int, start: Fraction, length: Fraction
) -> None:
    found = mono(name, rate, channels)
    frame = found.frame_bytes
    samples = bytes(n * 7 % 251 for n in range(total * frame))
    inside = [n for n in range(total) if start * rate <= n <= (start + length) * rate - 1]
    with recorded(found, samples) as source, TemporaryFile() as out:
        if not inside:
            with pytest.raises(ValueError, match="no sample"):
                cut(source, out, start, start + length)
            return
        part = cut(source, out, start, start + length)
        assert part == Excerpt(inside[0], inside[-1] + 1, rate)
        size_bytes = out.seek(0, 2)
        wave = read_wave(out, size_bytes)
        assert wave
        assert wave.total == len(inside)
        out.seek(wave.offset_bytes)
        assert out.read(wave.total * frame) == samples[inside[0] * frame : (inside[-1] + 1) * frame]


def test_nothing_that_the_file_carries_beside_its_sound_gets_through() -> None:
    samples = bytes(range(200)) * 40
    with recorded(mono(), samples, chunk=SECRET) as source, TemporaryFile() as out:
        cut(source, out, Fraction(1, 10), Fraction(2, 10))
        out.seek(0)
        assert SECRET not in out.read()


def test_sound_without_a_header_stays_without_one() -> None:
    samples = bytes(n % 256 for n in range(16_000))
    with TemporaryFile() as source, TemporaryFile() as out:
        source.write(samples)
        source.flush()
        assert cut(source, out, Fraction(1, 2), Fraction(3, 4), "mulaw") == Excerpt(4000, 6000, 8000)
        out.seek(0)
        assert out.read() == samples[4000:6000]


@pytest.mark.parametrize(
    ("content", "raw_format"), [(b"OggS" + bytes(100), None), (b"", None), (bytes(330), "gsm")]
)
def test_what_cannot_be_cut_to_the_sample_is_refused(content: bytes, raw_format: str | None) -> None:
    with TemporaryFile() as source, TemporaryFile() as out:
        source.write(content)
        source.flush()
        with pytest.raises(UnsupportedCodec, match="uncompressed"):
            cut(source, out, Fraction(0), Fraction(1), raw_format)
        assert out.seek(0, 2) == 0


def test_a_span_after_the_end_is_no_excerpt() -> None:
    with recorded(mono(), bytes(1600)) as source, TemporaryFile() as out:
        with pytest.raises(ValueError, match="no sample"):
            cut(source, out, Fraction(1), Fraction(2))
        assert out.seek(0, 2) == 0


def test_a_file_that_becomes_shorter_meanwhile_gives_no_excerpt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpt, "_BLOCK_BYTES", 100)
    with recorded(mono(), bytes(1600)) as source, TemporaryFile() as out:

        class Shrinking(BytesIO):
            def write(self, block: bytes) -> int:  # type: ignore[override]
                source.truncate(60)
                return out.write(block)

            def tell(self) -> int:
                return out.tell()

        with pytest.raises(Unreadable, match="shorter"):
            cut(source, Shrinking(), Fraction(0), Fraction(1))


def test_what_was_written_wrong_is_not_released(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with recorded(mono(), bytes(1600)) as source, path.open("w+b") as out:

        class Spoiling:
            """A disk that turns a bit of the sound."""

            def __getattr__(self, name: str) -> object:
                return getattr(out, name)

            def flush(self) -> None:
                out.seek(-1, 2)
                out.write(b"\x01")
                out.flush()

        with pytest.raises(NotReleased, match="not the part"):
            cut(source, Spoiling(), Fraction(0), Fraction(1, 10))  # type: ignore[arg-type]
