"""The certificate of a run: it holds for whoever has the verifier and `cryptography`, and no edit of it does."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.disposal import certificate, verifier
from retention.disposal.night import certificate_head, resume
from retention.disposal.tables import RunRow
from retention.kernel.errors import NotFound
from retention.vault.model import object_name
from tests.builders.house import ACTOR, House

ALONE = (
    "import runpy, sys; sys.path.append(sys.argv[1]); sys.argv = sys.argv[2:];"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)


@dataclass(frozen=True)
class Certified:
    """A run, the certificate that the journal keeps of it, and a proof for each recording."""

    run: RunRow
    lines: list[bytes]
    proofs: dict[str, bytes]
    public_key: bytes

    @property
    def whole(self) -> bytes:
        return b"".join(self.lines)

    @property
    def statement(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines[0])["statement"]
        return found


def certified(house: House, run: RunRow) -> Certified:
    kept = b"\n".join(house.app.witness.kept(certificate.document_name(run.id))) + b"\n"
    with house.app.database.read() as session:
        head = certificate_head(session, house.app.disposal_tools(), session.get_one(RunRow, run.id))
        assert b"".join(certificate.document(session, run.id, head)) == kept
        gone = [row.recording_id for row in house.rows("SELECT recording_id FROM tombstone")]
        proofs = {each: certificate.proof(session, run.id, each, head) + b"\n" for each in gone}
    return Certified(run, kept.splitlines(keepends=True), proofs, house.app.signer.public_key)


@pytest.fixture
def night(sqlite_house: House) -> Certified:
    """Three calls and a footage went in one night."""
    sqlite_house.add_source(purposes=["quality", "inquiry"])
    sqlite_house.add_camera("受付")
    for _ in range(3):
        sqlite_house.take_in()
    sqlite_house.film("受付")
    sqlite_house.clock.move(days=21)
    return certified(sqlite_house, sqlite_house.night())


def verdict(path: Path, content: bytes, *arguments: str) -> int:
    path.write_bytes(content)
    return verifier.main([str(path), *arguments])


@pytest.fixture
def alone(tmp_path: Path) -> list[str]:
    """How to run a script with the standard library and `cryptography`, and nothing else."""
    folder = tmp_path / "alone"
    folder.mkdir()
    for name in ("cryptography", "_cffi_backend"):
        spec = find_spec(name)
        if spec and spec.origin:
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (folder / source.name).symlink_to(source)
    return [sys.executable, "-I", "-S", "-c", ALONE, str(folder)]


def test_it_holds_for_a_process_that_has_the_verifier_and_cryptography_alone(
    night: Certified, alone: list[str], tmp_path: Path
) -> None:
    script = tmp_path / "verifier.py"
    script.write_bytes(Path(verifier.__file__).read_bytes())
    whole = tmp_path / "certificate.jsonl"
    recording, proof = next(iter(night.proofs.items()))
    one = tmp_path / "proof.json"
    one.write_bytes(proof)

    def check(path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
        line = [*alone, str(script), str(path), "--key", night.public_key.hex(), *more]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)

    whole.write_bytes(night.whole)
    held = check(whole, "--recording", recording)
    assert held.returncode == 0, held.stderr
    assert "4 recordings" in held.stdout
    assert night.run.id in held.stdout
    assert recording in held.stdout
    proved = check(one)
    assert proved.returncode == 0, proved.stderr
    assert recording in proved.stdout
    whole.write_bytes(night.whole.replace(b'"expired"', b'"exposed"', 1))
    refused = check(whole)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "NOT AUTHENTIC" in refused.stderr


def test_such_a_process_can_import_nothing_of_ours(alone: list[str], tmp_path: Path) -> None:
    script = tmp_path / "tries.py"
    script.write_text(
        "import importlib\n"
        "for name in ('retention', 'sqlmodel', 'pytest'):\n"
        "    try:\n        importlib.import_module(name)\n"
        "    except ImportError:\n        continue\n"
        "    raise SystemExit(name)\n"
    )
    done = subprocess.run([*alone, str(script)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


# --- what it says


def test_it_says_what_went_why_and_when(night: Certified) -> None:
    statement = night.statement
    assert (statement["run"], statement["kind"], statement["on"]) == (night.run.id, "night", "2026-03-23")
    assert (statement["recordings"], statement["started_by"]) == (4, "bell")
    assert statement["root"] == night.run.certificate
    leaves = [json.loads(line) for line in night.lines[1:]]
    assert statement["size_bytes"] == sum(leaf["size_bytes"] for leaf in leaves)
    call = next(leaf for leaf in leaves if leaf["kind"] == "call")
    assert [(reason["purpose"], reason["due_on"]) for reason in call["reasons"]] == [
        ("inquiry", "2026-03-23"),
        ("quality", "2026-03-13"),
    ]
    assert {each["class"] for each in statement["cohorts"]} == {
        "calls.quality",
        "calls.inquiry",
        "cctv.general",
    }


def escrow(house: House, expires_at: str) -> None:
    with house.app.database.write() as session:
        act = Act(Tag.KEYS_ESCROWED, ACTOR, "copy", detail={"expires_at": expires_at})
        record(session, house.clock.now(), act)


def test_it_says_when_the_last_copy_of_its_keys_ends(sqlite_house: House) -> None:
    """A copy that was made before the keys were destroyed holds them; one that was made later does not."""
    sqlite_house.add_source()
    sqlite_house.take_in()
    escrow(sqlite_house, "2026-05-01T00:00:00.000000Z")
    escrow(sqlite_house, "2026-04-01T00:00:00.000000Z")
    sqlite_house.clock.move(days=11)
    run = sqlite_house.night()
    sqlite_house.clock.move(days=1)
    escrow(sqlite_house, "2026-09-01T00:00:00.000000Z")
    assert certified(sqlite_house, run).statement["keys_gone_by"] == "2026-05-01T00:00:00.000000Z"


def test_without_a_copy_the_keys_are_gone_when_they_are_destroyed(night: Certified) -> None:
    assert night.statement["keys_gone_by"] == night.statement["keys_destroyed_at"]
    assert datetime.fromisoformat(night.statement["keys_gone_by"]).tzinfo == UTC


def test_a_run_that_is_not_finished_certifies_what_is_gone_and_later_all_of_it(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.add_source()
    stuck, _ = sqlite_house.take_in(), sqlite_house.take_in()
    sqlite_house.clock.move(days=11)
    sqlite_house.memory_store.held.add(object_name(stuck, "original"))
    vars(sqlite_house.memory_store)["protect"] = lambda _names, held: held
    first = certified(sqlite_house, sqlite_house.night())
    sqlite_house.memory_store.held.clear()
    (run,) = resume(sqlite_house.app.disposal_tools(), ACTOR)
    second = certified(sqlite_house, run)
    assert (first.statement["recordings"], second.statement["recordings"]) == (1, 2)
    assert second.lines[1] == first.lines[1]
    for each in (first, second):
        assert verdict(tmp_path / "c", each.whole, "--key", each.public_key.hex()) == 0


# --- no edit of it holds


def edits(value: Any) -> Iterator[Any]:
    """Every copy of a JSON value in which one field is changed, taken away, or added."""
    if isinstance(value, dict):
        yield value | {"note": "added"}
        for name, inner in value.items():
            yield {other: each for other, each in value.items() if other != name}
            yield from (value | {name: edited} for edited in edits(inner))
    elif isinstance(value, list):
        yield [*value, "added"]
        for at, inner in enumerate(value):
            yield value[:at] + value[at + 1 :]
            yield from ([*value[:at], edited, *value[at + 1 :]] for edited in edits(inner))
    elif isinstance(value, str):
        yield from ({value + "x", value + " ", value.swapcase(), value[1:], "", None} - {value})
    else:
        yield from (value + 1, value - 1, float(value), str(value), None)


def test_no_field_can_be_changed_taken_away_or_added(night: Certified, tmp_path: Path) -> None:
    key, tried = ("--key", night.public_key.hex()), 0
    for at, line in enumerate(night.lines):
        for edited in edits(json.loads(line)):
            lines = [*night.lines[:at], verifier.statement_bytes(edited) + b"\n", *night.lines[at + 1 :]]
            for arguments in (key, ()):
                assert verdict(tmp_path / "c", b"".join(lines), *arguments) in {1, 2}, edited
            tried += 1
    assert tried > 400


def test_no_line_can_be_dropped_moved_added_or_said_twice(night: Certified, tmp_path: Path) -> None:
    lines = night.lines
    tried = [lines[:at] + lines[at + 1 :] for at in range(len(lines))]
    tried += [[*lines[:at], lines[at], *lines[at:]] for at in range(len(lines))]
    tried += [[*lines[:a], lines[b], lines[a], *lines[b + 1 :]] for a, b in pairwise(range(len(lines)))]
    tried += [[*lines[:at], b"\n", *lines[at:]] for at in range(len(lines) + 1)]
    tried += [[*lines, b"{}\n"], [*lines, b" "], [lines[0], *reversed(lines[1:])], [], lines[:1]]
    for each in tried:
        assert verdict(tmp_path / "c", b"".join(each), "--key", night.public_key.hex()) in {1, 2}, each


def test_a_field_that_is_said_twice_is_refused(night: Certified, tmp_path: Path) -> None:
    """A person reads the first, a program the last."""
    first = night.lines[0].replace(b'"recordings":4', b'"recordings":1,"recordings":4')
    assert first != night.lines[0]
    assert verdict(tmp_path / "c", b"".join([first, *night.lines[1:]])) == 1


def test_no_byte_can_be_changed_taken_away_or_added(night: Certified, tmp_path: Path) -> None:
    files = [night.whole, next(iter(night.proofs.values()))]

    @given(st.data())
    def any_edit(data: st.DataObject) -> None:
        whole = data.draw(st.sampled_from(files))
        at = data.draw(st.integers(0, len(whole) - 1))
        new = data.draw(st.sampled_from([b"", b" ", b"\n", b'"', b"0"]) | st.binary(min_size=1, max_size=1))
        for length in (0, 1):
            edited = whole[:at] + new + whole[at + length :]
            if edited != whole:
                assert verdict(tmp_path / "c", edited, "--key", night.public_key.hex()) in {1, 2}

    any_edit()
    assert [verdict(tmp_path / "c", each) for each in files] == [0, 0]


@pytest.mark.parametrize(
    ("field", "says"), [("size_bytes", "the lines add up to"), ("recordings", "are listed")]
)
def test_a_statement_that_its_own_lines_contradict_does_not_hold_whoever_signs_it(
    sqlite_house: House,
    night: Certified,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    field: str,
    says: str,
) -> None:
    stated = night.statement | {field: night.statement[field] + 1}
    assert verdict(tmp_path / "wrong", signed(sqlite_house, stated) + b"".join(night.lines[1:])) == 1
    assert says in capsys.readouterr().err


def signed(house: House, statement: dict[str, Any]) -> bytes:
    """The head that the store would write, did it state this."""
    signature = house.app.signer.sign(verifier.statement_bytes(statement))
    head = {
        "statement": statement,
        "signature": base64.b64encode(signature).decode(),
        "public_key": house.app.signer.public_key.hex(),
    }
    return verifier.statement_bytes(head) + b"\n"


def test_another_stores_signature_is_not_ours(night: Certified, tmp_path: Path) -> None:
    assert verdict(tmp_path / "c", night.whole, "--key", bytes(32).hex()) == 1
    assert verdict(tmp_path / "c", night.whole, "--key", "no hex") == 2


@pytest.mark.parametrize("content", [b"", b"\n", b"null\n", b"[" * 100_000, b"\xff\xfe\n", b"{}\n"])
def test_what_is_no_certificate_cannot_be_read_as_one(content: bytes, tmp_path: Path) -> None:
    assert verdict(tmp_path / "c", content) == 2


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    assert verifier.main([str(tmp_path / "no such file")]) == 2


# --- one recording


def test_every_recording_has_a_proof_of_its_own(night: Certified, tmp_path: Path) -> None:
    assert len(night.proofs) == 4
    for recording, proof in night.proofs.items():
        arguments = ("--key", night.public_key.hex(), "--recording")
        assert verdict(tmp_path / "p", proof, *arguments, recording) == 0
        assert verdict(tmp_path / "p", proof, *arguments, "another") == 1
        assert verdict(tmp_path / "c", night.whole, *arguments, recording) == 0
    assert verdict(tmp_path / "c", night.whole, "--recording", "another") == 1


def test_a_proof_holds_for_its_own_recording_and_path_only(night: Certified, tmp_path: Path) -> None:
    proofs = [json.loads(proof) for proof in night.proofs.values()]
    for one, other in pairwise(proofs):
        for field in ("leaf", "path"):
            assert one[field] != other[field]
            mixed = verifier.statement_bytes(one | {field: other[field]}) + b"\n"
            assert verdict(tmp_path / "p", mixed) == 1


def test_a_path_that_is_too_short_or_too_long_leads_nowhere(night: Certified, tmp_path: Path) -> None:
    proof = json.loads(next(iter(night.proofs.values())))
    for path in ([], proof["path"][:-1], [*proof["path"], "00" * 32]):
        assert verdict(tmp_path / "p", verifier.statement_bytes(proof | {"path": path}) + b"\n") == 1


def test_no_field_of_a_proof_can_be_changed_taken_away_or_added(night: Certified, tmp_path: Path) -> None:
    proof = next(iter(night.proofs.values()))
    for edited in edits(json.loads(proof)):
        assert verdict(tmp_path / "p", verifier.statement_bytes(edited) + b"\n") in {1, 2}, edited


def test_a_proof_is_one_line(night: Certified, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = next(iter(night.proofs.values()))
    assert verdict(tmp_path / "two", proof * 2) == 1
    assert "something follows the proof" in capsys.readouterr().err


def test_a_proof_of_a_position_that_the_certificate_does_not_have_does_not_hold(
    night: Certified, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = json.loads(next(iter(night.proofs.values())))
    leaf = json.loads(proof["leaf"]) | {"position": 4}
    proof["leaf"] = verifier.statement_bytes(leaf).decode()
    assert verdict(tmp_path / "beyond", verifier.statement_bytes(proof) + b"\n") == 1
    assert "outside the certificate" in capsys.readouterr().err


def test_there_is_no_proof_for_what_did_not_go_in_that_run(sqlite_house: House) -> None:
    sqlite_house.add_source()
    sqlite_house.take_in()
    sqlite_house.clock.move(days=11)
    stays = sqlite_house.take_in()
    run = sqlite_house.night()
    with sqlite_house.app.database.read() as session, pytest.raises(NotFound, match=stays):
        certificate.proof(session, run.id, stays, b"{}")
