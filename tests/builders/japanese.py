"""Japanese numbers, read out by a synthetic voice (Open JTalk, HTS voice "Mei"), and where each group of digits lies.

A caller says one sentence after the other; digits are said one by one, in
groups, as people read a card or a telephone number: "ゼロきゅうゼロの、". Every
group is synthesised alone, so its place is known to the sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import av
import numpy as np
import pyopenjtalk
from av.audio.frame import AudioFrame

from media.sound.suggest import Suggestion
from tests.builders.sound import Levels

RATE = 8000  #: of a telephone
_SPOKEN_RATE = 48_000
_READINGS = {
    "0": ("ゼロ", "まる", "れい"),
    "1": ("いち",),
    "2": ("に", "にー"),
    "3": ("さん",),
    "4": ("よん",),
    "5": ("ご", "ごー"),
    "6": ("ろく",),
    "7": ("なな",),
    "8": ("はち",),
    "9": ("きゅう",),
}
_PAUSE_S, _BETWEEN_SENTENCES_S = 0.3, 2.5
_QUIET = 0.02  #: of the loudest: where a voice begins


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a caller says around a number."""

    kind: str
    before: str
    groups: tuple[str, ...]  #: of digits
    between: str = "、"  #: said after each group but the last
    after: str = "です。"


@dataclass(frozen=True, slots=True)
class Voice:
    """How the synthetic voice sounds."""

    speed: float = 1.0
    half_tones: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Where some digits lie."""

    digits: str
    start_s: float
    end_s: float


def card(digits: str) -> Sentence:
    """A card number in groups of four."""
    groups = tuple(digits[at : at + 4] for at in range(0, len(digits), 4))
    return Sentence("card number", "カード番号は、", groups)


def telephone(digits: str) -> Sentence:
    """A mobile telephone's number."""
    return Sentence(
        "telephone number", "携帯の電話番号は、", (digits[:3], digits[3:7], digits[7:]), between="の、"
    )


def code(digits: str) -> Sentence:
    """A security code."""
    return Sentence("security code", "裏面のセキュリティコードは、", (digits,))


def say(
    sentences: Sequence[Sentence], voice: Voice, seed: int = 0
) -> tuple[Levels, list[tuple[Sentence, list[Group]]]]:
    """Speak on one side of a call of two channels at `RATE`; the other is the noise of the line.

    Returns:
        The samples, (2, n), the voice on channel 1, and the groups of each sentence.
    """
    random, noise = Random(seed), np.random.default_rng(seed)
    parts, at = [np.zeros(RATE)], RATE
    truth: list[tuple[Sentence, list[Group]]] = []
    for sentence in sentences:
        groups: list[Group] = []
        for text, digits in _pieces(sentence, random):
            spoken = _spoken(text, voice)
            if digits:
                groups.append(Group(digits, at / RATE, (at + len(spoken)) / RATE))
            parts += [spoken, np.zeros(round(_PAUSE_S * RATE))]
            at += len(spoken) + len(parts[-1])
        parts.append(np.zeros(round(_BETWEEN_SENTENCES_S * RATE)))
        at += len(parts[-1])
        truth.append((sentence, groups))
    call = np.stack([np.zeros(at), np.concatenate(parts)])
    return call + noise.normal(0, 0.002, call.shape), truth


def covers(found: Sequence[Suggestion], group: Group) -> bool:
    """Whether suggestions cover a group from its first sample to its last."""
    samples = np.arange(round(group.start_s * RATE), round(group.end_s * RATE)) / RATE
    inside = [(one.start_s <= samples) & (samples < one.end_s) for one in found]
    return bool(np.any(inside, axis=0).all()) if inside else False


def _pieces(sentence: Sentence, random: Random) -> list[tuple[str, str]]:
    """What is said in one breath, and the digits in it. The particle after a group belongs to its breath."""
    last = len(sentence.groups) - 1
    said = [
        (
            "".join(random.choice(_READINGS[digit]) for digit in digits)
            + (sentence.after if number == last else sentence.between),
            digits,
        )
        for number, digits in enumerate(sentence.groups)
    ]
    return [(sentence.before, ""), *said]


def _spoken(text: str, voice: Voice) -> Levels:
    samples, rate = pyopenjtalk.tts(text, speed=voice.speed, half_tone=voice.half_tones)
    assert rate == _SPOKEN_RATE
    resampler = av.AudioResampler("flt", "mono", RATE)
    frame = AudioFrame.from_ndarray((samples / 32768).astype(np.float32)[None], "flt", "mono")
    frame.sample_rate = rate
    out = [*resampler.resample(frame), *resampler.resample(None)]
    levels = np.concatenate([one.to_ndarray()[0] for one in out]).astype(np.float64)
    loud = np.flatnonzero(np.abs(levels) > _QUIET * np.abs(levels).max())
    levels = levels[loud[0] : loud[-1] + 1]
    return np.asarray(0.4 * levels / np.abs(levels).max())
