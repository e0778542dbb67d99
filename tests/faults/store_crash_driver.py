"""Kills a real process at every step of one act on a store, does the act again, and judges what is left.

    python -m tests.faults.store_crash_driver STORY OUT

For n = 1, 2, … a copy of the prepared folder goes to OUT/n; a forked process
acts on it and is killed by SIGKILL just before its n-th effect; another judges
what is there, a third does the act again and judges the store at rest. It ends
with the first n that the act survives. Prints as JSON the effects in their
order, and the faults by n (none, one hopes).

The driver itself opens nothing and starts no thread. Each of its lanes tells
the story once to its end before it forks: a child is what a fresh process
would be, less the time to import, to build commands and to compile statements.
Files are looked into by the real inspector, once; children remember its
answers.
"""

import gc
import hashlib
import json
import pickle
import shutil
import sys
import threading
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import configure_mappers

import retention.adapters.keys_keyring
import retention.adapters.keys_roots
import retention.adapters.letter_pdf
import retention.adapters.silencer_media
import retention.adapters.store_folder
import retention.cli.disposal
import retention.cli.hold
import retention.cli.ingest
import retention.cli.redaction
import retention.cli.request
import retention.cli.source
import retention.founding
import retention.migrations.migrate
import retention.wiring
from retention.catalogue import schedules
from retention.ingest.model import Seen
from retention.kernel.errors import Unreadable
from tests.builders.calls import POLICY
from tests.faults.death import NEVER, Death, ended, fork, in_child
from tests.faults.stories import STORIES, Story, judge_at_rest, judge_corpse
from tests.fixtures.statements import share_compiled

Answers = dict[str, "Seen | str"]
#: Told side by side.
LANES = 2


class Remembering:
    """An Inspector that asks the real one about each content once."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._real: Any = None

    def inspect(self, path: Path, raw_format: str) -> Seen:
        """See `Inspector`."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in self.answers:
            self.answers[digest] = self._ask(path, raw_format)
        answer = self.answers[digest]
        if isinstance(answer, str):
            raise Unreadable(answer)
        return answer

    def _ask(self, path: Path, raw_format: str) -> "Seen | str":
        from retention.adapters.inspector_media import MediaInspector  # noqa: PLC0415 - only the first child looks

        self._real = self._real or MediaInspector(60.0)
        try:
            found: Seen = self._real.inspect(path, raw_format)
        except Unreadable as error:
            return error.message
        return found

    def close(self) -> None:
        """See `Inspector`."""
        if self._real:
            self._real.close()
            self._real = None


def prepare(story: Story, base: Path) -> None:
    """The story's folder, its facts, and the inspector's answers to all its files."""
    base.mkdir()
    facts = story.prepare(base)
    inspector = retention.wiring.inspector(60.0)
    for path in base.glob("material/*.wav"):
        try:
            inspector.inspect(path, "")
        except Unreadable:
            continue
    inspector.close()
    (base / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert isinstance(inspector, Remembering)
    (base / "answers").write_bytes(pickle.dumps(inspector.answers))


def act(story: Story, folder: Path, facts: Any, at: int) -> None:
    """Act, and die at the `at`-th effect."""
    death = Death(at)
    death.install()
    story.act(folder, facts)
    trace, death.at = list(death.trace), NEVER
    (folder / "trace.json").write_text(json.dumps(trace), encoding="utf-8")


def attempt(story: Story, base: Path, folder: Path, at: int) -> tuple[bool, list[str]]:
    """Whether the act was done before its death, and the faults that were found."""
    shutil.copytree(base, folder)
    facts = json.loads((base / "facts.json").read_text(encoding="utf-8"))
    is_done = in_child(lambda: act(story, folder, facts, at)) == 0

    def judge() -> None:
        faults = [f"at its death: {fault}" for fault in judge_corpse(story, folder)]
        story.again(folder, facts)
        faults += judge_at_rest(story, folder, facts)
        (folder / "faults.json").write_text(json.dumps(faults), encoding="utf-8")

    if in_child(judge) != 0:
        return is_done, [f"it could not be done again; see {folder.name}"]
    return is_done, json.loads((folder / "faults.json").read_text(encoding="utf-8"))


def rehearse(story: Story, base: Path, folder: Path) -> None:
    """Act, judge, act again and judge in this very process, which keeps nothing but what it has learned."""
    shutil.copytree(base, folder)
    facts = json.loads((base / "facts.json").read_text(encoding="utf-8"))
    story.act(folder, facts)
    judge_corpse(story, folder)
    story.again(folder, facts)
    judge_at_rest(story, folder, facts)
    shutil.rmtree(folder)
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1


def run_lane(story: Story, base: Path, out: Path, first: int) -> None:
    """Every `LANES`-th n from `first`, until the act is done."""
    rehearse(story, base, out / f"rehearsal-{first}")
    found: dict[int, list[str]] = {}
    for at in count(first, LANES):
        is_done, faults = attempt(story, base, out / str(at), at)
        if faults:
            found[at] = faults
        if is_done:
            break
        if not faults:
            shutil.rmtree(out / str(at))
    trace = json.loads((out / str(at) / "trace.json").read_text(encoding="utf-8"))
    (out / f"lane-{first}.json").write_text(json.dumps({"trace": trace, "faults": found}), encoding="utf-8")


def main() -> None:
    story, out = STORIES[sys.argv[1]], Path(sys.argv[2])
    answers: Answers = {}

    def inspector(timeout_s: float) -> Remembering:
        del timeout_s
        return Remembering(answers)

    retention.wiring.inspector = inspector
    # What a process reads before it changes anything is read once, by the driver.
    schedules.read_schedule(POLICY.read_text(encoding="utf-8"), POLICY.name)
    configure_mappers()
    share_compiled(pytest.MonkeyPatch())
    # Children share the driver's memory until they write to it, and are short-lived.
    gc.disable()
    gc.freeze()
    base = out / "base"
    if in_child(lambda: prepare(story, base)):
        raise SystemExit("the story could not be prepared")
    answers |= pickle.loads((base / "answers").read_bytes())
    lanes = [fork(partial(run_lane, story, base, out, first)) for first in range(1, LANES + 1)]
    codes = [ended(lane) for lane in lanes]
    if any(codes):
        raise SystemExit("the story could not be told")
    told = [json.loads(lane.read_text(encoding="utf-8")) for lane in sorted(out.glob("lane-*.json"))]
    faults = {at: found for lane in told for at, found in lane["faults"].items()}
    sys.stdout.write(json.dumps({"trace": told[0]["trace"], "faults": faults}))


if __name__ == "__main__":
    main()
