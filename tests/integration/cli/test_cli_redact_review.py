"""`retention redact review`: look at what was found and decide about it, by hand, all of a line or nothing."""

import base64
from pathlib import Path

import pytest

from media.review.document import Gap, Position, Reason, ReviewDocument, Source, Track, from_json, to_json
from tests.integration.cli.conftest import Shell

SOURCE = Source(sha256="0" * 64, width=640, height=360, frames=300, time_base="1/25")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Two tracks, of which one has a picture."""
    places = tuple(Position(frame=frame, left=1, top=2, right=30, bottom=40) for frame in (10, 90))
    picture = base64.b64encode(b"a picture").decode()
    tracks = (
        Track(id=1, reason=Reason.FACE, positions=places, confidence=0.9, thumbnail=picture),
        Track(id=2, reason=Reason.MOVING, positions=places),
    )
    path = tmp_path / "review.json"
    path.write_text(to_json(ReviewDocument(source=SOURCE, tracks=tracks)), encoding="utf-8")
    return path


def test_what_was_found_is_listed_with_what_is_decided(document: Path, nowhere: Shell) -> None:
    before = document.read_bytes()
    told = nowhere("redact", "review", str(document))
    assert "track 1" in told.out
    assert "moving, undecided" in told.out
    assert "2 open points" in told.out
    assert document.read_bytes() == before


def test_what_moved_and_could_not_be_searched_is_listed_too(document: Path, nowhere: Shell) -> None:
    found = from_json(document.read_text(encoding="utf-8"))
    found = found.model_copy(update={"gaps": (Gap(id=1, first=20, last=60, reason="too dark"),)})
    document.write_text(to_json(found), encoding="utf-8")
    told = nowhere("redact", "review", str(document))
    assert "gap 1" in told.out
    assert "20-60" in told.out
    assert "3 open points" in told.out


def test_several_decisions_are_one_line_and_carry_the_name_of_whoever_decides(
    document: Path, nowhere: Shell
) -> None:
    line = ("--split", "1@50", "--draw", "0-9:5,5,20,20", "--keep", "track 3", "--hide-rest")
    told = nowhere.json("redact", "review", str(document), *line, who="suzuki")
    assert told.code == 0, told.err
    assert told.value["open_points"] == []
    assert {each["id"]: each["decision"] for each in told.value["tracks"]} == {
        1: "hide",
        2: "hide",
        3: "keep",
        4: "hide",
    }
    written = from_json(document.read_bytes())
    assert {track.decision.by for track in written.tracks} == {"suzuki"}
    assert "Everything is decided." in nowhere("redact", "review", str(document)).out


def test_one_decision_that_cannot_be_done_leaves_the_document_as_it_was(
    document: Path, nowhere: Shell
) -> None:
    before = document.read_bytes()
    told = nowhere.json("redact", "review", str(document), "--hide", "track 1", "--split", "7@50")
    assert told.error["exit_code"] == 11
    assert told.error["message"] == "split 7@50: there is no track 7; this review has the tracks 1 to 2"
    assert document.read_bytes() == before
    assert nowhere.json("redact", "review", str(document), "--moving", "no").error["exit_code"] == 11


def test_a_picture_of_each_track_is_written_into_a_new_folder(
    document: Path, nowhere: Shell, tmp_path: Path
) -> None:
    line = ("redact", "review", str(document), "--faces", str(tmp_path / "faces"))
    assert nowhere(*line).code == 0
    assert (tmp_path / "faces" / "track-001.jpg").read_bytes() == b"a picture"
    assert "cannot be made" in nowhere.json(*line).error["message"]


@pytest.mark.parametrize("content", [None, b"{}", b"nonsense"])
def test_what_is_no_review_document_is_refused(nowhere: Shell, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    told = nowhere.json("redact", "review", str(path))
    assert told.error["exit_code"] == 11
    assert "retention redact video" in told.error["hint"]
