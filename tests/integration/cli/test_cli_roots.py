"""Where keys and bytes live is a setting: each kind makes a store that works, and what is not understood says what would be."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from retention.kernel.errors import InvalidInput
from tests.builders.calls import write_call
from tests.builders.house import House
from tests.integration.cli.conftest import Shell

LINE = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")


def opens_what_it_takes_in(shell: Shell) -> None:
    write_call(shell.folder / "in" / "call.wav", 3)
    assert shell("source", "add", "line", *LINE).code == 0
    (taken,) = shell.json("ingest", str(shell.folder / "in"), "--source", "line").lines
    out = shell.folder / "out.wav"
    assert shell("open", taken["id"], "--purpose", "service-quality", "--out", str(out)).code == 0
    assert out.read_bytes() == (shell.folder / "in" / "call.wav").read_bytes()


@pytest.fixture
def passphrase(nowhere: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = nowhere.folder / "passphrase"
    path.write_text("nine words that nobody else would put together here\n", encoding="utf-8")
    monkeypatch.setenv("RETENTION_KEY_ROOT", f"passphrase-file:{path}")
    return path


@pytest.mark.usefixtures("passphrase")
def test_a_passphrase_protects_the_keyring(nowhere: Shell) -> None:
    assert nowhere("init").code == 0
    opens_what_it_takes_in(nowhere)


def test_without_its_passphrase_nothing_opens(nowhere: Shell, passphrase: Path) -> None:
    assert nowhere("init").code == 0
    passphrase.write_text("another", encoding="utf-8")
    assert nowhere("due").code != 0
    passphrase.unlink()
    told = nowhere("due")
    assert f"the passphrase cannot be read from {passphrase}: No such file or directory" in told.err
    assert "Provide the file that key_root names." in told.err


def test_a_key_in_kms_protects_the_keyring(nowhere: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        key = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
        monkeypatch.setenv("RETENTION_KEY_ROOT", f"kms:{key}")
        assert nowhere("init").code == 0
        opens_what_it_takes_in(nowhere)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("KEY_ROOT", "paper:drawer", "Use file:PATH, passphrase-file:PATH or kms:KEY_ID."),
        ("STORE_URL", "tape:shelf", "Use folder:PATH or s3://BUCKET."),
        ("STORE_URL", "s3://", "it names no bucket"),
        ("STORE_URL", "s3://calls?colour=red", "is not understood: colour"),
    ],
)
def test_what_is_not_understood_makes_no_store(
    nowhere: Shell, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"RETENTION_{setting}", value)
    answer = nowhere("init")
    assert answer.code == 11
    assert told in " ".join(answer.err.split())
    monkeypatch.delenv(f"RETENTION_{setting}")
    assert nowhere("init").code == 0


def test_keys_that_are_kept_elsewhere_are_copied_there(sqlite_house: House) -> None:
    with pytest.raises(InvalidInput, match="only a keyring is copied like this"):
        sqlite_house.app.export_keys("a passphrase", sqlite_house.clock.now())
