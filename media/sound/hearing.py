"""Spoken words with their times, by Whisper on CTranslate2 (faster-whisper), where the extra `speech` is installed.

Every stretch of speech is heard twice, once as it is and once by a recogniser
that is told to expect digits: either pass alone was seen to miss a card number
that the other one found. What both found counts once.

The recogniser is good at finding where numbers are, less good at what they are:
a digit may be missing or doubled. So nothing downstream depends on exact digits.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.errors import ToolFailed
from media.sound.speech import NEEDS, Recogniser
from media.sound.transcript import Word
from media.sound.voice import RATE
from media.sound.weights import WHISPER_BASE, WeightsMissing
from media.sound.weights import load as load_bytes

DIGITS_PROMPT = "Digits: 4 2 0 9, 1 7 3 5 8 6."
_LONGEST_S = 28.0  #: Whisper hears 30 s at once
_FEWEST_TOKENS, _TOKENS_A_SECOND = 24, 6  #: speech has about three
_MOST_THREADS = 4  #: as many as CTranslate2 takes by itself
_REPETITIVE = 2.4  #: Whisper's own threshold of a segment that repeats itself


class Hearing:
    """A model that is loaded: turns stretches of speech into words."""

    def __init__(self, model: Any, name: str, language: str | None) -> None:
        self._model = model
        self.name = name
        self._language = language

    def words(self, samples: NDArray[np.float32], start_s: float, channel: int) -> list[list[Word]]:
        """What is said, once for each pass.

        Args:
            samples: (n,) at 16 kHz; any length, heard in parts of less than half a minute.
            start_s: Where they begin in the recording.
            channel: Which channel they are of.
        """
        passes: list[list[Word]] = []
        for prompt in (None, DIGITS_PROMPT):
            heard: list[Word] = []
            for at_s, part in _parts(samples):
                heard += self._hear(part, start_s + at_s, channel, prompt)
            passes.append(heard)
        return passes

    def _hear(
        self, part: NDArray[np.float32], start_s: float, channel: int, prompt: str | None
    ) -> Iterator[Word]:
        length_s = len(part) / RATE
        segments, _ = self._model.transcribe(
            part,
            language=self._language,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,
            initial_prompt=prompt,
            vad_filter=False,
            max_new_tokens=_FEWEST_TOKENS + int(length_s * _TOKENS_A_SECOND),
        )
        for segment in segments:
            if prompt and segment.compression_ratio > _REPETITIVE:
                continue  # expecting digits, it began to count on by itself
            for word in segment.words or ():
                low, high = min(max(word.start, 0.0), length_s), min(max(word.end, 0.0), length_s)
                yield Word(
                    word.word, float(start_s + low), float(start_s + high), channel, float(word.probability)
                )


def load(recogniser: Recogniser) -> Hearing:
    """Load what `speech.open_recogniser` named.

    Raises:
        WeightsMissing: The extra `speech` is not installed.
        ToolFailed: The model is not the one that is known, or does not load.
    """
    try:
        from faster_whisper import WhisperModel  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        raise WeightsMissing(NEEDS) from error
    given: dict[str, Any] = {"device": "cpu", "compute_type": "int8", "local_files_only": True}
    given["cpu_threads"] = min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    folder = recogniser.folder
    if folder is None:
        given["files"] = {known.name: load_bytes(known) for known in WHISPER_BASE}
    try:
        model = WhisperModel("base" if folder is None else str(folder), **given)
    except (RuntimeError, ValueError, OSError) as error:
        raise ToolFailed(f"the speech model {recogniser.name} does not load: {error}") from error
    return Hearing(model, recogniser.name, recogniser.language)


def _parts(samples: NDArray[np.float32]) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Parts that Whisper hears at once, cut where it is quietest."""
    longest = int(_LONGEST_S * RATE)
    at = 0
    while len(samples) - at > longest:
        hop = RATE // 50
        tail = samples[at + longest // 2 : at + longest]
        levels = np.abs(tail[: len(tail) // hop * hop]).reshape(-1, hop).max(axis=1)
        cut = at + longest // 2 + int(levels.argmin()) * hop
        yield at / RATE, samples[at:cut]
        at = cut
    yield at / RATE, samples[at:]
