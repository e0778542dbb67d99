"""From footage to a document: everything that is to be found becomes a track, however the work is interrupted."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from media.__main__ import main
from media.errors import Cancelled, ModelMissing, ToolFailed, Unreadable
from media.review.decide import hide_all
from media.review.document import Reason, ReviewDocument, Verdict, from_json, to_json
from media.review.masks import to_mask_plan
from media.video.masks import Box
from media.video.proposal import proposal as propose
from media.video.propose import Means, Wish
from media.video.redact import known
from media.video.segments import SEGMENT_FRAMES
from media.video.views import Mount
from media.video.watch import Progress, Watch
from tests.builders.footage import room, wandering, with_spot, write_footage
from tests.fakes.bright_spots import BrightSpots

UPRIGHT = Wish(Mount.UPRIGHT)
SPOTS = Means(face=BrightSpots)


def hidden(document: ReviewDocument, frame: int, box: Box) -> float:
    """The share of a box that the best mask of a frame covers."""
    plan = to_mask_plan(hide_all(document, moving=Verdict.KEEP))
    return max((mask.box.overlap(box) / box.area for mask in plan.at(frame)), default=0.0)


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Two spots that walk to the right, four pixels a frame."""
    return write_footage(tmp_path / "walk.mkv", wandering(60, [(50, 100), (80, 250)], (4, 0)))


def test_whatever_is_found_is_hidden_in_every_frame_also_between_the_looks(walk: Path) -> None:
    document = propose(walk, UPRIGHT, SPOTS)
    assert [track.reason for track in document.tracks] == [Reason.FACE, Reason.FACE]
    for frame in range(60):
        for left, top in ((50, 100), (80, 250)):
            place = left + 4 * frame
            assert hidden(document, frame, Box(place, top, place + 24, top + 24)) == pytest.approx(1.0)


def test_nothing_is_decided_and_the_document_says_how_it_was_searched(walk: Path) -> None:
    document = propose(walk, UPRIGHT, SPOTS)
    assert {track.decision.verdict for track in document.tracks} == {Verdict.UNDECIDED}
    assert document.search is not None
    assert [looker.name for looker in document.search.detectors] == ["bright spots"]
    assert document.search.angles_deg == (0,)
    assert document.search.is_camera_fixed
    assert (document.source.width, document.source.height, document.source.frames) == (640, 360, 60)
    assert from_json(to_json(document)) == document


def test_every_track_has_a_picture(walk: Path) -> None:
    document = propose(walk, UPRIGHT, SPOTS)
    assert all(track.thumbnail and track.thumbnail.startswith("/9j/") for track in document.tracks)


def test_what_moves_and_no_detector_names_is_a_track_of_its_own(tmp_path: Path) -> None:
    wall = room()
    pictures = [wall] * 40 + [with_spot(wall, 5 * step, 150, 60, level=200) for step in range(60)]
    document = propose(write_footage(tmp_path / "a.mkv", pictures), UPRIGHT, SPOTS)
    (track,) = document.tracks
    assert track.reason is Reason.MOVING
    plan = to_mask_plan(hide_all(document))
    for step in range(6, 60):
        place = Box(5 * step, 150, 5 * step + 60, 210)
        assert max(mask.box.overlap(place) for mask in plan.at(40 + step)) > 0.8 * place.area


def test_where_a_light_goes_on_there_is_a_gap_for_a_person_to_look_at(tmp_path: Path) -> None:
    wall = room()
    bright = np.clip(wall.astype(int) + 20, 0, 255).astype(np.uint8)
    pictures = [wall] * 60 + [np.asarray(bright + 70, np.uint8)] * 12
    (gap,) = propose(write_footage(tmp_path / "a.mkv", pictures), UPRIGHT, SPOTS).gaps
    assert gap.first <= 60 <= gap.last
    assert gap.decision.verdict is Verdict.UNDECIDED


def test_no_mask_crosses_a_scene_cut(tmp_path: Path) -> None:
    spots = wandering(31, [(200, 100)], (0, 0))
    pictures = spots + [np.asarray(255 - room(3) // 2, np.uint8) // 2 + 100] * 20
    document = propose(write_footage(tmp_path / "a.mkv", pictures), UPRIGHT, SPOTS)
    assert document.cuts == (31,)
    assert document.tracks[0].last == 30


def test_a_picture_that_does_not_change_is_not_searched_again_and_what_it_holds_stays_hidden(
    tmp_path: Path,
) -> None:
    pictures = wandering(300, [(200, 100)], (0, 0))
    BrightSpots.searches = 0
    document = propose(write_footage(tmp_path / "a.mkv", pictures), UPRIGHT, SPOTS)
    assert BrightSpots.searches < 40
    assert document.search is not None
    assert document.search.seen == ((0, 299),)
    assert all(hidden(document, frame, Box(200, 100, 224, 124)) == 1 for frame in range(300))


def test_frames_between_the_looks_of_a_busy_picture_count_as_unseen(walk: Path) -> None:
    search = propose(walk, UPRIGHT, SPOTS).search
    assert search is not None
    assert search.seen[:3] == ((0, 0), (3, 3), (6, 6))


@pytest.fixture(scope="module")
def stroll(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Footage of more than one segment, and the document of an undisturbed search."""
    pictures = wandering(SEGMENT_FRAMES + 30, [(10, 100), (40, 250)], (1, 0))
    footage = write_footage(tmp_path_factory.mktemp("stroll") / "a.mkv", pictures)
    return footage, to_json(propose(footage, UPRIGHT, SPOTS))


@pytest.mark.parametrize("frame", [5, SEGMENT_FRAMES - 1, SEGMENT_FRAMES, SEGMENT_FRAMES + 29])
def test_a_search_that_is_stopped_anywhere_goes_on_to_the_identical_document(
    tmp_path: Path, stroll: tuple[Path, str], frame: int
) -> None:
    footage, whole = stroll
    means = Means(face=BrightSpots, work=tmp_path)
    taken = iter(range(10_000))
    with pytest.raises(Cancelled, match=f"cancelled at frame {frame}"):
        propose(footage, UPRIGHT, means, Watch(is_cancelled=lambda: next(taken) == frame))
    BrightSpots.searches = 0
    assert to_json(propose(footage, UPRIGHT, means)) == whole
    assert BrightSpots.searches > 0


def test_what_was_found_is_not_searched_for_again(tmp_path: Path, stroll: tuple[Path, str]) -> None:
    footage, whole = stroll
    means = Means(face=BrightSpots, work=tmp_path)
    propose(footage, UPRIGHT, means)
    BrightSpots.searches = 0
    assert to_json(propose(footage, UPRIGHT, means)) == whole
    assert BrightSpots.searches == 0


def test_whoever_the_other_detector_alone_sees_is_a_track_also_in_the_last_frame(tmp_path: Path) -> None:
    pictures = [*[room()] * 20, with_spot(room(), 200, 100)]
    footage = write_footage(tmp_path / "a.mkv", pictures)
    doubtful = Means(face=lambda: BrightSpots(top=0.0), other=BrightSpots)
    document = propose(footage, UPRIGHT, doubtful)
    assert hidden(document, 20, Box(200, 100, 224, 124)) == 1
    assert propose(footage, UPRIGHT, Means(face=lambda: BrightSpots(top=0.0))).tracks == ()


def test_what_the_other_detector_sees_is_kept_at_the_frames_at_which_a_copy_is_looked_at(
    tmp_path: Path,
) -> None:
    """Also while nothing changes, and at the very end, whatever becomes of it."""
    walk = wandering(20, [(50, 100)], (4, 0))
    still = [*walk, *[walk[-1]] * 60, *[room()] * 12, with_spot(room(), 300, 200)]
    document = propose(
        write_footage(tmp_path / "a.mkv", still), UPRIGHT, Means(face=BrightSpots, other=BrightSpots)
    )
    (seen, due) = known(document), (*range(0, 92, 6), 92)
    assert seen is not None
    assert (seen.frames, seen.angles, seen.width_px, seen.by) == (93, (0,), 640, BrightSpots().facts)
    truth = {frame: [hit.box for hit in BrightSpots().find(still[frame])] for frame in due}
    assert {frame: [box for box, _ in hits] for frame, hits in seen.hits_in(due)} == truth
    assert document.search is not None
    assert document.search.other is not None
    assert len(document.search.other.sights) < 8, "what stays is said once"
    assert from_json(to_json(document)) == document


def test_a_document_of_one_detector_knows_nothing_of_another(walk: Path) -> None:
    assert known(propose(walk, UPRIGHT, SPOTS)) is None


def test_how_many_threads_search_changes_nothing(walk: Path) -> None:
    one, four = (propose(walk, UPRIGHT, Means(face=BrightSpots, workers=count)) for count in (1, 4))
    assert one == four


def test_a_detector_that_dies_ends_the_search_with_its_words(walk: Path, tmp_path: Path) -> None:
    def die(number: int) -> None:
        if number == 9:
            raise ToolFailed("the detector died")

    BrightSpots.searches = 0
    means = Means(face=lambda: BrightSpots(die), work=tmp_path / "work")
    with pytest.raises(ToolFailed, match="the detector died"):
        propose(walk, UPRIGHT, means)
    assert propose(walk, UPRIGHT, means) == propose(walk, UPRIGHT, SPOTS)


def test_a_model_that_is_missing_is_known_before_the_footage_is_opened(walk: Path) -> None:
    def missing() -> BrightSpots:
        raise ModelMissing("the model is not here")

    progress: list[Progress] = []
    with pytest.raises(ModelMissing):
        propose(walk, UPRIGHT, Means(face=missing), Watch(on_progress=progress.append))
    assert progress == []


def test_damage_is_an_error_that_names_the_frame(tmp_path: Path) -> None:
    pictures = wandering(60, [(50, 100)], (4, 0))
    footage = write_footage(tmp_path / "a.mp4", pictures, lossless=False)
    content = bytearray(footage.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(300)
    footage.write_bytes(content)
    with pytest.raises(Unreadable, match=r"frame \d+"):
        propose(footage, UPRIGHT, SPOTS)


@pytest.mark.parametrize("content", [b"", b"no footage at all", bytes(5000)])
def test_what_is_no_footage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        propose(path, UPRIGHT, SPOTS)


def test_progress_ends_with_every_frame_and_no_time_left(walk: Path) -> None:
    progress: list[Progress] = []
    propose(walk, UPRIGHT, SPOTS, Watch(on_progress=progress.append))
    assert (progress[-1].frames, progress[-1].total, progress[-1].left_seconds) == (60, 60, 0.0)


def test_only_so_many_pictures_wait_to_be_searched(tmp_path: Path) -> None:
    """Memory does not grow with the footage: decoding waits for the searchers."""
    footage = write_footage(tmp_path / "a.mkv", wandering(240, [(10, 100)], (1, 0)))
    waiting = threading.Event()
    ahead: list[int] = []

    def slowly(number: int) -> None:
        if number == 1:
            waiting.wait(1.0)

    def watch() -> bool:
        ahead.append(1)
        return False

    BrightSpots.searches = 0
    thread = threading.Thread(
        target=propose,
        args=(
            footage,
            UPRIGHT,
            Means(face=lambda: BrightSpots(slowly), workers=1),
            Watch(is_cancelled=watch),
        ),
    )
    thread.start()
    thread.join(0.7)
    read_while_blocked = len(ahead)
    waiting.set()
    thread.join()
    assert read_while_blocked < 20
    assert len(ahead) == 240


@pytest.mark.parametrize("mount", ["90", "180", "270"])
def test_a_mount_that_is_told_is_believed(walk: Path, mount: str) -> None:
    search = propose(walk, Wish(Mount(mount)), SPOTS).search
    assert search is not None
    assert search.angles_deg == (int(mount),)


def test_any_angle_searches_them_all(walk: Path) -> None:
    search = propose(walk, Wish(Mount.ANY), SPOTS).search
    assert search is not None
    assert search.angles_deg == (0, 90, 180, 270)


def test_where_nothing_is_found_nothing_is_said_about_the_mount(tmp_path: Path) -> None:
    footage = write_footage(tmp_path / "a.mkv", [room()] * 10)
    search = propose(footage, Wish(), SPOTS).search
    assert search is not None
    assert search.angles_why == "nothing was found in any angle, so all are searched in turn"


@pytest.mark.usefixtures("models")
def test_the_command_writes_a_document_that_can_be_decided(
    tmp_path: Path, walk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "review.json"
    assert main(["propose", str(walk), str(target), "--mount", "upright", "--progress"]) == 0
    shown = capsys.readouterr().out
    assert '{"frames": 60, "total": 60, "left_seconds": 0.0}' in shown
    assert "heads: 0° (asked for: upright)" in shown
    assert "the camera stands still" in shown
    assert json.loads(target.read_text(encoding="utf-8"))["version"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["review.json", "walk.mkv"]


@pytest.mark.parametrize(
    "make", [lambda path: path / "nothing.mp4", lambda path: path], ids=["missing", "folder"]
)
def test_the_command_says_what_is_wrong_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Path]
) -> None:
    assert main(["propose", str(make(tmp_path)), str(tmp_path / "review.json")]) == 1
    assert capsys.readouterr().err.startswith("media: ")
    assert not (tmp_path / "review.json").exists()
