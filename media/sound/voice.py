"""Where somebody speaks, in one channel.

With the weights of Silero VAD it is known by a small neural network (run by
onnxruntime, one thread); without them by loudness alone, which also takes music
and noise for speech. Which of the two it was stands in every answer. Both give
a score for each hop of 32 ms; the rules that make stretches of scores are the
same.

Samples are 16 kHz, nominal range -1 to 1; stretches are sample positions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from media.errors import ToolFailed
from media.note import Note, note
from media.sound.weights import SILERO, WeightsMissing, load

RATE = 16_000
HOP = 512  #: samples a score; what Silero was trained with
_CONTEXT = 64  #: samples of the hop before, which Silero hears too
_STATE = (1, 1, 128)
_BATCH_HOPS = 1024
_SHORTEST_SPEECH_HOPS = 3  #: 0.1 s: a single digit lasts 0.2 s
_SHORTEST_PAUSE_HOPS = 10  #: 0.32 s
_PAD_HOPS = 3  #: about 0.1 s on both sides: the first consonant is quieter than the threshold
_LOUD_DBFS = -45.0
_ABOVE_NOISE_DB = 12.0

Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Somebody speaks from `start` to `end`."""

    start: int
    end: int


class Scorer(Protocol):
    """Gives hops their scores."""

    name: str  #: "silero" or "energy"

    def add(self, hops: Levels) -> None:
        """Take in the next hops, (n, HOP)."""

    def finish(self) -> tuple[NDArray[np.float32], float, float]:
        """The score of every hop; from which score on speech begins; below which it ends."""


class SileroScorer:
    """Silero VAD v6 on onnxruntime."""

    name = "silero"

    def __init__(self, session: Any) -> None:
        self._session = session
        self._h = np.zeros(_STATE, np.float32)
        self._c = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._scores: list[NDArray[np.float32]] = []

    def add(self, hops: Levels) -> None:
        """Take in the next hops, (n, HOP)."""
        before = np.concatenate([self._context[None], hops[:-1, -_CONTEXT:]])
        self._context = hops[-1, -_CONTEXT:].copy()
        given = {"input": np.concatenate([before, hops], axis=1), "h": self._h, "c": self._c}
        scores, self._h, self._c = self._session.run(None, given)
        self._scores.append(np.asarray(scores, np.float32).reshape(-1))

    def finish(self) -> tuple[NDArray[np.float32], float, float]:
        """Probabilities; the thresholds are Silero's own."""
        return _joined(self._scores), 0.5, 0.35


class EnergyScorer:
    """Loudness above the noise of the line."""

    name = "energy"

    def __init__(self) -> None:
        self._levels: list[NDArray[np.float32]] = []

    def add(self, hops: Levels) -> None:
        """Take in the next hops, (n, HOP)."""
        power = np.einsum("ij,ij->i", hops, hops) / hops.shape[1]
        self._levels.append((10 * np.log10(power + 1e-10)).astype(np.float32))

    def finish(self) -> tuple[NDArray[np.float32], float, float]:
        """Levels in dBFS; the threshold follows the quietest tenth of the recording."""
        levels = _joined(self._levels)
        noise = float(np.percentile(levels, 10)) if len(levels) else -100.0
        threshold = min(_LOUD_DBFS, noise + _ABOVE_NOISE_DB) if noise > -100 else _LOUD_DBFS
        return levels, max(threshold, -60.0), max(threshold, -60.0) - 3


class VoiceFinder:
    """Finds speech in one channel, given block by block."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._rest = np.zeros(0, np.float32)
        self._total = 0

    def add(self, samples: Levels) -> None:
        """Take in the next samples, (n,)."""
        self._rest = np.concatenate([self._rest, samples.astype(np.float32)])
        self._total += len(samples)
        if len(self._rest) >= HOP * _BATCH_HOPS:
            self._score(len(self._rest) // HOP)

    def finish(self) -> list[Stretch]:
        """Every stretch of speech, in order."""
        self._rest = np.pad(self._rest, (0, -len(self._rest) % HOP))
        if len(self._rest):
            self._score(len(self._rest) // HOP)
        scores, begins, ends = self.scorer.finish()
        return stretches(scores, begins, ends, self._total)

    def _score(self, hops: int) -> None:
        self.scorer.add(self._rest[: hops * HOP].reshape(hops, HOP))
        self._rest = self._rest[hops * HOP :].copy()


def stretches(scores: NDArray[np.float32], begins: float, ends: float, total: int) -> list[Stretch]:
    """Speech begins with a score of `begins`, ends when scores stay below `ends`, and is padded a little."""
    is_on = scores >= begins
    runs: list[list[int]] = []
    for hop in np.flatnonzero(scores >= ends).tolist():
        if runs and hop - runs[-1][1] <= _SHORTEST_PAUSE_HOPS:
            runs[-1][1] = hop + 1
        else:
            runs.append([hop, hop + 1])
    found: list[Stretch] = []
    for low, high in runs:
        if np.count_nonzero(is_on[low:high]) < _SHORTEST_SPEECH_HOPS:
            continue
        start, end = max((low - _PAD_HOPS) * HOP, 0), min((high + _PAD_HOPS) * HOP, total)
        if found and start <= found[-1].end:
            start = found.pop().start
        found.append(Stretch(start, end))
    return found


def united(found: Sequence[Stretch]) -> list[Stretch]:
    """Every sample that is in at least one of the stretches, in order."""
    joined: list[Stretch] = []
    for one in sorted(found, key=lambda one: one.start):
        if joined and one.start <= joined[-1].end:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return joined


def scorer_maker() -> tuple[Callable[[], Scorer], Note | None]:
    """What to make a channel's scorer with, and why it is only the energy one, if it is.

    Raises:
        ToolFailed: The weights are there, but are not the ones that are known.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - optional, and slow to import

        weights = load(SILERO)
    except (WeightsMissing, ImportError) as error:
        return EnergyScorer, note("voice_by_loudness", why=str(error))
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ToolFailed(f"onnxruntime does not take Silero VAD: {error}") from error
    return lambda: SileroScorer(session), None


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
