"""The child process that cuts, or looks at what was cut. `cut` starts it and talks to it through `media.child`."""

from pathlib import Path
from typing import Any

import av

from media.child import OnProgress, answer_parent
from media.errors import Unreadable
from media.excerpt.call import check_call, cut_call
from media.excerpt.check import check_footage
from media.excerpt.model import Form, NothingThere, Span
from media.excerpt.movie import cut_footage
from media.sound.track import sound_tracks


def excerpt_job(request: dict[str, Any], _bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """Do one of the two steps that `request` names, on its files."""
    source, target = Path(request["source"]), Path(request["target"])
    span, form, raw_format = Span.parse(request["span"]), Form(request["form"]), request["raw_format"]
    is_check = request["is_check"]
    _refuse_other_form(source, form, raw_format)
    try:
        if form is Form.WAV:
            return (check_call if is_check else cut_call)(source, raw_format, span, target, report)
        of_footage = check_footage if is_check else cut_footage
        return of_footage(source, span, target, keeps_sound=request["keeps_sound"], report=report)
    except NothingThere:
        return {"nothing": True}


def _refuse_other_form(source: Path, form: Form, raw_format: str | None) -> None:
    is_footage, indices = (False, (0,)) if raw_format else sound_tracks(source)
    if is_footage and form is not Form.MP4:
        raise Unreadable("this is footage, of which a part is an MP4")
    if not is_footage and form is Form.MP4:
        raise Unreadable("the file holds no moving picture; of sound, a part is a WAV")
    if not is_footage and len(indices) != 1:
        raise Unreadable(f"the file holds {len(indices)} sound tracks, and a WAV takes one")


if __name__ == "__main__":
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    answer_parent(excerpt_job)
