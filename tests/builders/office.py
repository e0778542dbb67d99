"""The store behind the desk: real calls and footage, taken in with manifests that name people wherever they can.

Hanako has called twice, and walked through a corridor. Somebody else has called
too, and has a request of his own on file; the police have one of her calls.
"""

import json
import shutil
import wave
from datetime import datetime, timedelta
from pathlib import Path

from retention.kernel.clock import SystemClock
from tests.builders.desk import (
    CAMERA,
    CLERK,
    CUSTOMER,
    LINE,
    NAMES,
    PHONE,
    SECOND,
    TOKYO,
    Desk,
    provision_line,
)
from tests.builders.footage import wandering, write_footage
from tests.builders.sound import encode, loud
from tests.integration.cli.conftest import Shell

PLACE = ("--site", "tokyo", "--zone", "Asia/Tokyo")
SIDES = ("--kind", "call", "--channel", "agent", "--channel", "caller", "--notice", "ivr-3")
FOR_CALLS = ("--purpose", "service-quality", "--purpose", "customer-inquiry")
SEEN = ("--kind", "footage", "--purpose", "crime-prevention", "--notice", "sign-1", "--clock-error", "20")
#: Seconds of a real call, where both sides speak and nobody says or presses a number.
EXCERPT_S = (2, 8)
AGENTS = ({"side": "agent", "name": "木村 次郎"}, {"side": "agent", "name": "Okafor Adaeze"})
HANAKO = {"side": "caller", "phone": PHONE, "name": NAMES["ja"], "customer_id": CUSTOMER}
SASAKI = {"side": "caller", "phone": "+81 3-5550-0199", "name": "佐々木 一郎", "customer_id": "C-200199"}
#: As a recorder calls its files: (name, days ago, who speaks).
CALLS = (
    ("in-0355500177-20261018-1712.11.wav", 6, (AGENTS[0], HANAKO)),
    ("in-0355500177-20261019-1713.12.wav", 5, (AGENTS[1], HANAKO | {"phone": "+81355500177"})),
    ("in-0355500199-20261019-1714.13.wav", 5, (AGENTS[0], SASAKI)),
)
CLIP = "corridor-petrova.mp4"


def open_desk(folder: Path, data: Path | None) -> Desk:
    """A store over real media, or over the tests' own where there is none."""
    shell = Shell(folder)
    at = SystemClock().now().astimezone(TOKYO).replace(hour=14, minute=5, second=0, microsecond=0)
    for line in (
        ("init",),
        ("source", "add", LINE, *PLACE, *SIDES, *FOR_CALLS),
        ("source", "add", CAMERA, *PLACE, *SEEN),
    ):
        assert shell(*line).code == 0
    write_calls(folder / "calls", at, data)
    write_clip(folder / "clips", at - timedelta(days=5), data)
    ids = taken_in(shell, LINE, folder / "calls") | taken_in(shell, CAMERA, folder / "clips")
    first, second, other, clip = (ids[name] for name in (*(name for name, _, _ in CALLS), CLIP))
    originals = {each: folder / ("clips" if name == CLIP else "calls") / name for name, each in ids.items()}
    asked = ("--name", "佐々木 一郎", "--contact", "大阪府堺市北区百舌鳥梅町", "--agent", "弁護士 三浦 礼子")
    assert shell("request", "file", "complaint", *asked).code == 0
    given = handed_over(shell, second, folder / "given.wav")
    return Desk(shell, (first, second), clip, other, originals, at - timedelta(days=5), given)


def handed_over(shell: Shell, recording: str, out: Path) -> str:
    """The police get a recording; the provision's digest."""
    digest: str = shell.json(*provision_line(recording), who=CLERK).value["digest"]
    assert shell("provision", "approve", digest, who=SECOND).code == 0
    assert shell("provision", "hand-over", digest, "--out", str(out), who=CLERK).code == 0
    return digest


def taken_in(shell: Shell, source: str, folder: Path) -> dict[str, str]:
    """Everything in a folder, as its manifest describes it: file → recording."""
    outcomes = shell.json(
        "ingest", str(folder), "--source", source, "--manifest", str(folder / "manifest.json")
    )
    assert {each["status"] for each in outcomes.lines} == {"sealed"}, outcomes.out
    return {Path(each["path"]).name: each["id"] for each in outcomes.lines}


def write_one_more_call(desk: Desk) -> str:
    """She calls again; the new recording."""
    folder = desk.shell.folder / "later"
    folder.mkdir()
    name = "in-0355500177-20261023-0900.14.wav"
    encode(folder / name, loud(1, seed=14), "pcm_s16le")
    describe(folder, [_entry(name, desk.started_at + timedelta(days=1), (AGENTS[1], HANAKO))])
    return taken_in(desk.shell, LINE, folder)[name]


def describe(folder: Path, entries: list[dict[str, object]]) -> None:
    """Write a manifest, as a recorder does."""
    (folder / "manifest.json").write_text(json.dumps({"recordings": entries}), encoding="utf-8")


def write_calls(folder: Path, at: datetime, data: Path | None) -> None:
    """Each call is another excerpt of a real one, agent and caller on a channel each."""
    folder.mkdir()
    entries = []
    for number, (name, days_ago, people) in enumerate(CALLS):
        if data is None:
            encode(folder / name, loud(EXCERPT_S[1] - EXCERPT_S[0], seed=number), "pcm_s16le")
        else:
            cut_sound(data / "audio" / "calls" / "dev-call-a.wav", folder / name, *EXCERPT_S, shift_s=number)
        entries.append(_entry(name, at - timedelta(days=days_ago), people))
    describe(folder, entries)


def write_clip(folder: Path, at: datetime, data: Path | None) -> None:
    """A few seconds in a corridor."""
    folder.mkdir()
    if data is None:
        write_footage(folder / CLIP, wandering(12, [(40, 60), (400, 200)], (3, 1)), lossless=False)
    else:
        shutil.copy(data / "video" / "face-demographics-walking.mp4", folder / CLIP)
    seen = ({"name": "Petrova Veronika"},)
    describe(folder, [_entry(CLIP, at, seen)])


def _entry(name: str, started_at: datetime, people: tuple[dict[str, str], ...]) -> dict[str, object]:
    native = {"native_id": f"rec-{Path(name).stem}", "started_at": started_at.isoformat()}
    return {"file": name, **native, "participants": people}


def cut_sound(source: Path, target: Path, from_s: int, until_s: int, *, shift_s: int = 0) -> Path:
    """Some seconds of a WAV, sample for sample."""
    with wave.open(str(source)) as before, wave.open(str(target), "wb") as after:
        after.setparams(before.getparams())
        before.setpos((from_s + shift_s) * before.getframerate())
        after.writeframes(before.readframes((until_s - from_s) * before.getframerate()))
    return target
