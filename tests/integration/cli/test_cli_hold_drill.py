"""retention hold drill, on real sound: what is whole is shown, what is not is named with what to do."""

from pathlib import Path

import pytest

from retention.kernel.errors import IntegrityError
from tests.integration.cli.conftest import Shell
from tests.integration.cli.test_cli_doctor import faults, settle

PLACE = ("--kind", "legal", "--reason", "a dispute", "--review-on", "2100-01-01")


@pytest.fixture
def hold(shell: Shell) -> str:
    """A hold on two calls; its id."""
    ids = shell.ids()
    named = [part for name in ("young", "other") for part in ("--recording", ids[name])]
    found: str = shell.json("hold", "place", *named, *PLACE).value["id"]
    return found


def test_calls_are_decoded_to_their_end_by_the_real_player(shell: Shell, hold: str) -> None:
    answer = shell.json("hold", "drill")
    assert answer.code == 0
    assert [(each["hold"], each["outcome"], each["what"]) for each in answer.value] == [
        (hold, "whole", "")
    ] * 2
    assert len(shell.json("hold", "drill", "--sample", "1", "--hold", hold).value) == 1


def test_a_damaged_vault_is_named_and_doctor_goes_on_saying_so_until_it_is_mended(
    shell: Shell, hold: str
) -> None:
    young = shell.ids()["young"]
    (file,) = [
        each for each in shell.home.rglob("*") if each.name.startswith(young) and "original" in each.name
    ]
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:-1])
    answer = shell.json("hold", "drill")
    assert answer.code == IntegrityError.exit_code
    (broken,) = [each for each in answer.value if each["outcome"] != "whole"]
    assert (broken["recording"], broken["outcome"]) == (young, "changed")
    assert "copy of the vault" in broken["remedy"]
    told = shell("hold", "drill", "--hold", hold)
    assert young in told.out
    settle(shell)
    assert shell("disposal", "run").code == 0
    (found,) = [each for each in faults(shell.json("doctor")) if each["subject"] == "hold drill"]
    assert young in found["what"]
    file.write_bytes(content)
    assert shell("hold", "drill").code == 0
    assert "hold drill" not in str(
        [each for each in shell.json("doctor").value["findings"] if not each["ok"]]
    )


def test_where_nothing_is_held_there_is_nothing_to_drill(shell: Shell) -> None:
    answer = shell("hold", "drill")
    assert (answer.code, "Nothing is held." in answer.out) == (0, True)


@pytest.mark.shared_data
def test_real_footage_is_decoded_to_its_end_and_within_a_time_limit(
    shell: Shell, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = ("--kind", "footage", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "crime-prevention")
    assert shell("source", "add", "lobby", *camera).code == 0
    files = [str(shared_data / "odd" / name) for name in ("made_hevc.mp4", "decord_corrupted.mp4")]
    ids = [each["id"] for each in shell.json("ingest", *files, "--source", "lobby").lines]
    shell("hold", "place", *[part for each in ids for part in ("--recording", each)], *PLACE)
    found = {each["recording"]: each for each in shell.json("hold", "drill").value}
    assert [found[each]["outcome"] for each in ids] == ["whole", "whole"]
    assert found[ids[0]]["what"] == ""
    assert "packets of picture" in found[ids[1]]["what"]
    monkeypatch.setenv("RETENTION_DRILL_TIMEOUT_S", "0.001")
    answer = shell.json("hold", "drill")
    assert answer.code == IntegrityError.exit_code
    assert {each["outcome"] for each in answer.value} == {"not-playable"}
    assert all("took longer than" in each["what"] for each in answer.value)
