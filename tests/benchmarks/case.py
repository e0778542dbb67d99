"""A disclosure from receipt to package: the machine's time against the media's, and what it took of people.

Two calls of two channels, and ten minutes of footage (--quick: one minute) of a
place through which people walk one by one. Every step is a whole command, as
somebody gives it. The reviewer keeps the caller's channel in each call and one
track of the footage, and has the rest hidden, also whom the second look finds.
An open point is what was found and wants a decision; a decision is a name that
was given, or "the rest". Spoken words are not looked for: that needs a model of
its own and takes longer than everything else.
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


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("case", __doc__).parse_args(arguments)
    size = size_of(given, full_repeats=1)
    with workplace(given.folder) as folder:
        corridor = footage.make_once(
            folder / f"corridor-{FRAMES[size.name]}.mp4",
            lambda path: footage.corridor(SHARED, path, FRAMES[size.name]),
        )
        case = Case(fresh(folder / "case"))
        calls, clip = _taken_in(case, corridor)
        points, decisions = _answered(case, calls, clip)
        media_s = sum(_length_s(path) for path in (*_calls(), corridor))
    took = [one for _, _, one in case.steps]
    wall_s, cpu_s = sum(one.wall_s for one in took), sum(one.cpu_s for one in took)
    show(
        f"A disclosure of {len(CALLS)} calls and {FRAMES[size.name] / footage.ROOM_FPS / 60:.1f} minutes of footage",
        f"{media_s:.0f} s of media. {points} open points, {decisions} decisions of the reviewer, {len(case.steps)}"
        f" commands by {len({who for _, who, _ in case.steps})} people. Machine time is {wall_s / media_s:.2f} of the"
        f" media's, processor time {cpu_s / media_s:.2f}.",
        ("step", "by", ">wall s", ">cpu s"),
        [(name, who, f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}") for name, who, one in case.steps]
        + [("all", "", f"{wall_s:.1f}", f"{cpu_s:.1f}")],
    )


def _calls() -> list[Path]:
    return [SHARED / "audio" / "calls" / name for name in CALLS]


def _taken_in(case: Case, corridor: Path) -> tuple[list[str], str]:
    """A store with the recordings; none of this is counted."""
    place = ("--site", "tokyo", "--zone", "Asia/Tokyo")
    sides = ("--channel", "agent", "--channel", "caller", "--purpose", "service-quality", "--notice", "ivr-3")
    camera = ("--purpose", "crime-prevention", "--notice", "sign-1")
    case.do("init")
    case.do("source", "add", "desk", "--kind", "call", *place, *sides)
    case.do("source", "add", "corridor", "--kind", "footage", *place, *camera)
    return [_ingested(case, call, "desk") for call in _calls()], _ingested(case, corridor, "corridor")


def _ingested(case: Case, original: Path, source: str) -> str:
    drop = fresh(case.folder / original.stem)
    shutil.copy(original, drop)
    people = [{"side": "caller", "phone": PHONE}, {"side": "agent"}] if source == "desk" else []
    said = {"native_id": original.stem, "started_at": AT, "participants": people}
    (drop / f"{original.name}.json").write_text(json.dumps(said), encoding="utf-8")
    return str(case.do("ingest", str(drop), "--source", source)["id"])


def _answered(case: Case, calls: list[str], clip: str) -> tuple[int, int]:
    """From receipt to package; (open points, decisions)."""
    when = ("--source", "corridor", "--from", AT, "--to", "2026-11-20T10:10:00+09:00")
    who = ("--name", "山田 花子", "--contact", "Tokyo", "--phone", PHONE)
    receipt = case.do("request", "file", "disclosure", *who, *when, step="file")["receipt"]

    def do(verb: str, *words: str, by: str = DECIDER) -> Any:
        return case.do("request", verb, receipt, *words, who=by, step=verb)

    do("identify", "--method", "drivers-licence")
    do("match")
    found = do("propose", "--no-words")
    points, decisions = sum(len(each["open_points"]) for each in found), 0
    for recording, names in _choices(found, calls, clip):
        kept = [word for name in names for word in ("--keep", name)]
        do("review", "--recording", recording, *kept, "--hide-rest", by=REVIEWER)
        decisions += len(names) + 1
    do("render", "--hide-found", by=REVIEWER)
    do("decide", "full")
    do("approve", by=APPROVER)
    do("package")
    return points, decisions


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
