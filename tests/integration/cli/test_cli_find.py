"""By what recordings are found, from the command line alone: the recorder's own id, and the call centre's agent."""

import json
import wave
from pathlib import Path

import pytest

from tests.builders.calls import CALLER
from tests.integration.cli.conftest import Shell

OTHER = "+81355500199"


def take_in(shell: Shell, name: str, agent_id: str, phone: str = CALLER) -> str:
    """Take in a call that a recorder describes in a manifest; its id."""
    folder = shell.folder / name
    folder.mkdir()
    with wave.open(str(folder / "call.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(name.encode().ljust(16_000, b"\0"))
    (folder / "manifest.csv").write_text(
        "file,native_id,agent_id,agent_name,caller_phone\n"
        f"call.wav,{name},{agent_id},Agent {agent_id},{phone}\n",
        encoding="utf-8",
    )
    (outcome,) = shell.json("ingest", str(folder), "--source", "line").lines
    found: str = outcome["id"]
    return found


@pytest.fixture
def calls(shell: Shell) -> dict[str, str]:
    """Three calls by their recorder's own id: two with A17, two of the caller."""
    return {
        "1774069500.49": take_in(shell, "1774069500.49", "A17"),
        "1774069500.50": take_in(shell, "1774069500.50", "A17", OTHER),
        "1774069500.51": take_in(shell, "1774069500.51", "A18"),
    }


def found(shell: Shell, *line: str) -> set[str]:
    return {each["id"] for each in shell.json("search", *line).lines}


def test_a_search_finds_by_the_recorders_own_id_and_by_agent_and_each_option_narrows_it(
    shell: Shell, calls: dict[str, str]
) -> None:
    first, second, third = calls.values()
    assert found(shell, "--native", "1774069500.49") == {first}
    assert found(shell, "--call-agent", "a17") == {first, second}
    assert found(shell, "--call-agent", "AGENT A18") == {third}
    assert found(shell, "--call-agent", "A17", "--phone", CALLER, "--source", "line") == {first}
    assert found(shell, "--call-agent", "A18", "--native", "1774069500.49") == set()


def test_a_search_is_on_record_with_what_was_given_and_not_with_its_value(
    shell: Shell, calls: dict[str, str]
) -> None:
    del calls
    shell("search", "--native", "1774069500.49", "--call-agent", "Agent A17")
    out = shell.folder / "trail.jsonl"
    assert shell("audit", "export", "--out", str(out)).code == 0
    trail = out.read_text(encoding="utf-8")
    by = [json.loads(each) for each in trail.splitlines() if "recording:search" in each][-1]
    assert json.loads(by["detail"]) == {"by": ["native", "call-agent"], "found": 1}
    assert "1774069500.49" not in trail
    assert "A17" not in trail


def test_a_request_about_one_confirmed_call_from_receipt_to_its_search(
    shell: Shell, calls: dict[str, str]
) -> None:
    named = ("--name", "髙橋 花子", "--native", "1774069500.49", "--native", "1774069500.00")
    filed = shell.json("request", "file", "disclosure", *named).value
    assert filed["held"] == [calls["1774069500.49"]]
    assert shell("request", "identify", filed["receipt"], "--method", "drivers-licence").code == 0
    answer = shell.json("request", "match", filed["receipt"]).value
    assert answer["held"] == filed["held"]
    assert answer["searched"] == [
        {"for": "native 1774069500.49", "found": 1},
        {"for": "native 1774069500.00", "found": 0},
    ]


def test_an_agent_who_asks_has_their_calls_held_those_that_arrive_later_too(
    shell: Shell, calls: dict[str, str]
) -> None:
    filed = shell.json("request", "file", "disclosure", "--name", "係 一郎", "--native", "none").value
    assert filed["held"] == []
    assert shell("request", "describe", filed["receipt"], "--call-agent", "A17").code == 0
    later = take_in(shell, "1774069500.52", "a17", OTHER)
    assert shell("request", "identify", filed["receipt"], "--method", "drivers-licence").code == 0
    mine = {calls["1774069500.49"], calls["1774069500.50"], later}
    assert set(shell.json("request", "match", filed["receipt"]).value["held"]) == mine


def test_a_hold_is_placed_by_agent_and_by_the_recorders_own_id(shell: Shell, calls: dict[str, str]) -> None:
    first, second, third = calls.values()
    why = ("--kind", "legal", "--reason", "a dispute", "--review-on", "2099-01-01")
    by_agent = shell.json("hold", "place", *why, "--call-agent", "A17").value
    assert set(by_agent["recordings"]) == {first, second}
    by_id = shell.json("hold", "place", *why, "--native", "1774069500.51").value
    assert by_id["recordings"] == [third]
    both = shell.json("hold", "place", *why, "--native", "1774069500.51", "--call-agent", "A17").value
    assert set(both["recordings"]) == {first, second, third}
    refused = shell("hold", "place", *why, "--call-agent", "A17", "--recording", first)
    assert refused.code == 11
    assert "--call-agent" in refused.err


@pytest.mark.parametrize(
    "line",
    [
        ("search", "--call-agent", "unknown"),
        ("search", "--native", " "),
        ("request", "file", "complaint", "--name", "花子", "--phone", "非通知"),
        ("request", "file", "complaint", "--name", "花子", "--call-agent", " "),
    ],
)
def test_what_stands_for_nobody_is_refused_and_freezes_nothing(shell: Shell, line: tuple[str, ...]) -> None:
    answer = shell(*line)
    assert answer.code == 11
    assert "identifies nobody" in answer.err
    assert shell.json("hold", "list").value == []
    assert shell.json("request", "list").value == []


@pytest.mark.parametrize("option", ["--native", "--call-agent"])
def test_only_a_caller_can_ask_not_to_be_recorded(shell: Shell, option: str) -> None:
    for verb in ("add", "remove"):
        answer = shell("do-not-record", verb, option, "A17")
        assert answer.code == 2
        assert "No such option" in answer.err


def test_whoever_opens_the_particulars_reads_the_recorders_own_id(
    shell: Shell, calls: dict[str, str]
) -> None:
    opened = ("show", calls["1774069500.49"], "--purpose", "service-quality")
    assert shell.json(*opened).value["native_id"] == "1774069500.49"
    assert "The recorder calls it 1774069500.49." in shell(*opened).out
    assert "1774069500.49" not in shell("show", calls["1774069500.49"]).out


def test_an_item_released_for_a_caller_keeps_the_agent_of_its_sidecar(shell: Shell) -> None:
    folder = shell.folder / "aside"
    folder.mkdir()
    (folder / "a.wav").write_bytes((shell.folder / "second" / "new.wav").read_bytes())
    people = [{"side": "Agent", "agent_id": "A17"}, {"side": "caller", "phone": "hanako"}]
    said = {"participants": people, "native_id": "77"}
    Path(folder / "a.wav.json").write_text(json.dumps(said), encoding="utf-8")
    (aside,) = shell.json("ingest", str(folder), "--source", "line").lines
    assert aside["status"] == "quarantined"
    released = shell.json("quarantine", "release", aside["id"], "--phone", CALLER).value
    assert found(shell, "--call-agent", "A17", "--native", "77", "--phone", CALLER) == {released["recording"]}
