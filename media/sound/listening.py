"""Listen to a recording and say what to point out, in the process that calls: the child's side of `suggest`.

The recording is streamed: once for keys and voices, and, where there is a
recogniser, once more for words, a stretch of speech at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from media.note import Note, note
from media.sound.decoded import Decoding, to_levels
from media.sound.dtmf import Key, KeyFinder
from media.sound.hearing import Hearing
from media.sound.personal import Find, find_personal, rank_digits
from media.sound.suggest import Suggestion, Suggestions
from media.sound.track import open_track
from media.sound.transcript import Turn, Word
from media.sound.voice import RATE, EnergyScorer, Scorer, Stretch, VoiceFinder, scorer_maker, united

Progress = Callable[[int, int], None]

_KEY_PAUSE_S = 5.0  #: people look at their card between two groups of keys
_KEY_RANK = 0.8  #: who presses keys in a call enters something
_PAD_S = 0.5  #: recognised words begin and end up to half a second off
_EDGE_S = 1.2  #: to the edge of the voice activity, if it is no farther
_MARGIN_S = 0.15  #: beyond that edge: a soft consonant comes before what is taken for voice
_JOIN_S = 1.0  #: stretches this near are recognised together: words lean on each other
_LONGEST_JOINED_S = 60.0
_WORD_S, _LETTER_S, _KANA_S = 0.25, 0.1, 0.2  #: how long a word may last: this, and so much a character
_GAP_LEAST_S, _GAP_MOST_S = 0.6, 10.0  #: shorter holds no code of three digits, longer is noise
_LEAST_KEY_RATE = 4000

Levels = NDArray[np.float32]


@dataclass(slots=True)
class _Channel:
    """What one channel is searched with."""

    keys: KeyFinder | None
    voice: VoiceFinder
    loud: VoiceFinder  #: by loudness: a digit that stands alone is no voice to Silero

    def finish(self) -> tuple[list[Stretch], list[Stretch]]:
        """Where somebody speaks, and where words are looked for: there, and wherever it is loud."""
        voice = self.voice.finish()
        return voice, united([*voice, *self.loud.finish()])


def listen(
    path: Path,
    hearing: Hearing | None,
    why_no_words: Note,
    *,
    raw_format: str | None,
    index: int | None,
    regions: Sequence[str],
    progress: Progress,
) -> Suggestions:
    """See `suggest.suggest`. With `hearing`, words are looked for too."""
    make_scorer, why_by_loudness = scorer_maker()
    with open_track(path, index, raw_format) as track:
        decoding = Decoding(track)
        channels = _listen(decoding, make_scorer, progress)
        rate = track.rate
    voices, stretches = zip(*(channel.finish() for channel in channels), strict=True)
    spans = [
        one
        for number, channel in enumerate(channels)
        for one in _key_spans(channel.keys.finish() if channel.keys else [], number, rate, regions)
    ]
    words: list[Word] = []
    if hearing:
        for heard in _recognised(path, index, raw_format, stretches, hearing, progress):
            words += heard[0]
            for one_pass in heard:
                found = find_personal(one_pass, regions)
                spans += [_padded(one, stretches[one.channel], decoding.total / rate) for one in found]
    return Suggestions(
        duration_s=decoding.total / rate,
        channels=len(channels),
        spans=tuple(sorted(_merged(spans), key=lambda one: (-one.rank, one.start_s))),
        voice=tuple(
            Turn(number, one.start / RATE, one.end / RATE)
            for number, found in enumerate(voices)
            for one in found
        ),
        words=tuple(words),
        looked_for=(
            *((note("keys"),) if rate >= _LEAST_KEY_RATE else ()),
            _voice(channels[0].voice.scorer),
            *((note("words", model=hearing.name),) if hearing else ()),
        ),
        not_looked_for=() if hearing else (why_no_words,),
        notes=(*((why_by_loudness,) if why_by_loudness else ()), *decoding.notes()),
    )


def _voice(scorer: Scorer) -> Note:
    return (
        note("voice_by_energy")
        if isinstance(scorer, EnergyScorer)
        else note("voice_by_model", model=scorer.name)
    )


def _listen(decoding: Decoding, make_scorer: Callable[[], Scorer], progress: Progress) -> list[_Channel]:
    track = decoding.track
    about = int((track.opened.container.duration or 0) * track.rate / 1_000_000)
    channels = [
        _Channel(
            KeyFinder(track.rate) if track.rate >= _LEAST_KEY_RATE else None,
            VoiceFinder(make_scorer()),
            VoiceFinder(EnergyScorer()),
        )
        for _ in range(track.channels)
    ]
    resample = _Resampling(track.rate, track.channels)
    for block in decoding.blocks():
        levels = to_levels(block.samples).astype(np.float32)
        for channel, samples in zip(channels, levels, strict=True):
            if channel.keys:
                channel.keys.add(samples)
        _hear(channels, resample.add(levels))
        progress(decoding.total, max(about, decoding.total))
    _hear(channels, resample.finish())
    return channels


def _hear(channels: Sequence[_Channel], blocks: Iterator[Levels]) -> None:
    for block in blocks:
        for channel, samples in zip(channels, block, strict=True):
            channel.voice.add(samples)
            channel.loud.add(samples)


class _Resampling:
    """(channels, samples) at any rate -> the same at 16 kHz, with FFmpeg's resampler."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
        self._resampler = av.AudioResampler("fltp", self._layout, RATE)
        self._at = 0

    def add(self, levels: Levels) -> Iterator[Levels]:
        """What the next samples become."""
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(levels), "fltp", self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._at += levels.shape[1]
        return (np.asarray(one.to_ndarray(), np.float32) for one in self._resampler.resample(frame))

    def finish(self) -> Iterator[Levels]:
        """What was still under way."""
        return (np.asarray(one.to_ndarray(), np.float32) for one in self._resampler.resample(None))


def _recognised(
    path: Path,
    index: int | None,
    raw_format: str | None,
    stretches: Sequence[Sequence[Stretch]],
    hearing: Hearing,
    progress: Progress,
) -> Iterator[list[list[Word]]]:
    """The words of each passage, once for each pass of the recogniser; then those of what it left unexplained.

    In the middle of a sentence Whisper was seen to pass over a code, and to stretch a word in its place;
    heard alone, the code was clear. The transcript is the first pass's; the second hearing only finds.
    """
    wanted = [_joined(found) for found in stretches]
    total = sum(one.end - one.start for found in wanted for one in found)
    done = 0
    with open_track(path, index, raw_format) as track:
        for channel, passage, samples in _passages(Decoding(track), wanted):
            heard = hearing.words(samples, passage.start / RATE, channel)
            yield heard
            for gap in unexplained([word for one in heard for word in one], stretches[channel], passage):
                part = samples[gap.start - passage.start : gap.end - passage.start]
                yield [[], *hearing.words(part, gap.start / RATE, channel)]
            done += passage.end - passage.start
            progress(done, total)


def unexplained(words: Sequence[Word], stretches: Sequence[Stretch], passage: Stretch) -> list[Stretch]:
    """Where in a passage it is loud, and no word lasts so long."""
    covered = united([_explained(word) for word in words])
    gaps: list[Stretch] = []
    for one in stretches:
        at, end = max(one.start, passage.start), min(one.end, passage.end)
        for word in [*covered, Stretch(end, end)]:
            if at < word.start and word.end > at:
                gaps.append(Stretch(at, min(word.start, end)))
            at = max(at, word.end)
            if at >= end:
                break
    least, most, margin = (round(value * RATE) for value in (_GAP_LEAST_S, _GAP_MOST_S, _MARGIN_S))
    return [
        Stretch(max(gap.start - margin, passage.start), min(gap.end + margin, passage.end))
        for gap in gaps
        if least <= gap.end - gap.start <= most
    ]


def _explained(word: Word) -> Stretch:
    """A word's time, but no more than it takes to say it slowly."""
    text = word.text.strip()
    longest_s = _WORD_S + (_LETTER_S if text.isascii() else _KANA_S) * len(text)
    return Stretch(round(word.start_s * RATE), round(min(word.end_s, word.start_s + longest_s) * RATE))


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for one in stretches:
        last = joined[-1] if joined else None
        is_near = last and one.start - last.end <= _JOIN_S * RATE
        if last and is_near and one.end - last.start <= _LONGEST_JOINED_S * RATE:
            joined[-1] = Stretch(last.start, one.end)
        else:
            joined.append(one)
    return joined


def _passages(
    decoding: Decoding, wanted: Sequence[Sequence[Stretch]]
) -> Iterator[tuple[int, Stretch, Levels]]:
    """Cut passages out of a recording while it is decoded; no more than one of each channel is held."""
    resample = _Resampling(decoding.track.rate, decoding.track.channels)
    waiting = [list(found) for found in wanted]
    held: list[list[Levels]] = [[] for _ in wanted]
    at = 0
    for blocks in _resampled(decoding, resample):
        for block in blocks:
            for channel, samples in enumerate(block):
                yield from _cut(channel, at, samples, waiting[channel], held[channel])
            at += block.shape[1]
    for channel, rest in enumerate(waiting):
        if rest and held[channel]:
            yield channel, rest[0], np.concatenate(held[channel])


def _resampled(decoding: Decoding, resample: _Resampling) -> Iterator[Iterator[Levels]]:
    for block in decoding.blocks():
        yield resample.add(to_levels(block.samples).astype(np.float32))
    yield resample.finish()


def _cut(
    channel: int, at: int, samples: Levels, waiting: list[Stretch], held: list[Levels]
) -> Iterator[tuple[int, Stretch, Levels]]:
    while waiting and waiting[0].start < at + len(samples):
        low, high = max(waiting[0].start - at, 0), min(waiting[0].end - at, len(samples))
        held.append(samples[low:high].copy())
        if waiting[0].end > at + len(samples):
            return
        yield channel, waiting.pop(0), np.concatenate(held)
        held.clear()


def _key_spans(keys: Sequence[Key], channel: int, rate: int, regions: Sequence[str]) -> Iterator[Suggestion]:
    """Keys that follow each other, as the number that they are. A single key is a menu, and still somebody's choice."""
    runs: list[list[Key]] = []
    for key in keys:
        if runs and key.start - runs[-1][-1].end <= _KEY_PAUSE_S * rate:
            runs[-1].append(key)
        else:
            runs.append([key])
    for run in runs:
        pressed = "".join(key.key for key in run)
        digits = "".join(one for one in pressed if one.isdigit())
        kind, rank, reasons = rank_digits(digits, (), regions) if len(digits) > 2 else ("keys", 0.3, ())
        yield Suggestion(
            kind,
            max(rank, _KEY_RANK) if len(digits) > 2 else rank,
            channel,
            run[0].start / rate,
            run[-1].end / rate,
            pressed,
            ("keys pressed", *reasons),
            "keys",
        )


def _padded(find: Find, stretches: Sequence[Stretch], duration_s: float) -> Suggestion:
    """A find, widened to where the voice begins and ends, or by what recognisers are usually off."""
    start_s, end_s = find.start_s - _PAD_S, find.end_s + _PAD_S
    for one in stretches:
        low, high = one.start / RATE, one.end / RATE
        if low <= find.start_s <= high and find.start_s - low <= _EDGE_S:
            start_s = min(low, find.start_s) - _MARGIN_S
        if low <= find.end_s <= high and high - find.end_s <= _EDGE_S:
            end_s = max(high, find.end_s) + _MARGIN_S
    start_s, end_s = max(start_s, 0.0), min(end_s, duration_s)
    return Suggestion(find.kind, find.rank, find.channel, start_s, end_s, find.heard, find.reasons, "speech")


def _merged(spans: Sequence[Suggestion]) -> list[Suggestion]:
    """One for each kind and place: passes of the recogniser hear the same thing twice."""
    merged: list[Suggestion] = []
    for one in sorted(spans, key=lambda one: (one.channel, one.kind, one.source, one.start_s)):
        last = merged[-1] if merged else None
        same = last and (last.channel, last.kind, last.source) == (one.channel, one.kind, one.source)
        if last and same and one.start_s < last.end_s:
            best = max(last, one, key=lambda each: each.rank)
            merged[-1] = replace(best, start_s=last.start_s, end_s=max(last.end_s, one.end_s))
        else:
            merged.append(one)
    return merged
