"""From footage to a copy that may be handed over: everyone hidden, unless a person says otherwise."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from media.errors import Undecided, Unreadable
from media.page import as_text
from media.review.decide import decide
from media.review.document import Reason, ReviewDocument, Verdict
from media.video.frames import luma_of, open_footage
from media.video.masks import Style
from media.video.propose import Means, Wish, propose
from media.video.redact import FoundAgain, Order, finish, looked_at
from media.video.verify.model import MovedFacts
from media.video.verify.report import page_of
from media.video.verify.second_look import SecondLook
from media.video.views import Mount
from tests.builders.footage import wandering, write_footage
from tests.fakes.bright_finder import BrightFinder
from tests.fakes.bright_spots import BrightSpots

LOOK = SecondLook(partial(BrightFinder, 200), angles=(0,))
HIDE_ALL = Order(hides_all=True, look=LOOK, by="sato")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room with two people in it."""
    pictures = wandering(24, [(60, 80), (400, 200)], (4, 1))
    return write_footage(tmp_path_factory.mktemp("footage") / "in.mkv", pictures)


@pytest.fixture(scope="module")
def found(footage: Path) -> ReviewDocument:
    document = propose(footage, Wish(Mount.UPRIGHT), Means(face=BrightSpots, workers=1))
    assert len(document.tracks) == 2
    return document


def brightest(path: Path) -> list[int]:
    """The brightest pixel of each frame."""
    with open_footage(path) as opened:
        return [int(np.max(luma_of(frame))) for frame in opened.frames()]


def test_nobody_shows_when_all_are_hidden(footage: Path, found: ReviewDocument, tmp_path: Path) -> None:
    done = finish(footage, found, tmp_path / "out.mp4", HIDE_ALL)
    assert done.rounds == 1
    assert max(brightest(tmp_path / "out.mp4")) < 200
    assert {track.decision.by for track in done.document.tracks} == {"sato"}
    assert done.released.verified.second_look is not None


def test_nothing_is_rendered_while_a_track_is_undecided(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    decided = decide(found, [1], Verdict.HIDE)
    with pytest.raises(Undecided, match="track 2"):
        finish(footage, decided, tmp_path / "out.mp4", Order(look=LOOK))
    assert not (tmp_path / "out.mp4").exists()


def test_who_is_kept_stays_visible_and_nobody_else(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    decided = decide(decide(found, [1], Verdict.KEEP), [2], Verdict.HIDE)
    done = finish(footage, decided, tmp_path / "out.mp4", Order(look=LOOK))
    assert min(brightest(tmp_path / "out.mp4")) > 200
    look = done.released.verified.second_look
    assert look is not None
    assert look.kept == look.hits > 0


def test_whoever_was_forgotten_goes_back_to_review_and_no_copy_is_left(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    forgotten = decide(found.model_copy(update={"tracks": found.tracks[:1]}), [1], Verdict.HIDE)
    with pytest.raises(FoundAgain) as refusal:
        finish(footage, forgotten, tmp_path / "out.mp4", Order(look=LOOK))
    assert list(tmp_path.iterdir()) == []
    new = refusal.value.document.tracks[1:]
    assert new
    assert {track.decision.verdict for track in new} == {Verdict.UNDECIDED}


def test_whoever_was_forgotten_is_hidden_in_the_next_copy_when_all_are_to_be(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    forgotten = found.model_copy(update={"tracks": found.tracks[:1]})
    done = finish(footage, forgotten, tmp_path / "out.mp4", HIDE_ALL)
    assert done.rounds > 1
    assert max(brightest(tmp_path / "out.mp4")) < 200


def with_moving(found: ReviewDocument) -> ReviewDocument:
    """The second of the two is something that moved, and no detector said what it is."""
    moving = found.track(2).model_copy(update={"reason": Reason.MOVING, "confidence": 0.0})
    return found.model_copy(update={"tracks": (found.track(1), moving)})


def test_what_no_detector_named_is_hidden_with_everybody_and_the_report_says_so(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    done = finish(footage, with_moving(found), tmp_path / "out.mp4", HIDE_ALL)
    assert max(brightest(tmp_path / "out.mp4")) < 200
    assert done.released.verified.moved == MovedFacts(hidden=1, kept=0)
    assert "1 painted over, 0 left visible" in as_text(page_of(done.released.verified, "en"))


def test_what_no_detector_named_stays_visible_only_by_choice_and_a_person_is_told_to_look(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    blind = SecondLook(partial(BrightFinder, 256), angles=(0,))
    order = Order(hides_all=True, moving=Verdict.KEEP, look=blind)
    done = finish(footage, with_moving(found), tmp_path / "out.mp4", order)
    assert min(brightest(tmp_path / "out.mp4")) > 200
    assert done.released.verified.moved == MovedFacts(hidden=0, kept=1)
    for language, words in (("en", "Look at what moved"), ("ja", "表示したままの動くもの 1 件")):
        assert words in as_text(page_of(done.released.verified, language))  # type: ignore[arg-type]


def test_what_no_detector_named_may_be_left_to_a_person(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    order = Order(hides_all=True, moving=Verdict.UNDECIDED, look=LOOK)
    with pytest.raises(Undecided, match="track 2") as refusal:
        finish(footage, with_moving(found), tmp_path / "out.mp4", order)
    assert "track 1" not in str(refusal.value)


def test_a_style_that_is_asked_for_is_every_masks(
    footage: Path, found: ReviewDocument, tmp_path: Path
) -> None:
    order = Order(hides_all=True, look=LOOK, style=Style.COSMETIC)
    done = finish(footage, found, tmp_path / "out.mp4", order)
    assert {track.style for track in done.document.tracks} == {Style.COSMETIC}


def test_a_document_of_other_footage_is_refused(found: ReviewDocument, tmp_path: Path) -> None:
    other = write_footage(tmp_path / "other.mkv", wandering(24, [(9, 9)], (1, 1)))
    with pytest.raises(Unreadable, match=r"made for another file"):
        finish(other, found, tmp_path / "out.mp4", HIDE_ALL)


def test_only_before_a_camera_that_stands_still_may_stretches_be_copied(found: ReviewDocument) -> None:
    assert found.search is not None
    still = found.search.model_copy(update={"is_camera_fixed": True})
    assert looked_at(found.model_copy(update={"search": still}))
    moves = found.search.model_copy(update={"is_camera_fixed": False})
    assert looked_at(found.model_copy(update={"search": moves})) == ()
    assert looked_at(found.model_copy(update={"search": None})) == ()
