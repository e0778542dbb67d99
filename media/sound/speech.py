"""Which recogniser hears spoken words: Whisper on CTranslate2 (faster-whisper), from the extra `speech`.

It is named here, and loaded where a call is decoded: see `hearing`.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from media.note import Note, note
from media.sound.weights import EXTRA, WHISPER_BASE, WeightsMissing, own_model, parts_of

NEEDS = f"spoken words need faster-whisper: install {EXTRA}"
NOT_ASKED = note("words_left_out")


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A recogniser that is there."""

    folder: Path | None  #: an operator's own model; None is the one of the extra
    language: str | None  #: None lets it find out for each stretch

    @property
    def name(self) -> str:
        """Of the model."""
        return "whisper-base" if self.folder is None else self.folder.name


def open_recogniser(folder: Path | None = None, language: str | None = None) -> Recogniser:
    """Find the recogniser.

    Args:
        folder: An operator's own model; else the one of the extra, whose digest is checked when it is loaded.
        language: "en", "ja"; None lets it find out for each stretch.

    Raises:
        WeightsMissing: The extra `speech` is not installed.
        ToolFailed: The folder is no model.
    """
    if find_spec("faster_whisper") is None:
        raise WeightsMissing(NEEDS)
    if folder is not None:
        return Recogniser(own_model(folder), language)
    for known in WHISPER_BASE:
        parts_of(known)
    return Recogniser(None, language)


def not_heard(missing: WeightsMissing) -> Note:
    """That words were not looked for, as the extra is not there."""
    return note("words_missing", why=str(missing))
