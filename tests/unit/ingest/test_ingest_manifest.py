"""What recorders write about their files: every form that is understood, every breakage that is told."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.ingest.manifest import (
    MAX_BYTES,
    Entry,
    Notice,
    parse_manifest,
    read_manifest,
    read_sidecar,
    sidecar_names,
)
from retention.kernel.errors import InvalidInput


def parse(text: str | bytes, *, is_csv: bool = False) -> list[Entry]:
    return parse_manifest(text if isinstance(text, bytes) else text.encode(), "m", is_csv=is_csv)


@pytest.mark.parametrize(
    "document", ['{"file": "a"}', '[{"file": "a"}]', '{"recordings": [{"file": "a"}]}', '\ufeff{"file": "a"}']
)
def test_json_is_one_entry_or_a_list_or_recordings(document: str) -> None:
    assert [entry.file for entry in parse(document)] == ["a"]


def test_everything_that_is_known_of_an_entry_is_read() -> None:
    (entry,) = parse(
        json.dumps(
            {
                "path": "2026/a.wav",
                "uniqueid": 1451649600.49,
                "start_time": "2026-03-02T10:00",
                "end": "2026-03-02T10:05",
                "purposes": ["inquiry"],
                "participants": [{"side": "caller", "number": "03-5550-0143", "customer": 4711}],
                "announcement": {"version": "ivr-3", "offset_s": 1.5},
                "consent": True,
                "tags": ["vip"],
                "case": "case-1",
                "events": {"case-closed": "2026-03-01"},
                "sha256": "A" * 64,
                "size_bytes": 10,
                "complete": True,
            }
        )
    )
    assert (entry.file, entry.native_id, entry.reference) == ("2026/a.wav", "1451649600.49", "case-1")
    assert (entry.started_at, entry.ended_at) == ("2026-03-02T10:00", "2026-03-02T10:05")
    assert (entry.participants[0].phone, entry.participants[0].customer_id) == ("03-5550-0143", "4711")
    assert entry.announcement == Notice(version="ivr-3", offset_s=1.5)
    assert entry.events == {"case-closed": date(2026, 3, 1)}
    assert (entry.purposes, entry.tags, entry.consent, entry.complete) == (("inquiry",), ("vip",), True, True)


def test_fields_that_nobody_knows_are_kept() -> None:
    (entry,) = parse('{"file": "a", "queue": "q1", "participants": [{"pbx_leg": 2}]}')
    assert entry.model_dump()["queue"] == "q1"
    assert entry.participants[0].model_dump()["pbx_leg"] == 2


def test_csv_has_a_row_a_file_and_columns_for_each_side() -> None:
    (entry,) = parse(
        "file,native_id,started_at,tags,caller_phone,Caller_Age_Band,agent_name,party_b_customer_id\n"
        "a.wav,17,2026-03-02T10:00,vip; opt-out ;,03-5550-0143,40-49,Suzuki,C1\n",
        is_csv=True,
    )
    assert (entry.file, entry.native_id, entry.tags) == ("a.wav", "17", ("vip", "opt-out"))
    people = {each.side: each for each in entry.participants}
    assert (people["caller"].phone, people["caller"].age_band) == ("03-5550-0143", "40-49")
    assert people["agent"].name == "Suzuki"
    assert people["party_b"].customer_id == "C1"


@pytest.mark.parametrize("column", ["caller_phone", "caller_number", "caller_telephone", "phone"])
def test_a_column_for_a_telephone_number_is_understood_by_any_of_its_names(column: str) -> None:
    (entry,) = parse(f"file,{column}\na.wav,03-5550-0143\n", is_csv=True)
    assert entry.participants[0].phone == "03-5550-0143"


def test_columns_about_the_agent_are_the_agents() -> None:
    (entry,) = parse(
        "file,agent_id,Agent_Login,agent_name,last_login\na.wav,A17,kakari,Sato,x\n", is_csv=True
    )
    (agent,) = entry.participants
    assert (agent.side, agent.agent_id, agent.name) == ("agent", "A17", "Sato")
    assert agent.known_as == ("A17", "kakari", "Sato")
    assert entry.model_dump()["last_login"] == "x"


def test_an_empty_field_of_csv_says_nothing() -> None:
    (entry,) = parse("file,tags,caller_phone\na.wav,,\n", is_csv=True)
    assert (entry.tags, entry.participants) == ((), ())


@pytest.mark.parametrize("text", ["", "file,native_id\n"])
def test_csv_without_a_row_has_no_entry(text: str) -> None:
    assert parse(text, is_csv=True) == []


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"{'file': 'a'}",
        b"\x93\xfa\x96\x7b",  # Shift JIS
        b"\xff\xfe{\x00}\x00",  # UTF-16
        b"\x00" * 20,
        b"[" * 5_000,
        b"[" * 40 + b"]" * 40,
        b"1" * 5_000,
        b'{"file": ' + b"1" * 5_000 + b"}",
        b"true",
        b'"text"',
        b"[1]",
        b'{"file": ["a"]}',
        b'{"file": {"a": 1}}',
        b'{"sha256": "abc"}',
        b'{"size_bytes": "many"}',
        b'{"size_bytes": Infinity}',
        b'{"complete": "perhaps"}',
        b'{"participants": "me"}',
        b'{"participants": [1]}',
        b'{"events": {"case-closed": "soon"}}',
        b'{"tags": "vip"}',
        b'{"reference": "a\\u0000b"}',
        b'{"reference": "' + b"x" * 300 + b'"}',
        b'{"started_at": "2026-03-02\\u000010:00"}',
        b'{"purposes": ["a\\ud800"]}',
    ],
)
def test_json_that_is_broken_is_refused_with_a_message(broken: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^m\b"):
        parse(broken)


@pytest.mark.parametrize(
    "broken", [b"file,a\nx\n", b"file\nx,y\n", b'file\n"x\n', b"\xff\xfef\x00", b"file\n" + b"y" * 200_000]
)
def test_csv_that_is_broken_is_refused_with_a_message(broken: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^m\b"):
        parse(broken, is_csv=True)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.booleans())
def test_any_bytes_are_entries_or_refused_and_nothing_else(content: bytes, is_csv: bool) -> None:
    try:
        assert all(isinstance(entry, Entry) for entry in parse(content, is_csv=is_csv))
    except InvalidInput:
        return


def test_a_message_says_which_entry_and_field() -> None:
    with pytest.raises(InvalidInput, match="m, entry 2, size_bytes"):
        parse('[{"file": "a"}, {"file": "b", "size_bytes": "x"}]')


def test_a_sidecar_describes_exactly_one_file(tmp_path: Path) -> None:
    path = tmp_path / "03-5550-0143.wav.json"
    path.write_text('[{"native_id": "1"}]')
    assert read_sidecar(path).native_id == "1"
    for document in ("[]", '[{"native_id": "1"}, {"native_id": "2"}]'):
        path.write_text(document)
        with pytest.raises(InvalidInput, match="a sidecar describes one file"):
            read_sidecar(path)


@pytest.mark.parametrize("content", ["{", "[]", '{"size_bytes": "x"}'])
def test_a_message_about_a_sidecar_does_not_repeat_its_name(tmp_path: Path, content: str) -> None:
    """Recorders put telephone numbers into names of files."""
    path = tmp_path / "out-0355500143.wav.json"
    path.write_text(content)
    with pytest.raises(InvalidInput) as refused:
        read_sidecar(path)
    assert "0355500143" not in refused.value.message


def test_a_manifest_that_is_absent_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_manifest(tmp_path / "manifest.json")
    huge = tmp_path / "manifest.csv"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidInput, match="larger than"):
        read_manifest(huge)


def test_a_sidecar_lies_beside_its_file_under_one_of_two_names() -> None:
    assert list(sidecar_names("call.wav")) == ["call.wav.json", "call.json"]
    assert list(sidecar_names("call")) == ["call.json"]


# --- what a person reads about a broken one


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('{"participants": "none"}', "participants: it should be a list"),
        ('{"purposes": "dispute"}', "purposes: it should be a list"),
        ('{"sha256": "zz"}', "sha256: it should be 64 hexadecimal digits"),
        ('{"reference": "\\u0000"}', "reference: it holds characters that cannot be printed"),
        ("[5]", "entry 1, entry: it should be an object"),
    ],
)
def test_it_is_told_in_words_of_json(document: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parse(document)


@pytest.mark.parametrize("said", ["-1", "9223372036854775808", "1e400"])
def test_a_size_that_no_file_has_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match="size_bytes"):
        parse(f'{{"size_bytes": {said}}}')


def test_an_offset_is_a_number_of_seconds() -> None:
    with pytest.raises(InvalidInput, match="announcement"):
        parse('{"announcement": {"version": "ivr-3", "offset_s": NaN}}')


@pytest.mark.parametrize("broken", ['b,"c"d', "b,c,d", "b"])
def test_a_broken_csv_names_its_line(broken: str) -> None:
    with pytest.raises(InvalidInput, match="line 3"):
        parse(f"file,native_id\na,1\n{broken}\n", is_csv=True)
