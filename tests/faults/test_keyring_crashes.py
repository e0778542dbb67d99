"""Whatever moment a process dies at, no key is lost that should live, and none lives that was destroyed."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_ring import Kind
from retention.adapters.keys_roots import FileRoot
from retention.kernel.errors import KeyMissing

SECRET, CONTEXT = b"a data key of thirty-two bytes..", b"context"
LIVING, DOOMED = 6, 3


def keyring_in(folder: Path) -> Keyring:
    return Keyring(folder / "keyring", FileRoot(folder / "root.key"))


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@dataclass
class Story:
    """A keyring before an act, and what each death left of it."""

    base: Path
    out: Path
    wraps: dict[str, bytes]
    doomed: list[str]
    traces_of_doomed: list[bytes]  #: the keys in the clear, and their entries, in every form
    root_key: bytes

    def carry_out(self, act: str) -> list[str]:
        """The effects of the act, in order."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.keyring_crash_driver", act, str(self.base), str(self.out)],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        effects: list[str] = json.loads(done.stdout)
        return effects

    def deaths(self) -> Iterator[Path]:
        found = [folder for folder in self.out.iterdir() if folder.name != "done"]
        assert len(found) > 10
        yield from found

    def check_living(self, folder: Path) -> Keyring:
        keys = keyring_in(folder)
        for key, wrapped in self.wraps.items():
            if key not in self.doomed:
                assert keys.unwrap(key, wrapped, CONTEXT) == SECRET
        leftovers = {path.name for path in folder.iterdir()} & {
            f"{name}.{end}" for name in ("keyring", "root.key") for end in ("old", "new")
        }
        assert leftovers == set()
        return keys

    def check_gone(self, folder: Path) -> None:
        left = every_byte(folder)
        assert [trace for trace in self.traces_of_doomed if trace in left] == []


@pytest.fixture
def story(tmp_path: Path) -> Story:
    base = tmp_path / "base"
    base.mkdir()
    keys = Keyring.create(base / "keyring", FileRoot(base / "root.key"))
    keys.secret("blind-index")
    made = [keys.new_key() for _ in range(LIVING + DOOMED)]
    doomed = made[1::3]
    assert len(doomed) == DOOMED
    wraps = {key: keys.wrap(key, SECRET, CONTEXT) for key in made}
    (base / "doomed.json").write_text(json.dumps(doomed), encoding="utf-8")
    contents = keys.contents()
    lines = {
        line.split()[1]: line.split()[2] for line in (base / "keyring").read_text("ascii").splitlines()[2:]
    }
    traces = []
    for key in doomed:
        for raw in (contents[Kind.KEY, key], base64.b64decode(lines[key])):
            traces += [raw, base64.b64encode(raw), raw.hex().encode()]
    root_key = (base / "root.key").read_text("ascii").split()[2].encode()
    (tmp_path / "out").mkdir()
    return Story(base, tmp_path / "out", wraps, doomed, traces, root_key)


def test_destroying_survives_death_at_every_step(story: Story) -> None:
    story.carry_out("destroy")
    alive = 0
    for folder in story.deaths():
        keys = story.check_living(folder)
        if keys.key_ids() & set(story.doomed):
            assert set(story.doomed) <= keys.key_ids(), "some were destroyed, and some not"
            alive += 1
        else:
            story.check_gone(folder)
        keys.destroy(story.doomed)
        story.check_living(folder)
        story.check_gone(folder)
    assert 0 < alive < len(list(story.deaths()))


def test_a_destruction_that_returned_left_nothing_of_the_key(story: Story) -> None:
    assert all(trace in every_byte(story.base) for trace in story.traces_of_doomed[4::6])
    story.carry_out("destroy")
    story.check_gone(story.out / "done")
    keys = story.check_living(story.out / "done")
    for key in story.doomed:
        with pytest.raises(KeyMissing):
            keys.unwrap(key, story.wraps[key], CONTEXT)


def test_what_is_written_is_durable_before_the_next_step_relies_on_it(story: Story) -> None:
    """The order of effects, without which a loss of power could do what a killed process cannot."""
    effects = story.carry_out("destroy")
    folder_sync = ["open folder", "fsync"]
    assert effects[effects.index("open keyring.new") :] == [
        *("open keyring.new", "write", "fsync"),
        *("link keyring", *folder_sync),
        *("replace keyring.new", *folder_sync),
        *("open keyring.old", "write", "fsync"),
        *("unlink keyring.old", *folder_sync),
        "open keyring",
    ]


def test_making_a_key_survives_death_at_every_step(story: Story) -> None:
    story.carry_out("make")
    for folder in [*story.deaths(), story.out / "done"]:
        keys = story.check_living(folder)
        before = keys.key_ids()
        assert before >= set(story.wraps)
        for key in (before - set(story.wraps)) | {keys.new_key()}:
            assert keys.unwrap(key, keys.wrap(key, SECRET, CONTEXT), CONTEXT) == SECRET
        assert keyring_in(folder).key_ids() == keys.key_ids()
    assert len(keyring_in(story.out / "done").key_ids()) == len(story.wraps) + 2


def test_making_a_secret_survives_death_at_every_step(story: Story) -> None:
    story.carry_out("secret")
    before = keyring_in(story.base).secret("blind-index")
    for folder in story.deaths():
        keys = story.check_living(folder)
        assert keys.secret("blind-index") == before
        assert keys.secret("made-late") == keyring_in(folder).secret("made-late")


def test_rotating_the_root_survives_death_at_every_step(story: Story) -> None:
    story.doomed = []
    story.carry_out("rotate")
    rotated = 0
    for folder in [*story.deaths(), story.out / "done"]:
        story.check_living(folder)
        root_lines = (folder / "root.key").read_bytes()
        assert root_lines.count(b"\n") == 1, "a root key was kept that no keyring needs"
        if story.root_key not in root_lines:
            assert story.root_key not in every_byte(folder)
            rotated += 1
    assert 0 < rotated < len(list(story.deaths()))
    assert story.root_key not in every_byte(story.out / "done")


def test_making_a_keyring_survives_death_at_every_step(tmp_path: Path, story: Story) -> None:
    story.base = tmp_path / "empty"
    story.base.mkdir()
    story.carry_out("create")
    for folder in story.deaths():
        keys = Keyring.create(folder / "keyring", FileRoot(folder / "root.key"))
        key = keys.new_key()
        assert keyring_in(folder).unwrap(key, keys.wrap(key, SECRET, CONTEXT), CONTEXT) == SECRET
