"""Footage for the benchmark of redaction, composed of the shared clips; nothing of it is kept in the project.

- *crowd*: four labelled clips side by side, 1280 x 720 at 25 pictures a second,
  about ten faces of 15 to 60 pixels; each clip runs forwards and backwards, so
  that nobody jumps.
- *turned*: the crowd, its pixels turned by 90, 180 and 270 degrees.
- *empty*: a room, 768 x 432 at 10 pictures a second, in which somebody stands for
  some 20 seconds in every 20 minutes; the rest is its empty picture with the
  camera's own noise, forwards and backwards.
- *corridor*: the same room, through which somebody walks all the time.
- *visits*: the same room; in ten minutes two people come, stay a while and leave.
- *odd*: a part of the crowd, 639 x 359, with a title and a place in its tags.
"""

from collections.abc import Callable
from pathlib import Path

from media.process import local_url, run_ffmpeg

_TIMEOUT_SECONDS = 3600.0
_CROWD = ("chaplin.mp4", "classroom.mp4", "TUD-Campus.mp4", "face-demographics-walking.mp4")
_ROOM = "one-by-one-person-detection.mp4"
_TO_QUARTER = ("trim=end_frame=125", "scale=640:360", "crop=640:360:0:60", "scale=640:360")
_TURNS = {90: "transpose=1", 180: "hflip,vflip", 270: "transpose=2"}
_VISIT_FRAMES, _VISIT_EVERY_FRAMES = 224, 12_000
#: The frames of the room in which one person each comes and goes; it is empty before and after.
_VISITS = ((725, 900), (905, 1223))
_VISITED_EVERY_FRAMES = 3_000
_CALM = "trim=start_frame=2:end_frame=48"
_ENCODED = ("-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-threads", "2")
CROWD_FPS, ROOM_FPS = 25, 10


def make_once(path: Path, make: Callable[[Path], None]) -> Path:
    """`path`, made if it is not there."""
    if not path.exists():
        part = path.with_name(f"part-{path.name}")
        make(part)
        part.rename(path)
    return path


def crowd(shared: Path, target: Path, frames: int) -> None:
    """Write the crowd."""
    parts = [
        f"[{n}:v]fps={CROWD_FPS},{form},split[{n}a][{n}b];[{n}b]reverse[{n}r];"
        f"[{n}a][{n}r]concat=n=2:v=1,loop=-1:2000,fps={CROWD_FPS},setpts=N/{CROWD_FPS}/TB[{n}v];"
        for n, form in enumerate(_TO_QUARTER)
    ]
    graph = "".join(parts) + "[0v][1v][2v][3v]xstack=inputs=4:layout=0_0|640_0|0_360|640_360,format=yuv420p"
    inputs = [word for name in _CROWD for word in ("-i", local_url(shared / "video" / name))]
    _run(
        *inputs, "-filter_complex", graph, "-frames:v", str(frames), *_ENCODED, "-crf", "21", "-an", to=target
    )


def turned(source: Path, target: Path, degrees: int) -> None:
    """Write `source` turned clockwise."""
    _run("-i", local_url(source), "-vf", _TURNS[degrees], *_ENCODED, "-crf", "18", "-an", to=target)


def odd(source: Path, target: Path) -> None:
    """Write a part of `source` with odd sides and telling tags."""
    tags = ("-metadata", "title=Front door", "-metadata", "location=+35.6812+139.7671/")
    _run(
        *(
            "-i",
            local_url(source),
            "-vf",
            "format=yuv444p,crop=639:359:640:0:exact=1,format=yuv420p",
            "-frames:v",
            "24",
        ),
        *("-c:v", "mpeg4", "-q:v", "3", *tags, "-an"),
        to=target,
    )


def empty(shared: Path, target: Path, frames: int) -> None:
    """Write the room."""
    stretch = target.with_name(f"stretch-{target.name}")
    visit, rest = _VISIT_FRAMES, max(1, min(frames, _VISIT_EVERY_FRAMES) - _VISIT_FRAMES)
    graph = _visit(0, 0, visit, rest) + "[a0][b0]concat=n=2:v=1"
    room = local_url(shared / "video" / _ROOM)
    rate = ("-r", str(ROOM_FPS))
    _run("-i", room, "-filter_complex", graph, *rate, *_ENCODED, "-crf", "24", "-an", to=stretch)
    again = str(max(0, -(-frames // _VISIT_EVERY_FRAMES) - 1))
    _run("-stream_loop", again, "-i", local_url(stretch), "-c", "copy", "-frames:v", str(frames), to=target)
    stretch.unlink()


def corridor(shared: Path, target: Path, frames: int) -> None:
    """Write people who walk through a corridor one by one, over and over; 10 pictures a second."""
    clip = local_url(shared / "video" / _ROOM)
    again = ("-stream_loop", "-1", "-i", clip, "-vf", f"setpts=N/{ROOM_FPS}/TB")
    _run(*again, "-r", str(ROOM_FPS), "-frames:v", str(frames), *_ENCODED, "-crf", "24", "-an", to=target)


def visits(shared: Path, target: Path, frames: int) -> None:
    """Write a room that two people visit; 10 pictures a second, ten minutes at the most."""
    room, each = local_url(shared / "video" / _ROOM), range(len(_VISITS))
    parts = "".join(
        _visit(n, first, end, _VISITED_EVERY_FRAMES - (end - first)) for n, (first, end) in enumerate(_VISITS)
    )
    graph = parts + "".join(f"[a{n}][b{n}]" for n in each) + f"concat=n={2 * len(_VISITS)}:v=1"
    inputs = [word for _ in each for word in ("-i", room)]
    rate = ("-r", str(ROOM_FPS))
    _run(
        *inputs, "-filter_complex", graph, *rate, "-frames:v", str(frames), *_ENCODED, "-crf", "24", "-an",
        to=target,
    )  # fmt: skip


def _visit(number: int, first: int, end: int, rest: int) -> str:
    """Some frames of an input as `a`, and so many frames of its empty room as `b`, both with its number."""
    n, time = number, f"setpts=N/{ROOM_FPS}/TB"
    return (
        f"[{n}:v]split=3[x{n}][y{n}][z{n}];[x{n}]trim=start_frame={first}:end_frame={end},{time}[a{n}];"
        f"[y{n}]{_CALM},{time}[f{n}];[z{n}]{_CALM},{time},reverse[r{n}];"
        f"[f{n}][r{n}]concat=n=2:v=1,loop=-1:92,{time},trim=end_frame={rest},{time}[b{n}];"
    )


def start_of(source: Path, target: Path, frames: int) -> None:
    """Write the first frames of `source`, their packets as they are."""
    _run("-i", local_url(source), "-c", "copy", "-frames:v", str(frames), "-an", to=target)


def _run(*arguments: str, to: Path) -> None:
    run_ffmpeg([*arguments, "-y", local_url(to)], timeout_seconds=_TIMEOUT_SECONDS)
