"""Every Redactor keeps what the port's lines promise: nobody is uncovered but by a person's decision."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest

from retention.adapters.redactor_media import MediaRedactor
from retention.kernel.errors import IllegalTransition, InvalidInput
from retention.redaction.redactor import Choice, Copy, Medium, Original, Redactor, Review, Wish
from tests.builders.sound import encode, footage, loud
from tests.fakes.scripted_redactor import ScriptedRedactor

SOUND, PICTURE = {"type": "audio"}, {"type": "video"}
QUICKLY = Wish(words=False)


@dataclass(frozen=True)
class Subject:
    """A redactor, and two recordings that it can search."""

    redactor: Redactor
    original: Original
    other: Original
    folder: Path
    known: dict[Path, Review] = field(default_factory=dict)

    def search(self, original: Original) -> Review:
        with TemporaryDirectory(dir=self.folder) as work:
            return self.redactor.propose(original, QUICKLY, Path(work), _ignore)

    def propose(self, original: Original) -> Review:
        """What was found, searched for once: it is the same each time."""
        if original.path not in self.known:
            self.known[original.path] = self.search(original)
        return self.known[original.path]

    def hidden(self, review: Review) -> Review:
        return self.redactor.choose(self.original.medium, review, Choice(hides_rest=True), "suzuki")

    def render(self, review: Review) -> Copy:
        copies = Path(mkdtemp(dir=self.folder))
        return self.redactor.render(self.original, review, copies, _ignore)


def _ignore(_done: int, _total: int | None) -> None:
    """Nobody watches."""


def _scripted(folder: Path) -> Subject:
    def original(name: str) -> Original:
        (folder / name).write_bytes(name.encode())
        return Original(folder / name, Medium.SOUND, {})

    return Subject(ScriptedRedactor(), original("one"), original("other"), folder)


def _calls(folder: Path) -> Subject:
    def original(name: str, seed: int) -> Original:
        path = encode(folder / name, loud(2, seed=seed), "pcm_s16le")
        return Original(path, Medium.SOUND, {"container": "wav", "streams": [SOUND]})

    return Subject(MediaRedactor(), original("one.wav", 1), original("other.wav", 2), folder)


def _footage(folder: Path) -> Subject:
    def original(name: str, seed: int) -> Original:
        path = footage(folder / name, loud(2, 48_000, seed=seed), "aac", "libx264", rate=48_000)
        return Original(path, Medium.VIDEO, {"container": "mp4", "streams": [PICTURE, SOUND]}, "upright")

    return Subject(MediaRedactor(), original("one.mp4", 1), original("other.mp4", 2), folder)


@pytest.fixture(scope="module", params=[_scripted, _calls, _footage], ids=["scripted", "calls", "footage"])
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, models: None
) -> Subject:
    del models
    maker: Callable[[Path], Subject] = request.param
    return maker(tmp_path_factory.mktemp("redactor"))


def test_the_same_original_gives_the_same_document(subject: Subject) -> None:
    assert subject.search(subject.original) == subject.propose(subject.original)


def test_nobody_is_proposed_to_stay_and_the_original_is_only_read(subject: Subject) -> None:
    before = subject.original.path.read_bytes()
    copy = subject.render(subject.hidden(subject.propose(subject.original)))
    assert copy.summary["kept"] == 0
    assert copy.path.read_bytes() != before
    assert [path.name for path in copy.path.parent.iterdir()] == [copy.path.name]
    assert subject.original.path.read_bytes() == before
    assert copy.report


def test_a_document_that_is_given_back_as_it_is_changes_nothing(subject: Subject) -> None:
    found = subject.propose(subject.original)
    assert subject.redactor.take(subject.original.medium, found, found.text, "suzuki") == found


@pytest.mark.parametrize("text", [b"", b"{}", b"nonsense"])
def test_what_is_no_review_document_is_refused(subject: Subject, text: bytes) -> None:
    found = subject.propose(subject.original)
    with pytest.raises(InvalidInput):
        subject.redactor.take(subject.original.medium, found, text, "suzuki")


def test_the_document_of_another_recording_is_refused(subject: Subject) -> None:
    found, others = subject.propose(subject.original), subject.propose(subject.other)
    with pytest.raises(InvalidInput):
        subject.redactor.take(subject.original.medium, found, others.text, "suzuki")


def test_a_name_that_is_not_there_is_refused(subject: Subject) -> None:
    found = subject.propose(subject.original)
    for name in ("nobody", "track 99", "span 99"):
        with pytest.raises(InvalidInput):
            subject.redactor.choose(subject.original.medium, found, Choice(keep=(name,)), "suzuki")


def test_nothing_undecided_is_rendered_and_each_is_named(subject: Subject) -> None:
    found = subject.propose(subject.original)
    # Of footage in which nobody is, the sound is all there is to decide, and it is proposed left out.
    text = found.text.replace(b'"hide"', b'"undecided"')
    waiting = subject.redactor.take(subject.original.medium, found, text, "suzuki")
    assert waiting.open_points
    with pytest.raises(IllegalTransition) as refused:
        subject.render(waiting)
    assert all(point in refused.value.message for point in waiting.open_points)
