"""The whole story on PostgreSQL and S3, chosen by the settings alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.calls import CALLER, write_call
from tests.builders.postgres import PostgresServer
from tests.e2e.program import Program
from tests.fixtures.s3 import S3Bucket

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.s3]


def test_the_story_is_the_same_on_postgresql_and_s3(
    tmp_path: Path, postgres_server: PostgresServer, s3_bucket: S3Bucket
) -> None:
    program = Program(tmp_path / "store")
    program.home.mkdir()
    database = postgres_server.url(postgres_server.new_database())
    store = f"s3://{s3_bucket.name}/vault?endpoint={s3_bucket.endpoint_url}&region={s3_bucket.region}&addressing=path"
    (program.home / "settings.toml").write_text(
        f'database_url = "{database}"\nstore_url = "{store}"\n', encoding="utf-8"
    )
    program.found_store()
    calls = tmp_path / "calls"
    for name, days_ago, caller in (("held", 300, CALLER), ("goes", 301, ""), ("young", 5, "")):
        write_call(calls / f"{name}.wav", days_ago, **({"caller": caller} if caller else {}))
    (calls / "cut.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00")
    outcomes = program("ingest", str(calls), "--source", "line")
    ids = {Path(each["path"]).stem: each["id"] for each in outcomes if each["status"] == "sealed"}
    assert set(ids) == {"held", "goes", "young"}
    opened = tmp_path / "opened"
    program("open", ids["young"], "--purpose", "service-quality", "--out", str(opened))
    assert opened.read_bytes() == (calls / "young.wav").read_bytes()
    program(
        "hold", "place", "--phone", CALLER, "--kind", "legal", "--reason", "r", "--review-on", "2100-01-01"
    )
    run = program.one("disposal", "run")
    assert (run["disposed"], run["held"], run["failed"]) == (1, 1, 0)
    assert _versions(s3_bucket, ids["goes"]) == []
    assert _versions(s3_bucket, ids["held"]) != []
    certificate = tmp_path / "certificate.jsonl"
    told = program.one("disposal", "certificate", run["run"], "--out", str(certificate), "--with-verifier")
    checked = subprocess.run(
        [sys.executable, str(tmp_path / "verify_certificate.py"), str(certificate), "--key", told["public_key"],
         "--recording", ids["goes"]],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    line = ("redaction", "destroy-span", ids["young"], "--span", "0.25-0.5", "--reason", "r", "--yes")
    assert program.one(*line)["state"] == "finished"
    assert {key.partition(".")[2] for key in _versions(s3_bucket, ids["young"])} == {"2.original", "2.peaks"}
    program("open", ids["young"], "--purpose", "service-quality", "--out", str(opened))
    assert not any(opened.read_bytes()[44 + 4_000 : 44 + 8_000])
    assert program.one("audit", "verify")["ok"]
    assert program.one("check", "--level", "digest")["ok"]
    (told,) = program("doctor", code=30)  # not everything holds in a store of a minute's age
    found = {each["subject"]: each for each in told["findings"]}
    assert found["database"]["what"].startswith("PostgreSQL")
    assert "Switch it on" in found["database"]["remedy"]  # the tests' server commits without waiting
    assert not list(program.home.glob("*.db"))
    assert not (program.home / "vault").exists()


def _versions(bucket: S3Bucket, recording_id: str) -> list[str]:
    found = bucket.client.list_object_versions(Bucket=bucket.name)
    every = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    return [each["Key"] for each in every if recording_id in each["Key"]]
