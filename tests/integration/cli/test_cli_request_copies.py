"""A disclosure over real media, by the command line alone: from the receipt to the download.

A woman asks for her call, and for the minute in which she walked through a
corridor with somebody else. On the line an agent speaks, too.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from media.review.document import Position, ReviewDocument, Track, Verdict, from_json, to_json
from media.review.masks import boxes_of
from media.video.masks import Box
from retention.disposal import verifier
from retention.founding import open_app
from retention.kernel.clock import SystemClock
from tests.builders.identifiers import (
    insiders_in,
    members,
    named_by_the_package,
    named_in,
    people_in,
    spelt,
    text_of,
)
from tests.builders.outbox import served
from tests.builders.packages import unzipped
from tests.builders.sound import decode
from tests.builders.truth import Label, faces_of
from tests.integration.cli.conftest import Shell

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]

CALL, CLIP = "dev-call-c.wav", "face-demographics-walking"
AGENT, CALLER = 0, 1
PORTRAIT = Path(data.__file__).parent / "astronaut.png"
NAME, PHONE, AT = "山田 花子", "03-5550-0177", "2026-11-20T10:00:00+09:00"
REVIEWER, DECIDER, APPROVER = "suzuki", "sato", "tanaka"

Frames = list[NDArray[np.uint8]]


@dataclass
class Story:
    """The store, and what was said on the way."""

    shell: Shell
    data: Path
    receipt: str = ""
    call: str = ""
    clip: str = ""

    def do(self, *line: str, who: str = DECIDER, fails: int = 0) -> Any:
        """One `retention request` about this request: its answer, or its error."""
        verb, *rest = line
        answer = self.shell.json("request", verb, self.receipt, *rest, who=who)
        assert answer.code == fails, answer.err
        return answer.error if fails else answer.value

    def review(self, recording: str, change: Callable[[str], str]) -> dict[str, Any]:
        """Write the review out, decide in it, and take it back."""
        path = self.shell.folder / "review.json"
        self.do("review", "--recording", recording, "--out", str(path), who=REVIEWER)
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        (found,) = self.do("review", "--recording", recording, "--in", str(path), who=REVIEWER)
        return dict(found)

    def copy(self, recording: str) -> dict[str, Any]:
        """What is known of a recording's copy."""
        (found,) = [each for each in self.do("show")["copies"] if each["recording"] == recording]
        return dict(found)

    def opened(self, recording: str) -> Path:
        """The copy, as whoever approves looks at it."""
        found = self.copy(recording)
        out = self.shell.folder / f"{recording}{found['suffix']}"
        line = ("open", found["rendition"], "--purpose", "request-handling", "--out", str(out))
        assert self.shell(*line, who=APPROVER).code == 0
        return out


@pytest.fixture(scope="module")
def story(template: Path, tmp_path_factory: pytest.TempPathFactory, shared_data: Path, models: None) -> Story:
    """Two recordings are held, the request is matched, and everything is proposed."""
    del models
    folder = tmp_path_factory.mktemp("story")
    shutil.copytree(template, folder, dirs_exist_ok=True)
    told = Story(Shell(folder), shared_data)
    place = ("--site", "tokyo", "--zone", "Asia/Tokyo")
    sides = ("--channel", "agent", "--channel", "caller", "--purpose", "service-quality", "--notice", "ivr-3")
    camera = ("--purpose", "crime-prevention", "--notice", "sign-1")
    assert told.shell("source", "add", "desk", "--kind", "call", *place, *sides).code == 0
    assert told.shell("source", "add", "corridor", "--kind", "footage", *place, *camera).code == 0
    told.call = _ingested(told, shared_data / "audio" / "calls" / CALL, "desk")
    told.clip = _ingested(told, shared_data / "video" / f"{CLIP}.mp4", "corridor")
    when = ("--source", "corridor", "--from", AT, "--to", "2026-11-20T10:01:00+09:00")
    asked = ("request", "file", "disclosure", "--name", NAME, "--phone", PHONE, *when)
    told.receipt = told.shell.json(*asked).value["receipt"]
    told.do("identify", "--method", "drivers-licence")
    told.do("match")
    proposed = told.do("propose", "--no-words")
    assert {each["recording"] for each in proposed} == {told.call, told.clip}
    return told


@pytest.fixture(scope="module")
def rendered(story: Story) -> Story:
    """Every copy is made: whoever the second look finds again is hidden, too."""
    labels = of_one_frame(story.data)
    story.review(story.call, keep_what_the_caller_said)
    story.review(story.clip, lambda text: keep_her_alone(labels, text))
    story.do("render", "--hide-found", who=REVIEWER)
    return story


def _ingested(told: Story, original: Path, source: str) -> str:
    folder = told.shell.folder / source
    folder.mkdir()
    shutil.copy(original, folder)
    said = {
        "native_id": source,
        "started_at": AT,
        "participants": [{"side": "caller", "phone": PHONE}, {"side": "agent"}],
    }
    (folder / f"{original.name}.json").write_text(json.dumps(said), encoding="utf-8")
    found: str = told.shell.json("ingest", str(folder), "--source", source).lines[0]["id"]
    return found


# --- what a person decides


def keep_what_the_caller_said(text: str) -> str:
    """The agent's side is proposed silent; the caller stays, with her keys."""
    document = json.loads(text)
    assert document["channels"][AGENT]["decision"]["verdict"] == "hide"
    document["channels"][CALLER]["decision"]["verdict"] = "keep"
    for span in document["spans"]:
        span["decision"]["verdict"] = "keep"
    return json.dumps(document)


def keep_her_alone(labels: list[Label], text: str) -> str:
    """Everybody and everything is hidden but the track of the woman, who walks on the left."""
    document = from_json(text)
    hers = max(document.tracks, key=lambda track: _share(track, min(labels, key=_left)))
    tracks = tuple(
        track.model_copy(
            update={
                "decision": track.decision.model_copy(
                    update={"verdict": Verdict.KEEP if track.id == hers.id else Verdict.HIDE}
                )
            }
        )
        for track in document.tracks
    )
    return to_json(document.model_copy(update={"tracks": tracks}))


def with_his_mask_beside_him(labels: list[Label], text: str) -> str:
    """The same, but somebody moves the mask of the man's face into a corner."""
    document = from_json(keep_her_alone(labels, text))
    his = max(document.tracks, key=lambda track: _share(track, max(labels, key=_left)))
    places = tuple(Position(frame=each.frame, left=0, top=0, right=20, bottom=20) for each in his.positions)
    tracks = tuple(
        track.model_copy(update={"positions": places}) if track.id == his.id else track
        for track in document.tracks
    )
    return to_json(ReviewDocument.model_validate(document.model_dump() | {"tracks": tracks}))


def _left(label: Label) -> float:
    return float(label.corners[:, 0].min())


def _box(label: Label) -> Box:
    left, top = label.corners.min(axis=0)
    right, bottom = label.corners.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def _share(track: Track, label: Label) -> float:
    """Of a face, within the track's mask; faces before what moves."""
    found = dict(boxes_of(track.positions)).get(label.frame)
    return 0.0 if found is None or track.reason != "face" else found.overlap(_box(label)) / _box(label).area


def of_one_frame(data: Path) -> list[Label]:
    """The two faces that people labelled in the last frame that has both."""
    labels = faces_of(data, CLIP)
    last = max(label.frame for label in labels)
    return [label for label in labels if label.frame == last]


def frames(path: Path) -> Frames:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in container.decode(video=0)]


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.int16]:
    return picture[int(box.top) : int(box.bottom), int(box.left) : int(box.right)].astype(np.int16)


# --- the story, in its order


def test_what_is_found_is_named_and_nobody_has_decided(story: Story) -> None:
    call, clip = story.copy(story.call), story.copy(story.clip)
    assert [point.partition(" is ")[0] for point in call["open_points"]][:2] == [
        "channel 1 (caller)",
        "span 1 (card number)",
    ]
    assert len([point for point in clip["open_points"] if "(face) is undecided" in point]) >= 2
    listed = story.shell("request", "show", story.receipt)
    assert f"{story.clip}: not reviewed, {len(clip['open_points'])} open points." in listed.out
    assert f"Next: retention request review {story.receipt} --recording {story.clip}" in listed.out


def test_nothing_undecided_is_rendered_and_each_is_named(story: Story) -> None:
    error = story.do("render", fails=14)
    assert f"{story.clip}: track 1 (face) is undecided" in error["message"]
    assert f"{story.call}: channel 1 (caller) is undecided" in error["message"]


def test_a_face_of_each_track_can_be_written_out_for_the_reviewer(story: Story, tmp_path: Path) -> None:
    line = (
        "--recording",
        story.clip,
        "--out",
        str(tmp_path / "review.json"),
        "--faces",
        str(tmp_path / "faces"),
    )
    story.do("review", *line, who=REVIEWER)
    pictures = sorted((tmp_path / "faces").iterdir())
    assert pictures[0].name == "track-001.jpg"
    assert {path.read_bytes()[:3] for path in pictures} == {b"\xff\xd8\xff"}
    assert {path.stat().st_mode & 0o777 for path in pictures} == {0o600}


def test_whoever_reviews_opens_the_original_for_the_request_and_for_no_other(
    story: Story, tmp_path: Path
) -> None:
    line = ("--request", story.receipt, "--out", str(tmp_path / "original.wav"))
    assert story.shell("open", story.call, *line, who=REVIEWER).code == 0
    assert decode(tmp_path / "original.wav")[0][AGENT].any()
    other = story.shell.ids()["young"]
    refused = story.shell("open", other, *line, who=REVIEWER)
    assert refused.code == 13
    assert f"is not about recording {other}" in refused.err


def test_a_photo_only_orders_the_tracks_and_nothing_of_it_is_kept(story: Story, tmp_path: Path) -> None:
    line = ("propose", "--recording", story.clip, "--keep-face")
    wall = tmp_path / "wall.png"
    shutil.copy(PORTRAIT.with_name("brick.png"), wall)
    assert "no face is found in wall.png" in story.do(*line, str(wall), fails=11)["message"]
    before = story.copy(story.clip)["open_points"]
    story.do(*line, str(PORTRAIT))
    assert sorted(story.copy(story.clip)["open_points"]) == sorted(before)
    out = tmp_path / "review.json"
    story.do("review", "--recording", story.clip, "--out", str(out), who=REVIEWER)
    likeness = [track.likeness for track in from_json(out.read_text(encoding="utf-8")).tracks]
    known = [each for each in likeness if each is not None]
    assert known
    assert likeness == [*sorted(known), *(None for _ in likeness[len(known) :])]
    stored = [path for path in story.shell.home.rglob("*") if path.is_file()]
    assert not any(PORTRAIT.stem.encode() in path.read_bytes() for path in stored)


def test_before_there_is_a_copy_there_is_no_report(story: Story, tmp_path: Path) -> None:
    line = ("report", "--recording", story.clip, "--out", str(tmp_path / "report.html"))
    assert "there is no finished copy" in story.do(*line, fails=12)["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_not_in_the_review_is_refused(story: Story) -> None:
    line = ("review", "--recording", story.clip, "--keep")
    assert "there is no track 99" in story.do(*line, "track 99", fails=11)["message"]
    assert "names nothing in this review" in story.do(*line, "the woman", fails=11)["message"]
    assert "this footage has no sound" in story.do(*line, "sound", fails=11)["message"]
    assert (
        "no span 9" in story.do("review", "--recording", story.call, "--hide", "span 9", fails=11)["message"]
    )
    assert "what to do" in story.do("review", "--recording", story.call, fails=11)["message"]


def test_a_track_is_split_carried_on_and_merged_again_by_hand(story: Story) -> None:
    line = ("review", "--recording", story.clip)
    before = story.copy(story.clip)["open_points"]
    (found,) = story.do(*line, "--split", "1@12", "--draw", "0-5:1,1,9,9", who=REVIEWER)
    assert len(found["open_points"]) == len(before) + 1
    new = max(int(point.split()[1]) for point in found["open_points"] if point.startswith("track"))
    error = story.do(*line, "--merge", "1,999", fails=11)
    assert "merge 1,999: there is no track 999; this review has the tracks" in error["message"]
    (found,) = story.do(*line, "--merge", f"1,{new}", who=REVIEWER)
    assert found["open_points"] == before
    calls = story.do("review", "--recording", story.call, "--split", "1@12", fails=11)
    assert "a call has no tracks" in calls["message"]


def test_a_mask_that_was_moved_off_a_face_releases_nothing(story: Story) -> None:
    labels = of_one_frame(story.data)
    found = story.review(story.clip, lambda text: with_his_mask_beside_him(labels, text))
    assert found["open_points"] == []
    error = story.do("render", "--recording", story.clip, fails=43)
    assert f"{story.clip}: track" in error["message"]
    back = story.copy(story.clip)
    assert back["open_points"]
    assert (back["rendition"], back["sha256"]) == (None, None)


def test_reviewed_rendered_and_verified_every_copy_is_sealed(rendered: Story) -> None:
    for each in (rendered.copy(rendered.call), rendered.copy(rendered.clip)):
        assert (each["open_points"], each["rendered_by"]) == ([], REVIEWER)
        assert each["rendition"]
    assert rendered.copy(rendered.call)["summary"]["sound"] == "kept"
    assert rendered.copy(rendered.clip)["summary"]["kept"] == 1


def test_in_the_call_the_agent_is_silent_to_the_sample_and_the_caller_is_as_she_was(rendered: Story) -> None:
    before, rate = decode(rendered.data / "audio" / "calls" / CALL)
    after, same_rate = decode(rendered.opened(rendered.call))
    assert (rate, before.shape) == (same_rate, after.shape)
    assert before[AGENT].any()
    assert not after[AGENT].any()
    assert np.array_equal(after[CALLER], before[CALLER])


def test_in_the_footage_her_face_stays_and_every_other_is_destroyed(rendered: Story) -> None:
    before = frames(rendered.data / "video" / f"{CLIP}.mp4")
    after = frames(rendered.opened(rendered.clip))
    assert len(before) == len(after)
    labels = faces_of(rendered.data, CLIP)
    for number in {label.frame for label in labels}:
        here = sorted((label for label in labels if label.frame == number), key=_left)
        hers, *others = [_box(label) for label in here]
        assert np.abs(cut(after[number], hers) - cut(before[number], hers)).mean() < 8
        for box in others:
            assert cut(after[number], box).max() < 40
            assert cut(before[number], box).max() > 80


def test_whoever_approves_reads_the_report_that_was_sealed_with_each_copy(
    rendered: Story, tmp_path: Path
) -> None:
    for recording, words in ((rendered.call, "音声の墨消し"), (rendered.clip, "墨消し済み複製の再検査")):
        page, document = tmp_path / f"{recording}.html", tmp_path / f"{recording}.json"
        for out in (page, document):
            rendered.do("report", "--recording", recording, "--out", str(out), who=APPROVER)
        text = page.read_text(encoding="utf-8")
        assert words in text
        assert rendered.copy(recording)["sha256"] in text
        assert "schema" in json.loads(document.read_text(encoding="utf-8"))
    listed = rendered.shell("request", "show", rendered.receipt).out
    assert f"retention request report {rendered.receipt} --recording {rendered.clip}" in listed


def test_the_originals_are_as_they_were_and_nothing_lies_about(rendered: Story) -> None:
    for recording, purpose, path in (
        (rendered.call, "service-quality", rendered.data / "audio" / "calls" / CALL),
        (rendered.clip, "crime-prevention", rendered.data / "video" / f"{CLIP}.mp4"),
    ):
        out = rendered.shell.folder / "original"
        assert rendered.shell("open", recording, "--purpose", purpose, "--out", str(out)).code == 0
        assert out.read_bytes() == path.read_bytes()
    assert list((rendered.shell.home / "work").iterdir()) == []
    assert rendered.shell.json("check", "--level", "digest").value["ok"]


def test_a_second_person_approves_exactly_what_was_decided_about(rendered: Story) -> None:
    assert rendered.do("decide", "full")["stage"] == "decided"
    for who in (DECIDER, REVIEWER):
        assert "nobody approves" in rendered.do("approve", who=who, fails=13)["message"]
    assert {each["is_decided"] for each in rendered.do("show")["copies"]} == {True}
    assert "is decided" in rendered.do("render", "--recording", rendered.call, fails=14)["message"]
    assert rendered.do("approve", who=APPROVER)["stage"] == "approved"
    assert rendered.shell.json("audit", "verify").value["ok"]


def test_granted_it_is_fetched_by_a_link_opens_with_an_unzip_plays_and_holds_for_the_verifier(
    rendered: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_LINK_BASE_URL", "https://answers.example.jp")
    made = rendered.do("package")
    link = rendered.do("deliver", "--link")
    with served(rendered.shell.home / "outbox") as outbox:
        outbox.clock.set(SystemClock().now())
        body = urlencode({"passphrase": link["passphrase"]}).encode()
        content = outbox.ask("POST", urlsplit(link["url"]).path, body).body
    (row,) = rendered.shell.json("disclosure", "collect").value
    assert (row["state"], rendered.do("show")["stage"]) == ("downloaded", "delivered")
    folder = unzipped(content, tmp_path)
    found, _ = verifier.check_package(folder, bytes.fromhex(made["public_key"]))
    copies = [each for each in found["files"] if "redaction" in each]
    assert [each["name"] for each in copies] == [
        "recordings/2026-11-20_100000_call.wav",
        "recordings/2026-11-20_100000_footage.mp4",
    ]
    assert all(each["redaction"]["looked_with"] for each in copies)
    assert not decode(folder / copies[0]["name"])[0][AGENT].any()
    assert len(frames(folder / copies[1]["name"])) == len(frames(rendered.data / "video" / f"{CLIP}.mp4"))
    nobody_else_is_named(rendered, content)


def nobody_else_is_named(story: Story, package: bytes) -> None:
    """Whatever the store knows, the letter names the requester alone; not even her number is in it."""
    with closing(open_app(story.shell.home)) as app:
        words = people_in(app) | insiders_in(app) | {REVIEWER, CLIP}
    words -= story.shell.ids().keys() | {
        "line"
    }  # what the template is made of is called by words of any letter
    assert words >= {"+81355500177", "desk", "corridor", NAME}
    assert named_by_the_package(words - spelt([NAME]), package) == set()
    assert named_in(spelt([NAME]), text_of(members(package)["letter.pdf"])) >= {NAME}
