"""Point out what a person should decide about: keys pressed, numbers and personal data spoken, where somebody speaks.

Suggestions, never decisions: nothing is muted here, and nothing is left out
because it looks harmless. What was not looked for, for want of a model, is said
in plain words.

The recording is a stranger's, so a child process decodes it and listens
(`listening` says how).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media.child import DEFAULT_MEMORY_BYTES, path_text
from media.errors import Unreadable
from media.job import do, ignore, parsed
from media.note import Note
from media.sound.personal import REGIONS
from media.sound.speech import NOT_ASKED, Recogniser
from media.sound.transcript import Turn, Word
from media.sound.weights import MODEL

SCHEMA = "media-sound-suggestions/1"
_SAID = ("looked_for", "not_looked_for", "notes")
Progress = Callable[[int, int], None]

_WORKER = "media.sound.suggest_worker"
_TIMES_A_MODEL = (
    4  #: address space for an operator's own, which may be any size: its file, and what it unfolds to
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A span that a person should decide about."""

    kind: str
    rank: float
    channel: int
    start_s: float  #: padded to where the voice begins
    end_s: float
    heard: str
    reasons: tuple[str, ...]
    source: str  #: "keys" or "speech"


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Everything that was found in one sound track."""

    duration_s: float
    channels: int
    spans: tuple[Suggestion, ...]  #: the most urgent first
    voice: tuple[Turn, ...]
    words: tuple[Word, ...]
    looked_for: tuple[Note, ...]
    not_looked_for: tuple[Note, ...]
    notes: tuple[Note, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`. As personal as the recording."""
        said = {name: [one.as_json() for one in getattr(self, name)] for name in _SAID}
        return {"schema": SCHEMA, **asdict(self), **said}


_SUGGESTIONS = TypeAdapter(Suggestions)


def suggest(
    path: Path,
    *,
    recogniser: Recogniser | None = None,
    why_no_words: Note = NOT_ASKED,
    raw_format: str | None = None,
    index: int | None = None,
    regions: Sequence[str] = REGIONS,
    progress: Progress = ignore,
) -> Suggestions:
    """Search one sound track.

    Args:
        path: Any recording; only read.
        recogniser: Of spoken words; see `speech.open_recogniser`.
        why_no_words: What to say where there is none.
        raw_format: What a headerless source is.
        index: Of the track; None for the first one.
        regions: Whose telephone numbers to know without a country code.
        progress: Called with samples done and samples in all, or what the container claims. May raise.

    Raises:
        Unreadable: The sound cannot be decoded.
        ToolFailed: Weights are not the ones that are known, or the child process died.
        ValueError: The raw format is none that is known.
    """
    if not path.is_file():
        raise Unreadable("the file cannot be opened: there is no such file")
    request = {
        "path": path_text(path),
        "why_no_words": asdict(why_no_words),
        "raw_format": raw_format,
        "index": index,
        "regions": list(regions),
        "words": None if recogniser is None else _words(recogniser),
    }
    own = recogniser.folder if recogniser else None
    answer = do(
        _WORKER,
        request,
        reads=[path, *([own, *own.iterdir()] if own else [])],  # its files may be links to elsewhere
        unit="sample",
        memory_bytes=DEFAULT_MEMORY_BYTES + (_TIMES_A_MODEL * (own / MODEL).stat().st_size if own else 0),
        progress=progress,
    )
    return parsed(_SUGGESTIONS, answer.get("found"))


def _words(recogniser: Recogniser) -> dict[str, str | None]:
    folder = recogniser.folder
    return {"folder": None if folder is None else path_text(folder), "language": recogniser.language}
