"""The known answers of the certificate and the audit trail: written down apart from the code, and kept for good.

The answers were computed once from the RFCs and the format pages, not by the
code they test. A change here is a change of a published format.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, create_engine

from retention.adapters.witness_folder import WitnessFolder
from retention.audit.chain import GENESIS, Entry, Head, entry_digest
from retention.audit.verify import root_message
from retention.audit.witness import End, Follow, SignedJournal
from retention.catalogue.tables import TombstoneRow
from retention.database import table_of
from retention.disposal import certificate, verifier
from retention.disposal.carry_out import leaf_text
from retention.disposal.tables import RunRow
from retention.kernel.ids import is_id
from retention.vault.signing import Signer
from tests.docs.pages import ROOT

CERTIFICATE = json.loads((ROOT / "tests/vectors/certificate.json").read_text(encoding="utf-8"))
AUDIT = json.loads((ROOT / "tests/vectors/audit.json").read_text(encoding="utf-8"))
JOURNAL_KEY = bytes.fromhex(AUDIT["journal"]["key"])
LINES = [line.encode() + b"\n" for line in CERTIFICATE["certificate"]]
PUBLIC_KEY = bytes.fromhex(CERTIFICATE["public_key"])


class _FixedSeed:
    """A key service with the one secret that the answers were signed with."""

    def secret(self, _name: str) -> bytes:
        return bytes.fromhex(CERTIFICATE["seed"])


SIGNER = Signer(_FixedSeed())  # type: ignore[arg-type]  # of the key service it needs no more than this


def _at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


@pytest.mark.parametrize("count", range(9))
def test_the_merkle_root_is_that_of_rfc_6962(count: int) -> None:
    """The eight leaves and their roots are those of Certificate Transparency's own reference tests."""
    leaves = [bytes.fromhex(leaf) for leaf in CERTIFICATE["rfc6962"]["leaves"]][:count]
    root, size = verifier.merkle_root(verifier.leaf_hash(leaf) for leaf in leaves)
    assert (root.hex(), size) == (CERTIFICATE["rfc6962"]["roots"][count], count)


def test_the_known_certificate_holds() -> None:
    assert verifier.check_certificate(LINES, PUBLIC_KEY) == CERTIFICATE["statement"]
    assert hashlib.sha256(b"".join(LINES)).hexdigest() == CERTIFICATE["certificate_sha256"]


def test_the_signed_bytes_of_the_statement_are_known() -> None:
    assert verifier.statement_bytes(CERTIFICATE["statement"]) == CERTIFICATE["statement_text"].encode()
    assert verifier.fingerprint(PUBLIC_KEY) == CERTIFICATE["fingerprint"]


@pytest.mark.parametrize("broken", CERTIFICATE["refused"], ids=lambda each: each["why"])
def test_a_certificate_that_was_tampered_with_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(verifier.NotAuthentic):
        verifier.check_certificate([line.encode() + b"\n" for line in broken["lines"]], PUBLIC_KEY)


def test_a_certificate_of_another_store_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(verifier.NotAuthentic, match="another key"):
        verifier.check_certificate(LINES, other)


@pytest.mark.parametrize("position", range(5))
def test_the_known_proof_of_each_recording_holds(position: int) -> None:
    proof = json.loads(CERTIFICATE["proofs"][position])
    leaf = verifier.check_proof(proof, PUBLIC_KEY)
    assert leaf == json.loads(CERTIFICATE["certificate"][position + 1])


def test_a_proof_says_nothing_about_another_recording() -> None:
    proof = json.loads(CERTIFICATE["proofs"][0])
    proof["leaf"] = CERTIFICATE["certificate"][2]
    with pytest.raises(verifier.NotAuthentic):
        verifier.check_proof(proof, PUBLIC_KEY)


@pytest.mark.parametrize("position", range(5))
def test_a_tombstone_is_written_as_the_format_says(position: int) -> None:
    found = json.loads(CERTIFICATE["certificate"][position + 1])
    row = SimpleNamespace(
        id=found["recording"],
        source_id=found["source"],
        kind=found["kind"],
        sha256=hashlib.sha256(CERTIFICATE["contents"][position].encode()).digest(),
        size_bytes=found["size_bytes"],
        started_at=_at(found["started_at"]),
        ended_at=_at(found["ended_at"]),
        facts={} if found["why"] == "expired" else {"why": found["why"]},
    )
    written = leaf_text(row, position, found["reasons"], _at(found["disposed_at"]))
    assert written == CERTIFICATE["certificate"][position + 1]
    assert is_id(row.id)


@pytest.fixture
def ledger() -> Iterator[Session]:
    """A database that holds the known run's tombstones and nothing else."""
    engine = create_engine("sqlite://")
    table_of(TombstoneRow).create(engine)
    statement = CERTIFICATE["statement"]
    with Session(engine) as session:
        session.add_all(
            TombstoneRow(
                recording_id=json.loads(leaf)["recording"],
                run_id=statement["run"],
                position=position,
                leaf=leaf,
            )
            for position, leaf in enumerate(CERTIFICATE["certificate"][1:])
        )
        session.flush()
        yield session
    engine.dispose()


def _run() -> RunRow:
    known = CERTIFICATE["statement"]
    return RunRow(
        id=known["run"],
        kind=known["kind"],
        on=date.fromisoformat(known["on"]),
        state="done",
        plan={"cohorts": known["cohorts"]},
        size_bytes=known["size_bytes"],
        schedule_version=known["schedule_version"],
        started_at=_at(known["keys_destroyed_at"]),
        started_by=known["started_by"],
        keys_destroyed_at=_at(known["keys_destroyed_at"]),
        finished_at=_at(known["finished_at"]),
    )


def test_a_certificate_is_written_as_the_format_says(ledger: Session) -> None:
    known, run = CERTIFICATE["statement"], _run()
    head = certificate.head(ledger, run, known["store"], known["keys_gone_by"], SIGNER)
    assert list(certificate.document(ledger, run.id, head)) == LINES


@pytest.mark.parametrize("position", range(5))
def test_a_proof_is_written_as_the_format_says(ledger: Session, position: int) -> None:
    recording = json.loads(CERTIFICATE["certificate"][position + 1])["recording"]
    written = certificate.proof(ledger, CERTIFICATE["statement"]["run"], recording, LINES[0])
    assert written.decode() == CERTIFICATE["proofs"][position]


@pytest.mark.parametrize("known", AUDIT["entries"], ids=lambda each: each["entry"]["tag"])
def test_the_digest_of_an_audit_entry_is_known(known: dict[str, Any]) -> None:
    written = known["entry"]
    entry = Entry(**written | {"at": _at(written["at"])})
    assert (
        entry_digest(entry) == known["digest"] == hashlib.sha256(known["digested_text"].encode()).hexdigest()
    )


def test_the_known_trail_is_a_chain() -> None:
    previous = [known["entry"]["previous"] for known in AUDIT["entries"]]
    assert previous == [GENESIS, *(known["digest"] for known in AUDIT["entries"][:-1])]
    assert AUDIT["genesis"] == GENESIS


def test_a_days_root_signs_known_bytes() -> None:
    root = AUDIT["root"]
    message = root_message(date.fromisoformat(root["on"]), root["seq"], root["digest"], root["store"])
    assert message == root["signed_text"].encode()
    assert base64.b64encode(SIGNER.sign(message)).decode() == root["signature"]


class _Lines:
    """The part of a Journal that lines need."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def append(self, follow: Follow) -> None:
        self.written.append(follow(self.written[-1] if self.written else b""))

    def lines(self) -> Iterator[bytes]:
        return iter(self.written)


def test_the_lines_of_the_journal_are_written_as_the_format_says() -> None:
    lines, known = _Lines(), AUDIT["journal"]["lines"]
    journal = SignedJournal(lines, JOURNAL_KEY)  # type: ignore[arg-type]  # no document is kept here
    for each in known:
        journal.write(each["kind"], _at(each["at"]), each["entry"])
    assert lines.written == [each["line"].encode() for each in known]
    assert list(journal.entries()) == [
        {"kind": each["kind"], "at": each["at"], **each["entry"]} for each in known
    ]
    assert journal.end() == End(2, known[1]["line"].partition(" ")[0])


def test_the_witness_writes_heads_as_the_format_says(tmp_path: Path) -> None:
    """The first head of a store, the newest of the same day, a restore."""
    witness = WitnessFolder(tmp_path, lambda: JOURNAL_KEY)
    entries = AUDIT["entries"]
    first, second, _, last = (Head(each["entry"]["seq"], each["digest"]) for each in entries)
    witness.publish(first, _at("2026-11-01T09:00:00.000000Z"))
    journal = SignedJournal(witness, JOURNAL_KEY)
    for each in AUDIT["journal"]["lines"]:
        journal.write(each["kind"], _at(each["at"]), each["entry"])
    witness.publish(last, _at("2026-11-01T17:00:00.000000Z"))
    assert (tmp_path / "head").read_text(encoding="utf-8") == AUDIT["witness"]["head"] + "\n"
    witness.restart(second, _at("2026-11-02T08:00:00.000000Z"))
    assert (tmp_path / "heads").read_text(encoding="utf-8").splitlines() == AUDIT["witness"]["heads"]
    assert list(witness.heads()) == [first]
    assert witness.journal_end() == journal.end()
