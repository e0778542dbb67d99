"""The child process that listens to a recording. `suggest` starts it and talks to it through `media.child`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import av

from media.child import OnProgress, answer_parent, refusing
from media.note import Note
from media.sound.hearing import Hearing, load
from media.sound.listening import listen
from media.sound.speech import Recogniser


def suggest_job(request: dict[str, Any], _bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """What to point out in one recording."""
    hearing = _hearing(request["words"])
    return refusing(lambda: {"found": _found(request, hearing, report)})


def _hearing(words: dict[str, str | None] | None) -> Hearing | None:
    if words is None:
        return None
    folder = words["folder"]
    return load(Recogniser(None if folder is None else Path(folder), words["language"]))


def _found(request: dict[str, Any], hearing: Hearing | None, report: OnProgress) -> dict[str, Any]:
    found = listen(
        Path(request["path"]),
        hearing,
        Note(**request["why_no_words"]),
        raw_format=request["raw_format"],
        index=request["index"],
        regions=request["regions"],
        progress=report,
    )
    return asdict(found)


if __name__ == "__main__":
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    answer_parent(suggest_job)
