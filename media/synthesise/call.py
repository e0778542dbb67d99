"""Telephone calls: two people take turns, each on a channel of their own.

What goes over a telephone line is what is heard here: 300 to 3400 Hz at 8 kHz,
even loudness, a little line noise, DTMF where keys are pressed. The voices are
espeak-ng's; nobody takes them for people, and they say exactly what they were
told to, so the truth about every word and digit is known.

Times are sample positions at `RATE`.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from media.process import python_module, run
from media.synthesise.speak import SAMPLE_RATE

RATE = 8000
SIDES = ("agent", "caller")  #: channel 0 and channel 1
Side = Literal["agent", "caller"]
Language = Literal["en", "ja", "dtmf"]
Codec = Literal["pcm_s16le", "pcm_mulaw", "pcm_alaw"]
Samples = NDArray[np.float64]

_VOICES: dict[tuple[Side, Language], tuple[str, ...]] = {
    ("agent", "en"): ("en-us+f3", "en+f2", "en-us+m7"),
    ("caller", "en"): ("en+m3", "en-us+m1", "en+f4"),
    ("agent", "ja"): ("ja+f2", "ja+f3", "ja+m2"),
    ("caller", "ja"): ("ja+m3", "ja+m1", "ja+f4"),
}
_BAND_HZ = (300, 3400)
_LOUDNESS = 0.09  #: root mean square of speech, -21 dBFS: common on lines
_LINE_NOISE = 0.0006  #: -64 dBFS
_KANJI = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KEYS = {
    key: (row, column)
    for row, keys in enumerate(("123A", "456B", "789C", "*0#D"))
    for column, key in enumerate(keys)
}
_ROWS_HZ, _COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  #: ITU-T Q.23
_KEY_S, _KEY_GAP_S = 0.1, 0.09
_SPEAK_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said what, and where it lies: the truth that transcripts and redaction are measured against."""

    side: Side
    language: Language
    text: str
    start: int  #: first sample
    end: int  #: first sample after it


def make_call(
    path: Path, lines: Sequence[tuple[Side, Language, str]], *, codec: Codec = "pcm_s16le", seed: int = 0
) -> tuple[Turn, ...]:
    """Write a two-channel WAV at 8 kHz: the agent on the first channel, the caller on the second.

    Args:
        path: Where to write; replaced if it exists.
        lines: Who says what, in which language. Japanese is written in kana. "dtmf" presses keys.
        codec: Linear PCM or G.711.
        seed: Of voices, pauses and line noise.

    Raises:
        ValueError: There is no line, a Japanese line holds kanji (which espeak-ng cannot read), or there
            is no such key.
        ToolFailed: The speech engine does not run.
    """
    if not lines:
        raise ValueError("a call needs at least one line")
    for _, language, text in lines:
        _check(language, text)
    random = np.random.default_rng(seed)
    sounds = _sounds(lines, random)
    turns: list[Turn] = []
    position = round(RATE * random.uniform(0.4, 0.9))
    for (side, language, text), sound in zip(lines, sounds, strict=True):
        turns.append(Turn(side, language, text, position, position + len(sound)))
        position += len(sound) + round(RATE * random.uniform(0.25, 0.8))
    channels = random.normal(0, _LINE_NOISE, (2, position + RATE // 2))
    for turn, sound in zip(turns, sounds, strict=True):
        channels[SIDES.index(turn.side), turn.start : turn.end] += sound
    _write(path, channels, codec)
    return tuple(turns)


def _check(language: Language, text: str) -> None:
    if language == "ja" and (found := _KANJI.search(text)):
        raise ValueError(f"write Japanese lines in kana: {found[0]!r} would be spelt out as a Chinese letter")
    if language == "dtmf" and (wrong := set(text) - set(_KEYS)):
        raise ValueError(f"there is no key {min(wrong)!r} on a telephone")


def _sounds(lines: Sequence[tuple[Side, Language, str]], random: np.random.Generator) -> list[Samples]:
    """The sound of each line, at `RATE`."""
    voices = {key: names[random.integers(len(names))] for key, names in _VOICES.items()}
    pitches = {side: int(random.integers(38, 62)) for side in SIDES}
    pace = {side: int(random.integers(150, 178)) for side in SIDES}
    spoken = iter(
        _speak(
            [
                (voices[side, language], pace[side], pitches[side], text)
                for side, language, text in lines
                if language != "dtmf"
            ]
        )
    )
    return [
        _tones(text) if language == "dtmf" else _over_the_line(next(spoken)) for _, language, text in lines
    ]


def _speak(utterances: list[tuple[str, int, int, str]]) -> list[Samples]:
    """The sound of each utterance at espeak-ng's rate, from a process of its own: see `speak`."""
    with tempfile.TemporaryDirectory() as folder:
        argv, environment = python_module("media.synthesise.speak", folder)
        feed = [json.dumps(utterances).encode()]
        run(argv, timeout_seconds=_SPEAK_TIMEOUT_SECONDS, environment=environment, feed=feed)
        return [
            np.fromfile(Path(folder) / f"{number}.pcm", "<i2") / 32768.0 for number in range(len(utterances))
        ]


def _over_the_line(sound: Samples) -> Samples:
    """Band-limit, resample to `RATE` and set the loudness, all in the frequency domain."""
    seconds = len(sound) / SAMPLE_RATE
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    slope = np.clip((frequencies - _BAND_HZ[0]) / 60 + 1, 0, 1) * np.clip(
        (_BAND_HZ[1] - frequencies) / 200 + 1, 0, 1
    )
    length = round(seconds * RATE)
    narrow = np.fft.irfft((spectrum * slope)[: length // 2 + 1], length) * (length / len(sound))
    loud = np.abs(narrow) > 0.1 * np.abs(narrow).max(initial=1e-9)
    level = np.sqrt(np.mean(narrow[loud] ** 2)) if loud.any() else 1.0
    return np.asarray(np.tanh(narrow * (_LOUDNESS * 1.6 / level)))


def _tones(keys: str) -> Samples:
    time_s = np.arange(round(RATE * _KEY_S)) / RATE
    gap = np.zeros(round(RATE * _KEY_GAP_S))
    parts = []
    for key in keys:
        row, column = _KEYS[key]
        low, high = _ROWS_HZ[row], _COLUMNS_HZ[column]
        parts += [0.16 * np.sin(2 * np.pi * low * time_s) + 0.2 * np.sin(2 * np.pi * high * time_s), gap]
    return np.concatenate(parts) if parts else gap


def _write(path: Path, channels: Samples, codec: Codec) -> None:
    samples = np.round(np.clip(channels, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = RATE
    with av.open(path, "w", format="wav", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
