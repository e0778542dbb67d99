"""What every finder of faces or people promises, tried on every one of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage import data

from media.video.detect.centerface import CenterFace
from media.video.detect.libface import LibFace
from media.video.detect.people import People
from media.video.detect.port import Detector, Grey
from media.video.frames import open_footage
from media.video.masks import Box
from tests.builders.yunet import supplied_yunet
from tests.fakes.bright_spots import BrightSpots

pytestmark = pytest.mark.usefixtures("models")

Maker = Callable[[], Detector]
#: Eileen Collins's face, from hairline to chin, in scikit-image's picture of 512 x 512.
FACE = Box(173, 68, 275, 206)


FACES: list[Maker] = [LibFace, CenterFace, supplied_yunet]
ALL = [*FACES, People, BrightSpots]


@pytest.fixture(params=ALL, ids=lambda maker: str(maker.__name__))
def make(request: pytest.FixtureRequest) -> Maker:
    maker: Maker = request.param
    return maker


@pytest.fixture(scope="module")
def portrait() -> Grey:
    picture = cv2.imread(str(Path(data.__file__).parent / "astronaut.png"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize("maker", FACES, ids=lambda maker: str(maker.__name__))
def test_a_face_is_found_where_it_is(maker: Maker, portrait: Grey) -> None:
    found = maker().find(portrait)
    assert found[0].confidence > 0.6
    assert found[0].box.iou(FACE) > 0.5


@pytest.mark.shared_data
def test_people_are_found_where_they_are(shared_data: Path) -> None:
    with open_footage(shared_data / "video" / "vtest.avi") as footage:
        picture = next(footage.luma_frames()).luma.copy()
    walker = Box(497, 149, 537, 248)
    assert max(one.box.iou(walker) for one in People().find(picture)) > 0.5


def test_nothing_is_found_where_there_is_nothing(make: Maker) -> None:
    assert make().find(np.full((240, 320), 90, np.uint8)) == []


def test_the_same_picture_gives_the_same_answer_whatever_came_between(make: Maker, portrait: Grey) -> None:
    detector = make()
    first = detector.find(portrait)
    detector.find(np.ascontiguousarray(portrait[:300, :200]))
    detector.find(np.asarray(cv2.resize(portrait, (640, 640)), np.uint8))
    assert detector.find(portrait) == first
    assert make().find(portrait) == first


def test_the_picture_is_not_changed_and_may_have_any_strides(make: Maker, portrait: Grey) -> None:
    seen = portrait[::2, ::2]
    before = seen.copy()
    assert make().find(seen) == make().find(np.ascontiguousarray(seen))
    assert np.array_equal(seen, before)


def test_the_surest_comes_first_and_its_middle_lies_in_the_picture(make: Maker, portrait: Grey) -> None:
    found = make().find(portrait)
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    for one in found:
        assert 0 <= one.confidence <= 1
        assert 0 <= (one.box.left + one.box.right) / 2 < portrait.shape[1]
        assert 0 <= (one.box.top + one.box.bottom) / 2 < portrait.shape[0]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 130), st.integers(1, 130), st.integers(0, 2**32 - 1))
def test_a_picture_of_any_size_is_searched(make: Maker, height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width), np.uint8)
    for one in make().find(noise):
        assert (one.box.left + one.box.right) / 2 < width
        assert (one.box.top + one.box.bottom) / 2 < height


def test_several_instances_at_once_answer_as_one_does(make: Maker, portrait: Grey) -> None:
    alone = make().find(portrait)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(lambda: [make().find(portrait) for _ in range(2)]) for _ in range(3)]
        assert all(answer.result() == [alone, alone] for answer in answers)


def test_who_looked_is_known(make: Maker) -> None:
    detector = make()
    assert detector.facts == make().facts
    assert len(detector.facts.sha256) == 64
