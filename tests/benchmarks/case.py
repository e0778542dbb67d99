"""A disclosure from receipt to package: the machine's time against the media's, and what it took of people.

Two calls of two channels, and ten minutes of footage (--quick: one minute) of a
room that two people visit one after the other; with --busy, of one through which
somebody walks all the time. Every step is a whole command, as somebody gives it.
The reviewer keeps the caller's channel in each call and one track of the
footage, and has the rest hidden, also whom the second look finds. An open point
is what was found and wants a decision; a decision is a name that was given, or
"the rest". Spoken words are looked for with --words, where the extra `speech`
is installed.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from tests.benchmarks import redaction_footage as footage
from tests.benchmarks.measure import (
    Took,
    console,
    fresh,
    parser,
    python,
    retention,
    run_process,
    show,
    size_of,
    workplace,
)
from tests.benchmarks.redaction import SHARED

FRAMES = {"full": 6_000, "quick": 600, "tiny": 12}
CALLS = ("dev-call-a.wav", "dev-call-b.wav")
PHONE, AT = "03-5550-0177", "2026-11-20T10:00:00+09:00"
REVIEWER, DECIDER, APPROVER = "suzuki", "sato", "tanaka"


@dataclass
class Case:
    """The store, and what each step took."""

    folder: Path
    steps: list[tuple[str, str, Took]] = field(default_factory=list)

    def do(self, *words: str, who: str = DECIDER, step: str = "") -> Any:
        """Give one command, and read its answer; it is counted where the step has a name."""
        said = self.folder / "said.json"
        console.print(f"[dim]{' '.join(words[:2])} …[/dim]")
        environment = python(self.folder, RETENTION_HOME=str(self.folder / "store"), RETENTION_AS=who)
        took = run_process(retention(*words, "--json"), environment, said)
        if step:
            self.steps.append((step, who, took))
        return json.loads(said.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Found:
    """What wanted a decision, and how many it took."""

    tracks: int  #: of the footage
    spans: int  #: of the calls: channels, and what was pointed out on them
    decisions: int


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("case", __doc__)
    options.add_argument(
        "--busy", action="store_true", help="somebody walks through the footage all the time"
    )
    options.add_argument("--words", action="store_true", help="spoken words are looked for")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=1)
    make = footage.corridor if given.busy else footage.visits
    with workplace(given.folder) as folder:
        room = footage.make_once(
            folder / f"{make.__name__}-{FRAMES[size.name]}.mp4",
            lambda path: make(SHARED, path, FRAMES[size.name]),
        )
        case = Case(fresh(folder / "case"))
        calls, clip = _taken_in(case, room)
        found = _answered(case, calls, clip, words=given.words)
        media_s = sum(_length_s(path) for path in (*_calls(), room))
    took = [one for _, _, one in case.steps]
    wall_s, cpu_s = sum(one.wall_s for one in took), sum(one.cpu_s for one in took)
    show(
        f"A disclosure of {len(CALLS)} calls and {FRAMES[size.name] / footage.ROOM_FPS / 60:.1f} minutes of footage",
        f"{media_s:.0f} s of media. {found.tracks} tracks and {found.spans} channels and spans to decide about,"
        f" {found.decisions} decisions of the reviewer, {len(case.steps)} commands by"
        f" {len({who for _, who, _ in case.steps})} people. Spoken words were {'' if given.words else 'not '}looked"
        f" for. Machine time is {wall_s / media_s:.2f} of the media's, processor time {cpu_s / media_s:.2f}.",
        ("step", "by", ">wall s", ">cpu s"),
        [(name, who, f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}") for name, who, one in case.steps]
        + [("all", "", f"{wall_s:.1f}", f"{cpu_s:.1f}")],
    )


def _calls() -> list[Path]:
    return [SHARED / "audio" / "calls" / name for name in CALLS]


def _taken_in(case: Case, room: Path) -> tuple[list[str], str]:
    """A store with the recordings; none of this is counted."""
    place = ("--site", "tokyo", "--zone", "Asia/Tokyo")
    sides = ("--channel", "agent", "--channel", "caller", "--purpose", "service-quality", "--notice", "ivr-3")
    camera = ("--purpose", "crime-prevention", "--notice", "sign-1")
    case.do("init")
    case.do("source", "add", "desk", "--kind", "call", *place, *sides)
    case.do("source", "add", "room", "--kind", "footage", *place, *camera)
    return [_ingested(case, call, "desk") for call in _calls()], _ingested(case, room, "room")


def _ingested(case: Case, original: Path, source: str) -> str:
    drop = fresh(case.folder / original.stem)
    shutil.copy(original, drop)
    people = [{"side": "caller", "phone": PHONE}, {"side": "agent"}] if source == "desk" else []
    said = {"native_id": original.stem, "started_at": AT, "participants": people}
    (drop / f"{original.name}.json").write_text(json.dumps(said), encoding="utf-8")
    return str(case.do("ingest", str(drop), "--source", source)["id"])


def _answered(case: Case, calls: list[str], clip: str, *, words: bool) -> Found:
    """From receipt to package."""
    when = ("--source", "room", "--from", AT, "--to", "2026-11-20T10:10:00+09:00")
    who = ("--name", "山田 花子", "--contact", "Tokyo", "--phone", PHONE)
    receipt = case.do("request", "file", "disclosure", *who, *when, step="file")["receipt"]

    def do(verb: str, *words: str, by: str = DECIDER) -> Any:
        return case.do("request", verb, receipt, *words, who=by, step=verb)

    do("identify", "--method", "drivers-licence")
    do("match")
    found = do("propose", *(() if words else ("--no-words",)))
    points = {each["recording"]: len(each["open_points"]) for each in found}
    decisions = 0
    for recording, names in _choices(found, calls, clip):
        kept = [word for name in names for word in ("--keep", name)]
        do("review", "--recording", recording, *kept, "--hide-rest", by=REVIEWER)
        decisions += len(names) + 1
    do("render", "--hide-found", by=REVIEWER)
    do("decide", "full")
    do("approve", by=APPROVER)
    do("package")
    return Found(points[clip], sum(points[each] for each in calls), decisions)


def _choices(found: list[Any], calls: list[str], clip: str) -> Iterator[tuple[str, list[str]]]:
    """What stays visible and audible of each recording."""
    for recording in calls:
        yield recording, ["channel 1"]
    (seen,) = (each["open_points"] for each in found if each["recording"] == clip)
    faces = [point for point in seen if "(face)" in point]
    yield clip, [faces[0].partition(" (")[0]] if faces else []


def _length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1_000_000
