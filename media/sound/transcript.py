"""Words with their times, and the forms in which others read them: WebVTT and RTTM.

A transcript is as personal as the recording it was made of, and belongs to it.
Times are seconds from the beginning of the recording.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST_CUE_S = 6.0
_PAUSE_S = 0.8
_CUE_CHARACTERS = 72


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was recognised. Its text keeps the space before it, where its language has one."""

    text: str
    start_s: float
    end_s: float
    channel: int
    probability: float  #: 0 to 1, as the recogniser sees it


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks on a channel."""

    channel: int
    start_s: float
    end_s: float


def to_webvtt(words: Iterable[Word], names: Sequence[str] = ()) -> str:
    """WebVTT (W3C), one cue for each few words of a channel, its speaker as a voice tag.

    Args:
        words: In any order.
        names: Of the channels; "channel N" where there is none.
    """
    cues = sorted(_cues(words), key=lambda cue: (cue[0].start_s, cue[0].channel))
    parts = ["WEBVTT\n"]
    for cue in cues:
        channel = cue[0].channel
        name = names[channel] if channel < len(names) else f"channel {channel}"
        text = _escaped("".join(word.text for word in cue).strip())
        times = f"{_clock(cue[0].start_s)} --> {_clock(max(cue[-1].end_s, cue[0].start_s + 0.001))}"
        parts.append(f"{times}\n<v {_escaped(name)}>{text}\n")
    return "\n".join(parts)


def to_rttm(turns: Iterable[Turn], recording: str = "recording") -> str:
    """Rich Transcription Time Marked (NIST), one SPEAKER line a turn; channels count from 1 there."""
    name = "_".join(recording.split()) or "recording"
    lines = (
        f"SPEAKER {name} {turn.channel + 1} {turn.start_s:.3f} {turn.end_s - turn.start_s:.3f} "
        f"<NA> <NA> channel{turn.channel} <NA> <NA>\n"
        for turn in sorted(turns, key=lambda turn: (turn.start_s, turn.channel))
    )
    return "".join(lines)


def _cues(words: Iterable[Word]) -> list[list[Word]]:
    cues: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.channel, word.start_s)):
        last = cues[-1] if cues else None
        if (
            last
            and last[0].channel == word.channel
            and word.start_s - last[-1].end_s <= _PAUSE_S
            and word.end_s - last[0].start_s <= _LONGEST_CUE_S
            and sum(len(one.text) for one in last) <= _CUE_CHARACTERS
        ):
            last.append(word)
        else:
            cues.append([word])
    return cues


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _escaped(text: str) -> str:
    """No tag, and no line that could end a cue or begin another."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
