"""A correction changes the people it names, says what stood there, and nothing else of the note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.kernel.errors import InvalidInput
from retention.requests.particulars import (
    FIELDS,
    Change,
    Correction,
    Difference,
    corrected_note,
    in_words,
    people_of,
    work_out,
)

CALLER = {"side": "caller", "phone": "03-5550-0143", "name": "髙橋 花子", "department": "sales"}
AGENT = {"side": "agent", "phone": "", "name": "係 一郎"}
PEOPLE = (CALLER, AGENT)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="=."), min_size=1).filter(
    lambda text: text == text.strip() and not text.startswith("#")
)


def made(*texts: str, people: tuple[dict[str, str], ...] = PEOPLE, may_add: bool = False) -> Correction:
    return work_out("R", people, [Change.parse(each) for each in texts], may_add=may_add)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("caller.phone=+81355500143", Change("caller", "phone", "+81355500143")),
        ("caller.phone=", Change("caller", "phone", "")),
        ("caller=", Change("caller", "", "")),
        ("#2.name= 田中 = 中田 ", Change("#2", "name", "田中 = 中田")),
        (".phone=110", Change("", "phone", "110")),
    ],
)
def test_a_change_is_written_as_place_and_value(text: str, change: Change) -> None:
    assert Change.parse(text) == change


@pytest.mark.parametrize("text", ["caller.phone", "caller=花子", ""])
def test_what_says_nothing_of_a_particular_is_refused_without_repeating_the_value(text: str) -> None:
    with pytest.raises(InvalidInput, match="does not say what is right") as refused:
        Change.parse(text)
    assert "花子" not in str(refused.value)


def test_a_particular_is_replaced_and_what_stood_there_is_told() -> None:
    found = made("caller.name=高橋 花子")
    assert found.becomes == ({**CALLER, "name": "高橋 花子"}, AGENT)
    assert found.was == PEOPLE
    assert found.differences == (Difference("caller", "name", "髙橋 花子", "高橋 花子"),)


def test_somebody_who_is_not_in_the_recording_is_taken_away_whole() -> None:
    found = made("caller=")
    assert found.becomes == (AGENT,)
    assert {each.field for each in found.differences} == set(CALLER)
    assert all(each.becomes == "" for each in found.differences)


def test_what_only_the_recorder_knows_can_be_corrected_where_it_stands() -> None:
    assert made("caller.department=support").becomes[0]["department"] == "support"
    with pytest.raises(InvalidInput, match="has no 'department'"):
        made("agent.department=support")


def test_two_people_on_one_side_are_told_apart_by_number() -> None:
    twins = (CALLER, {"side": "caller", "name": "別人"})
    with pytest.raises(InvalidInput, match="2 people") as refused:
        made("caller.name=誰", people=twins)
    assert refused.value.hint == "Write #1 or #2 for it."
    assert made("#2.name=誰", people=twins).becomes[1]["name"] == "誰"


@pytest.mark.parametrize("who", ["supervisor", "#3", "#0", "#x", "#-1"])
def test_nobody_is_made_up_by_a_slip_of_the_pen(who: str) -> None:
    with pytest.raises(InvalidInput, match="names nobody") as refused:
        made(f"{who}.name=誰")
    assert "#1 caller, #2 agent" in refused.value.hint


def test_somebody_whom_the_recorder_left_out_can_be_put_in() -> None:
    found = made("supervisor.name=部長", "supervisor.phone=110", may_add=True)
    assert found.becomes == (*PEOPLE, {"side": "supervisor", "name": "部長", "phone": "110"})


def test_taking_away_somebody_who_is_not_there_adds_nobody() -> None:
    with pytest.raises(InvalidInput, match="names nobody"):
        made("supervisor=", may_add=True)


def test_a_change_that_changes_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="says so already"):
        made("agent.phone=")


def test_the_note_keeps_what_stood_there_who_changed_it_and_for_what() -> None:
    note = {"name": "a.wav", "entry": {"native_id": "7", "participants": list(PEOPLE)}}
    first = corrected_note(note, made("caller.name=高橋 花子"), {"by": "sato", "request": "2026-0001"})
    second = corrected_note(
        first, work_out("R", people_of(first), [Change.parse("agent=")], may_add=False), {"by": "kato"}
    )
    assert second["entry"] == {"native_id": "7", "participants": [{**CALLER, "name": "高橋 花子"}]}
    assert second["name"] == "a.wav"
    told = second["corrections"]
    assert (told[0]["was"], told[0]["by"], told[0]["request"]) == (list(PEOPLE), "sato", "2026-0001")
    assert (told[1]["was"], told[1]["by"]) == ([{**CALLER, "name": "高橋 花子"}, AGENT], "kato")


@given(st.lists(st.tuples(st.sampled_from(FIELDS[1:]), WORDS), min_size=1, max_size=6))
def test_the_differences_lead_from_what_was_to_what_is(changes: list[tuple[str, str]]) -> None:
    by_field = {field: value for field, value in changes if CALLER.get(field, "") != value}
    found = made(*(f"caller.{field}={value}" for field, value in by_field.items()))
    replayed = dict(CALLER)
    for each in found.differences:
        assert replayed.get(each.field, "") == each.was
        replayed[each.field] = each.becomes
    assert (replayed, AGENT) == found.becomes
    assert Correction.of(found.told()) == found


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja", "電話番号: 110 → なし"),
        ("en", "telephone number: 110 → none"),
        ("de", "Telefonnummer: 110 → keine Angabe"),
        ("fr", "telephone number: 110 → none"),
    ],
)
def test_a_letter_says_what_was_changed_in_its_language(language: str, words: str) -> None:
    assert in_words(Difference("caller", "phone", "110", ""), language) == words


def test_a_particular_that_only_the_recorder_knows_keeps_its_name_in_a_letter() -> None:
    assert in_words(Difference("caller", "department", "", "x"), "en") == "department: none → x"
