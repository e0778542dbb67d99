"""Kills a real process at every step of a restore, and judges what each death left.

    python -m tests.faults.restore_crash_driver OUT

For n = 1, 2, … a copy of the prepared store goes to OUT/n; a forked process
restores its backup and is killed by SIGKILL just before its n-th effect, or at
its n-th step; another judges what is live, restores again, and judges that. It
ends with the first n that the restore survives. Prints as JSON the effects in
their order, and the faults by n (none, one hopes).

The store has real keys and a real vault; after the backup a hold was placed, a
hold was lifted, a case was closed, footage was disposed of, and both keys and
bytes of it came back. Each lane restores and judges once to the end before it
forks: a child is what a fresh process would be, less the time to import and to
compile statements.
"""

import gc
import json
import shutil
import sys
import threading
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from retention.adapters.keys_keyring import Keyring
from retention.custody.model import Kind
from retention.founding import create_store
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore, what_is_held
from tests.builders.house import House
from tests.builders.policy import FILE, policy_text
from tests.fakes.hand_clock import HandClock
from tests.faults.death import NEVER, Death, ended, fork, in_child
from tests.fixtures.statements import share_compiled

DAYS = 6
LANES = 2
#: Steps that come many times over: dying at the first of a kind is enough.
MANY = ("loaded", "replayed")


def house_in(folder: Path, *, days: float = DAYS) -> House:
    """The store in `folder`, so many days after it was made."""
    clock = HandClock()
    clock.move(days=days)
    opened = House(folder, clock=clock)
    # The folder's own keys and vault, not the ones in memory.
    opened.app._given.pop("keys", None)
    opened.app._given.pop("store", None)
    return opened


def prepare(base: Path) -> None:
    """The store before the restore."""
    create_store(base / "store", policy_text(), FILE, "founder", clock=HandClock()).close()
    house = house_in(base, days=0)
    house.add_source()
    house.add_camera()
    going, kept = house.film(), house.take_in()
    house.take_in(purposes=["dispute"], reference="case-7")
    lifted = house.place(going).hold
    back_up(house)
    copy = contents_of(house)
    vault = base / "store" / "vault"
    shutil.copytree(vault, base / "vault")
    house.place(kept)
    house.lift(lifted.id)
    house.trigger("case-closed", "case-7", date(2026, 3, 2))
    house.clock.move(days=DAYS)
    assert house.night().disposed == 1
    keyring = house.app.keys
    assert isinstance(keyring, Keyring)
    keyring.restore(copy)
    shutil.rmtree(vault)
    (base / "vault").rename(vault)
    house.close()


def contents_of(house: House) -> dict:  # type: ignore[type-arg]
    keyring = house.app.keys
    assert isinstance(keyring, Keyring)
    return keyring.contents()


def act(folder: Path, at: int) -> None:
    """Restore, and die at the `at`-th effect."""
    house = house_in(folder)
    death = Death(at)
    seen: set[str] = set()

    def step(name: str) -> None:
        word = name.split(maxsplit=1)[0]
        if word not in MANY or word not in seen:
            death.come(f"step {word}")
        seen.add(word)

    house.app.custody_tools()
    death.install()
    restore(house, folder / "backup", step)
    trace, death.at = list(death.trace), NEVER
    (folder / "trace.json").write_text(json.dumps(trace), encoding="utf-8")


def judge(folder: Path, old: str, new: str) -> list[str]:
    """What is wrong at the death, and after restoring again."""
    house = house_in(folder)
    faults = []
    state = told(house)
    if state not in {old, new}:
        faults.append("at its death: the catalogue is neither the old nor the new one")
    if not house.verify().ok:
        faults.append(f"at its death: {house.verify().reason}")
    restore(house, folder / "backup")
    if told(house) != new:
        faults.append("restored again, it is not what it is without a death")
    report = look(house, Level.DIGEST)
    faults += [each.what for each in report.findings if each.kind is not Kind.STRANDED]
    faults += [f"left: {path.name}" for path in (folder / "store").iterdir() if ".restoring" in path.name]
    if not house.verify().ok:
        faults.append(house.verify().reason)
    house.close()
    return faults


def told(house: House) -> str:
    return json.dumps(what_is_held(house), default=str)


def rehearse(base: Path, folder: Path, old: str, new: str) -> None:
    """Restore and judge in this very process, which keeps nothing but what it has learned."""
    shutil.copytree(base, folder)
    house = house_in(folder)
    restore(house, folder / "backup")
    house.close()
    judge(folder, old, new)
    shutil.rmtree(folder)
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1


def run_lane(out: Path, first: int) -> None:
    """Every `LANES`-th n from `first`, until the restore is done."""
    old, new = (json.loads((out / f"{name}.json").read_text("utf-8")) for name in ("old", "new"))
    found: dict[int, list[str]] = {}
    rehearse(out / "base", out / f"rehearsal-{first}", old, new)
    for at in count(first, LANES):
        folder = out / str(at)
        shutil.copytree(out / "base", folder)
        is_done = in_child(partial(act, folder, at)) == 0

        def write_faults(folder: Path = folder) -> None:
            (folder / "faults.json").write_text(json.dumps(judge(folder, old, new)), encoding="utf-8")

        if in_child(write_faults):
            found[at] = ["it could not be judged"]
        elif faults := json.loads((folder / "faults.json").read_text("utf-8")):
            found[at] = faults
        if is_done:
            trace = json.loads((folder / "trace.json").read_text("utf-8"))
            (out / f"lane-{first}.json").write_text(json.dumps({"trace": trace, "faults": found}), "utf-8")
            return
        shutil.rmtree(folder)


def write_references(out: Path) -> None:
    """The catalogue before, and after a restore that nothing stopped."""
    shutil.copytree(out / "base", out / "reference")
    house = house_in(out / "reference")
    (out / "old.json").write_text(json.dumps(told(house)), "utf-8")
    restore(house, out / "reference" / "backup")
    (out / "new.json").write_text(json.dumps(told(house)), "utf-8")


def main() -> None:
    out = Path(sys.argv[1])
    # Children share the driver's memory until they write to it, and are short-lived.
    gc.disable()
    gc.freeze()
    share_compiled(pytest.MonkeyPatch())
    for prepared in (partial(prepare, out / "base"), partial(write_references, out)):
        if in_child(prepared):
            raise SystemExit("the store could not be prepared")
    lanes = [fork(partial(run_lane, out, first)) for first in range(1, LANES + 1)]
    codes = [ended(lane) for lane in lanes]
    if any(codes):
        raise SystemExit("a lane ended early")
    lines = [json.loads(path.read_text("utf-8")) for path in sorted(out.glob("lane-*.json"))]
    faults = {at: found for line in lines for at, found in line["faults"].items()}
    sys.stdout.write(json.dumps({"trace": lines[0]["trace"], "faults": faults}))


if __name__ == "__main__":
    main()
