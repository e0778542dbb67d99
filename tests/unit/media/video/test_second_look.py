"""The second look searches on several threads, skips what did not change, and misses nobody for it."""

import ctypes
import threading
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from media.errors import NotReleased, ToolFailed
from media.video.masks import Box, Mask, MaskPlan
from media.video.motion import for_net, is_same
from media.video.release import release
from media.video.verify.looks import RENEW_FRAMES, Hits, Looks, search
from media.video.verify.pictures import Grey
from media.video.verify.second_look import MAX_SIDE_PX, SecondLook
from media.video.verify.verify import verify
from tests.builders.footage import ROOM, room, wandering, with_spot, write_footage
from tests.fakes.bright_finder import BrightFinder, Spot

FIND = partial(BrightFinder, 200)
EVERY = SecondLook(FIND, every_frames=1, angles=(0,))
EMPTY = MaskPlan({})


class Stops(BrightFinder):
    """Dies of a wild pointer, and its process with it."""

    def find(self, picture: Grey) -> list[Spot]:
        ctypes.string_at(1)
        return super().find(picture)


class Breaks(BrightFinder):
    """Answers nothing, and says so."""

    def find(self, _picture: Grey) -> list[Spot]:
        raise ToolFailed("the detector broke")


def looked_at(
    pictures: Sequence[Grey], look: SecondLook = EVERY, workers: int = 2
) -> tuple[Looks, list[Hits]]:
    """What is found in each picture."""
    with Looks(look, workers) as looks:
        answers = [answer for n, picture in enumerate(pictures) for answer in looks.offer(n, picture)]
        answers += looks.rest()
    assert [number for number, _ in answers] == list(range(len(pictures)))
    return looks, [hits for _, hits in answers]


def test_answers_come_in_order_and_each_is_of_its_own_picture() -> None:
    looks, hits = looked_at(wandering(40, [(10, 100)], (12, 0)), workers=4)
    assert looks.searched == 40
    assert [found[0][0].left for found in hits] == [10.0 + 12 * n for n in range(40)]


def test_how_many_threads_search_changes_no_report(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "in.mkv", wandering(24, [(60, 80), (400, 200)], (4, 1)))
    release(source, EMPTY, tmp_path / "out.mp4", second_look=None)
    one, four = (
        verify(source, tmp_path / "out.mp4", EMPTY, sound=source, second_look=EVERY, workers=count)
        for count in (1, 4)
    )
    assert one == four
    assert len(one.findings) == 48


def test_an_unchanged_picture_is_searched_once_and_again_after_a_while() -> None:
    looks, hits = looked_at([with_spot(room(), 200, 100)] * (RENEW_FRAMES + 5))
    assert (looks.searched, looks.unchanged) == (2, RENEW_FRAMES + 3)
    assert all(len(found) == 1 for found in hits)


def test_nobody_fades_in_unseen() -> None:
    """Each picture is like the one before, but not like the one that was searched."""
    fading = [with_spot(room(), 200, 100, 40, level) for level in range(60, 250, 2)]
    assert all(is_same(for_net(one), for_net(other)) for one, other in pairwise(fading))
    _, hits = looked_at(fading)
    assert len(hits[-1]) == 1


def test_who_may_be_seen_in_one_frame_may_not_in_the_next_though_the_picture_is_the_same(
    tmp_path: Path,
) -> None:
    source = write_footage(tmp_path / "in.mkv", [with_spot(room(), 200, 100)] * 12)
    kept = {frame: [Box(196, 96, 228, 128)] for frame in range(12) if frame != 7}
    with pytest.raises(NotReleased, match="in frame 7 somebody may be visible"):
        release(source, EMPTY, tmp_path / "out.mp4", second_look=EVERY, kept=kept)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_whoever_comes_in_with_the_last_frame_is_seen(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "in.mkv", [*[room()] * 8, with_spot(room(), 200, 100)])
    look = SecondLook(FIND, every_frames=12, angles=(0,))
    with pytest.raises(NotReleased, match="in frame 8 somebody may be visible"):
        release(source, EMPTY, tmp_path / "out.mp4", second_look=look)


@pytest.mark.parametrize(("detector", "said"), [(Stops, "died"), (Breaks, "the detector broke")])
def test_a_search_that_dies_is_loud_and_leaves_no_copy(
    tmp_path: Path, detector: type[BrightFinder], said: str
) -> None:
    source = write_footage(tmp_path / "in.mkv", wandering(24, [(60, 80)], (4, 1)))
    look = SecondLook(partial(detector, 200), every_frames=1)
    plan = MaskPlan({frame: [Mask(Box(0, 0, *ROOM[::-1]))] for frame in range(24)})
    with pytest.raises(ToolFailed, match=said):
        release(source, plan, tmp_path / "out.mp4", second_look=look)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_only_so_many_pictures_wait_to_be_searched() -> None:
    """Memory does not grow with the copy: decoding waits for the searchers."""
    gate, offered = threading.Event(), list[int]()

    class Waits(BrightFinder):
        def find(self, _picture: Grey) -> list[Spot]:
            gate.wait(10)
            return []

    with Looks(SecondLook(partial(Waits, 200), every_frames=1, angles=(0,)), workers=2) as looks:

        def offer() -> None:
            for number, picture in enumerate(wandering(40, [(10, 100)], (12, 0))):
                list(looks.offer(number, picture))
                offered.append(number)

        thread = threading.Thread(target=offer)
        thread.start()
        thread.join(0.5)
        waiting = len(offered)
        gate.set()
        thread.join()
    assert waiting <= 4
    assert len(offered) == 40


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_large_picture_is_searched_smaller_and_hits_come_back_to_their_place(angle: int) -> None:
    picture = np.full((1080, 2 * MAX_SIDE_PX), 60, np.uint8)
    picture[400:480, 1000:1100] = 250
    ((box, _),) = search(BrightFinder(200), picture, (angle,))
    assert box.iou(Box(1000, 400, 1100, 480)) > 0.9
