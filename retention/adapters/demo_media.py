"""The demo's material: made by the toolbox, or sorted out of a folder that somebody gives."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from media.errors import MediaToolError
from media.probe import Inspector
from media.synthesise.call import Language, Side, make_call
from media.synthesise.footage import Person, make_footage

Lines = tuple[tuple[Side, Language, str], ...]

CALLS: tuple[Lines, ...] = (
    (
        ("agent", "ja", "おでんわ ありがとうございます。サンプルしょうじの さとうで ございます。"),
        ("caller", "ja", "もしもし、ちゅうもんの ことで おききしたいのですが。"),
        ("agent", "ja", "かしこまりました。ちゅうもんばんごうを ダイヤルボタンで おねがいします。"),
        ("caller", "dtmf", "48213#"),
        ("agent", "ja", "ありがとうございます。あした おとどけする よていです。"),
    ),
    (
        ("agent", "en", "Thank you for calling. This call is recorded to improve our service."),
        ("caller", "en", "Hello. My parcel has not arrived, and I would like to know where it is."),
        ("agent", "en", "I am sorry to hear that. May I have your order number, please?"),
        ("caller", "en", "It is four, eight, two, one, three."),
        ("agent", "en", "Thank you. It will be with you tomorrow morning."),
    ),
    (
        ("agent", "ja", "はい、サポートまどぐちで ございます。"),
        ("caller", "ja", "りょうきんの ことで くじょうが あります。"),
        ("agent", "ja", "ごめいわくを おかけして もうしわけ ございません。"),
    ),
)


@dataclass(slots=True)
class Material:
    """Files to take in, by kind."""

    calls: list[Path] = field(default_factory=list)
    footage: list[Path] = field(default_factory=list)


def make_material(folder: Path, now: datetime, progress: Callable[[int], None]) -> Material:
    """Three spoken calls and three pieces of footage, in `folder`/calls and `folder`/lobby."""
    made = Material()
    for number, lines in enumerate(CALLS):
        path = _place(folder, "calls", f"call-{number + 1}.wav")
        make_call(path, lines, codec="pcm_mulaw" if number == 1 else "pcm_s16le", seed=number)
        made.calls.append(path)
        progress(len(made.calls))
    for number, (way, other) in enumerate((("right", "left"), ("left", "right"), ("right", "right"))):
        path = _place(folder, "lobby", f"lobby-{number + 1}.mp4")
        people = [Person(1.0, way, look=number), Person(4.0, other, look=number + 1)]  # type: ignore[arg-type]
        started_at = now - timedelta(days=number, hours=number)
        make_footage(
            path, camera="LOBBY 1", started_at=started_at, duration_s=10.0, people=people, seed=number
        )
        made.footage.append(path)
        progress(len(made.calls) + len(made.footage))
    return made


def sort_material(folder: Path, given: Path, progress: Callable[[int], None]) -> Material:
    """The calls and the footage under `given`, copied into `folder`; what cannot be read is left where it is."""
    found = Material()
    with Inspector(workers=2) as inspector:
        for number, path in enumerate(sorted(each for each in given.rglob("*") if each.is_file())):
            try:
                kind = inspector.inspect(path).kind
            except MediaToolError:
                continue
            into, name = (found.footage, "lobby") if kind == "video" else (found.calls, "calls")
            into.append(Path(shutil.copy2(path, _place(folder, name, f"{number:04d}-{path.name}"))))
            progress(number + 1)
    return found


def _place(folder: Path, below: str, name: str) -> Path:
    (folder / below).mkdir(parents=True, exist_ok=True)
    return folder / below / name
