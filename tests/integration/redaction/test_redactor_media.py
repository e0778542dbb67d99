"""What becomes of the sound: of calls in every codec that recorders write, and of footage."""

import html
from pathlib import Path

import numpy as np
import pytest

from media.review.document import Decision, Sound, Verdict, from_json, to_json
from media.video.masks import Style
from retention.adapters.redactor_calls import Speech
from retention.adapters.redactor_media import MediaRedactor
from retention.kernel.errors import InvalidInput, ToolFailed
from retention.redaction.redactor import Choice, Copy, Medium, Original, Review, Wish
from tests.builders.sound import Levels, decode, encode, footage, loud

AGENT, CALLER = 0, 1
SOUND, PICTURE = {"type": "audio"}, {"type": "video"}


def ignore(_done: int, _total: int | None) -> None:
    """Nobody watches."""


def rendered(original: Original, folder: Path, *decided: str, draws: tuple[str, ...] = ()) -> Copy:
    """A copy in which all is hidden but what is named."""
    redactor = MediaRedactor()
    work, copies = folder / "work", folder / "copies"
    work.mkdir()
    copies.mkdir()
    found = redactor.propose(original, Wish(words=False), work, ignore)
    choice = Choice(keep=decided, draws=draws, hides_rest=True)
    review = redactor.choose(original.medium, found, choice, "suzuki")
    return redactor.render(original, review, copies, ignore)


def call(path: Path, container: str) -> Original:
    return Original(path, Medium.SOUND, {"container": container, "streams": [SOUND]})


@pytest.mark.parametrize(
    ("name", "codec", "rate", "container", "suffix"),
    [
        ("in.wav", "pcm_s16le", 8000, "wav", ".wav"),
        ("in.wav", "pcm_mulaw", 8000, "wav", ".wav"),
        ("in.flac", "flac", 8000, "flac", ".flac"),
        ("in.ogg", "libopus", 48_000, "ogg", ".wav"),
        ("in.mp3", "mp3", 44_100, "mp3", ".wav"),
        ("in.m4a", "aac", 44_100, "mp4", ".wav"),
        ("in.mka", "adpcm_ms", 8000, "matroska", ".wav"),
    ],
)
def test_one_side_of_a_call_is_silent_and_the_other_is_as_the_recorder_wrote_it(
    tmp_path: Path, name: str, codec: str, rate: int, container: str, suffix: str
) -> None:
    """Where two sides share packets, what the decoder gives is written without further loss."""
    source = encode(tmp_path / name, loud(2, rate), codec, rate)
    copy = rendered(call(source, container), tmp_path, "channel 1")
    assert copy.path.suffix == suffix
    (before, _), (after, _) = decode(source), decode(copy.path)
    assert not after[AGENT].any()
    same = min(before.shape[1], after.shape[1])
    assert np.abs(after[CALLER, :same] - before[CALLER, :same]).max() <= 1 / 2**15
    assert (copy.summary["hidden"], copy.summary["kept"], copy.summary["sound"]) == (1, 1, "kept")
    assert any("echo" in remark for remark in copy.summary["remains"])
    assert [path.name for path in copy.path.parent.iterdir()] == [copy.path.name]


def test_a_recording_without_a_header_becomes_one_that_plays_anywhere(tmp_path: Path) -> None:
    source = tmp_path / "in.raw"
    source.write_bytes(np.random.default_rng(0).integers(0, 256, 2 * 8000, np.uint8).tobytes())
    facts = {"container": "mulaw", "streams": [{"type": "audio", "sample_rate": 8000, "channels": 1}]}
    copy = rendered(Original(source, Medium.SOUND, facts), tmp_path, "channel 0")
    assert copy.path.suffix == ".wav"
    assert copy.path.read_bytes().endswith(source.read_bytes())
    assert any("everybody is on one channel" in remark for remark in copy.summary["remains"])


def test_a_mute_is_added_to_the_review_of_a_call_by_hand(tmp_path: Path) -> None:
    source = encode(tmp_path / "in.wav", loud(2, 8000), "pcm_s16le", 8000)
    copy = rendered(call(source, "wav"), tmp_path, "channel 0", "channel 1", draws=("0.5-1@1",))
    (before, rate), (after, _) = decode(source), decode(copy.path)
    assert not after[CALLER, rate // 2 : rate].any()
    assert np.array_equal(after[AGENT], before[AGENT])
    page = copy.page.decode()
    assert f"Channel {CALLER}: 0.500-1.000 s" in page
    assert copy.summary["hidden"] == 1


def test_a_speech_model_of_ones_own_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Whoever names a model wants words to be looked for: nothing is proposed without."""
    source = encode(tmp_path / "in.wav", loud(2, 8000), "pcm_s16le", 8000)
    redactor = MediaRedactor(Speech(tmp_path / "model", "ja"))
    with pytest.raises(ToolFailed, match=r"model is no Whisper model|faster-whisper"):
        redactor.propose(call(source, "wav"), Wish(), tmp_path / "work", ignore)


# --- footage


def filmed(folder: Path) -> tuple[Original, Levels]:
    levels = loud(3, 48_000, channels=1)
    path = footage(folder / "in.mp4", levels, "aac", "libx264", rate=48_000)
    facts = {"container": "mp4", "streams": [PICTURE, SOUND]}
    return Original(path, Medium.VIDEO, facts, mount="upright"), decode(path)[0]


def test_a_detector_without_its_digest_searches_nothing(tmp_path: Path, models: None) -> None:
    del models
    original, _ = filmed(tmp_path)
    wish = Wish(detector="yunet=model.onnx")
    with pytest.raises(InvalidInput, match="needs the SHA-256"):
        MediaRedactor().propose(original, wish, tmp_path / "work", ignore)
    assert not (tmp_path / "work").exists()


def test_the_sound_of_footage_is_left_out_unless_a_person_keeps_it(tmp_path: Path, models: None) -> None:
    del models
    original, _ = filmed(tmp_path)
    copy = rendered(original, tmp_path)
    assert copy.summary["sound"] == "left out"
    with pytest.raises(IndexError):
        decode(copy.path)


def test_kept_by_a_person_it_is_as_it_was(tmp_path: Path, models: None) -> None:
    del models
    original, before = filmed(tmp_path)
    copy = rendered(original, tmp_path, "sound")
    after, _ = decode(copy.path)
    same = min(before.shape[1], after.shape[1])
    assert np.array_equal(before[:, :same], after[:, :same])
    assert copy.summary["sound"] == "kept"


def test_kept_but_for_a_span_it_is_silent_there(tmp_path: Path, models: None) -> None:
    del models
    original, before = filmed(tmp_path)
    redactor = MediaRedactor()
    (tmp_path / "work").mkdir()
    (tmp_path / "copies").mkdir()
    found = redactor.propose(original, Wish(), tmp_path / "work", ignore)
    sound = Sound(decision=Decision(verdict=Verdict.KEEP), mutes=("1-1.5",))
    document = from_json(found.text).model_copy(update={"sound": sound})
    review = redactor.take(Medium.VIDEO, found, to_json(document).encode(), "suzuki")
    review = redactor.choose(Medium.VIDEO, review, Choice(hides_rest=True), "suzuki")
    copy = redactor.render(original, review, tmp_path / "copies", ignore)
    after, rate = decode(copy.path)
    assert before[0, rate : rate + rate // 2].any()
    assert not after[0, rate : rate + rate // 2].any()
    assert after[0, : rate // 2].any()
    assert copy.summary["sound"] == "kept but for 1 spans"


def test_what_a_copy_cannot_promise_is_said_with_it(tmp_path: Path, models: None) -> None:
    """Masks of a weaker style, voices that a person kept, and things that moved before a camera that did."""
    del models
    original, _ = filmed(tmp_path)
    redactor = MediaRedactor()
    (tmp_path / "work").mkdir()
    (tmp_path / "copies").mkdir()
    found = redactor.propose(original, Wish(), tmp_path / "work", ignore)
    drawn = redactor.choose(Medium.VIDEO, found, Choice(draws=("0-9:8,8,32,24",), keep=("sound",)), "suzuki")
    document = from_json(drawn.text)
    assert document.search is not None
    moving = document.search.model_copy(update={"is_camera_fixed": False, "camera_why": "places wander"})
    weaker = [track.model_copy(update={"style": Style.MOSAIC}) for track in document.tracks]
    document = document.model_copy(update={"search": moving, "tracks": tuple(weaker)})
    review = redactor.choose(
        Medium.VIDEO, Review(to_json(document).encode(), ()), Choice(hides_rest=True), "suzuki"
    )
    copy = redactor.render(original, review, tmp_path / "copies", ignore)
    camera, mosaic, voices = copy.summary["remains"]
    assert camera.startswith("the camera moves, so nobody looked for things that move")
    assert "a mosaic hides less" in mosaic
    assert "a person listens" in voices
    assert copy.summary["styles"] == ["mosaic"]
    page = copy.page.decode().lower()
    assert all(html.escape(remark).lower() in page for remark in (camera, mosaic, voices))


def test_what_is_done_with_what_moves_is_one_of_three(tmp_path: Path, models: None) -> None:
    del models
    original, _ = filmed(tmp_path)
    redactor = MediaRedactor()
    (tmp_path / "work").mkdir()
    found = redactor.propose(original, Wish(), tmp_path / "work", ignore)
    with pytest.raises(InvalidInput, match="'no' is nothing to do with what moves") as refused:
        redactor.choose(Medium.VIDEO, found, Choice(hides_rest=True, moving="no"), "suzuki")
    assert refused.value.hint == "Give one of hide, review, keep."
