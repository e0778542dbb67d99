"""Suggestions: what is found without any model, what is said about what was not looked for, and where spans end."""

import json
from pathlib import Path

import numpy as np
import pytest

import media.sound.voice as voice_module
from media.__main__ import main
from media.errors import ToolFailed
from media.note import Note, note
from media.sound import weights
from media.sound.hearing import Hearing
from media.sound.listening import listen, unexplained
from media.sound.personal import REGIONS
from media.sound.speech import NOT_ASKED, not_heard
from media.sound.suggest import Suggestions
from media.sound.transcript import Word
from media.sound.voice import RATE, EnergyScorer, Stretch, VoiceFinder, stretches, united
from media.sound.weights import Known, WeightsMissing, load, own_model
from media.synthesise.call import make_call


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call in which a card number is keyed in, and one is read out."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    make_call(
        path,
        [
            ("agent", "en", "Please enter your card number."),
            ("caller", "dtmf", "4111111111111111#"),
            ("agent", "en", "Thank you. And the security code?"),
            ("caller", "en", "nine one seven"),
        ],
    )
    return path


def suggest(path: Path, hearing: object = None, why_no_words: Note = NOT_ASKED) -> Suggestions:
    """What the child does, here."""
    return listen(
        path,
        hearing,  # type: ignore[arg-type]  # hears like one
        why_no_words,
        raw_format=None,
        index=None,
        regions=REGIONS,
        progress=lambda _done, _total: None,
    )


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where the extra is not installed."""

    def missing(known: Known) -> bytes:
        raise WeightsMissing(f"{known.name} needs the package x: install {weights.EXTRA}")

    monkeypatch.setattr(voice_module, "load", missing)


class _Heard:
    """A recogniser that hears what it is told: the real one is tried where its weights are."""

    name = "told"

    def __init__(self, words: list[Word]) -> None:
        self._words = words

    def words(
        self, samples: np.ndarray[tuple[int], np.dtype[np.float32]], start_s: float, channel: int
    ) -> list[list[Word]]:
        end_s = start_s + len(samples) / 16_000
        here = [one for one in self._words if one.channel == channel and start_s <= one.start_s < end_s]
        return [here, here]


@pytest.mark.usefixtures("without_weights")
def test_keys_are_found_without_any_model_and_the_rest_is_said_to_be_missing(call: Path) -> None:
    found = suggest(call, why_no_words=not_heard(WeightsMissing("the extra is not installed")))
    (card,) = [one for one in found.spans if one.source == "keys"]
    assert (card.kind, card.channel, card.heard) == ("card number", 1, "4111111111111111#")
    assert [each.text for each in found.not_looked_for] == [
        "spoken numbers and personal data were not looked for: the extra is not installed"
    ]
    assert found.looked_for == (note("keys"), note("voice_by_energy"))
    assert "loudness alone" in found.notes[0].text
    assert {turn.channel for turn in found.voice} == {0, 1}
    assert json.loads(json.dumps(found.as_json()))["schema"] == "media-sound-suggestions/1"


@pytest.mark.usefixtures("without_weights")
def test_a_spoken_number_is_padded_to_where_the_voice_begins_and_ends(call: Path) -> None:
    voice = [turn for turn in suggest(call).voice if turn.channel == 1]
    last = voice[-1]
    said = [
        Word(text, last.start_s + 0.4 + 0.3 * number, last.start_s + 0.6 + 0.3 * number, 1, 0.9)
        for number, text in enumerate((" nine", " one", " seven"))
    ]
    recogniser = _Heard(said)
    found = suggest(call, recogniser)
    (number,) = [one for one in found.spans if one.source == "speech"]
    assert number.start_s < last.start_s
    assert number.end_s >= said[-1].end_s
    assert number.heard == "nine one seven"
    assert found.words == tuple(said)
    assert found.not_looked_for == ()


def test_weights_that_are_not_the_known_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('weights are data: never imported')")
    (package / "model.bin").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ToolFailed, match="not the file that was checked"):
        load(Known("model.bin", "0" * 64, (("some_weights", "model.bin"),)))
    with pytest.raises(WeightsMissing, match=r"install retention\[speech\]"):
        load(Known("model.bin", "0" * 64, (("weights_that_are_not_there", "model.bin"),)))


def test_a_folder_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ToolFailed, match=r"model\.bin, tokenizer\.json, vocabulary\.json not found"):
        own_model(tmp_path)


def test_loudness_finds_speech_and_not_the_noise_of_the_line() -> None:
    random = np.random.default_rng(4)
    sound = random.normal(0, 0.001, 16_000 * 10).astype(np.float32)
    for start in (2, 5):
        sound[start * 16_000 : (start + 1) * 16_000] += random.normal(0, 0.1, 16_000).astype(np.float32)
    finder = VoiceFinder(EnergyScorer())
    for part in np.array_split(sound, 23):
        finder.add(part)
    found = finder.finish()
    assert [(round(one.start / 16_000), round(one.end / 16_000)) for one in found] == [(2, 3), (5, 6)]
    assert all(one.start <= start * 16_000 for one, start in zip(found, (2, 5), strict=True))


def test_silence_holds_no_speech() -> None:
    finder = VoiceFinder(EnergyScorer())
    finder.add(np.zeros(50_000, np.float32))
    assert finder.finish() == []


def test_short_pauses_do_not_cut_a_stretch_and_clicks_are_none() -> None:
    scores = np.zeros(200, np.float32)
    scores[20:40] = scores[45:60] = 0.9
    scores[120] = 0.9
    (one,) = stretches(scores, 0.5, 0.35, 200 * 512)
    assert (one.start, one.end) == (17 * 512, 63 * 512)


def test_the_command_prints_spans_that_the_mute_command_takes(
    call: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suggest", str(call), "--no-words", "--rttm", str(tmp_path / "who.rttm")]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    span = first.split()[0]
    out = tmp_path / "out.wav"
    assert main(["mute", str(call), str(out), "--mute", span, "--report", str(tmp_path / "report.json")]) == 0
    assert "method: splice" in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_text())["tracks"][0]["muted"][0]["channel"] == 1
    assert "SPEAKER call 2" in (tmp_path / "who.rttm").read_text()
    again = suggest(out)
    assert [one for one in again.spans if one.source == "keys"] == []


def test_commands_say_in_one_line_what_is_wrong(
    call: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    assert main(["mute", str(call), str(out), "--mute", "5"]) == 1
    assert main(["mute", str(call), str(out)]) == 1
    assert main(["suggest", str(call), "--model", str(tmp_path)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in errors] == ["media"] * 3
    assert not out.exists()


def test_recognised_words_stay_within_the_sound_they_were_heard_in() -> None:
    class Segment:
        compression_ratio = 1.0
        words = (Word(" one", -0.5, 0.2, 0, 1.0), Word(" two", 0.4, 99.0, 0, 1.0))

    class Model:
        def transcribe(self, _part: object, **_: object) -> tuple[list[Segment], None]:
            words = [_Timed(one.text, one.start_s, one.end_s) for one in Segment.words]
            segment = Segment()
            segment.words = words  # type: ignore[assignment]
            return [segment], None

    plain, digits = Hearing(Model(), "fake", None).words(np.zeros(16_000, np.float32), 10.0, 1)
    assert plain == digits
    assert [(one.start_s, one.end_s, one.channel) for one in plain] == [(10.0, 10.2, 1), (10.4, 11.0, 1)]


class _Timed:
    """A word as faster-whisper gives it."""

    def __init__(self, word: str, start: float, end: float) -> None:
        self.word, self.start, self.end, self.probability = word, start, end, 0.5


def at(start_s: float, end_s: float) -> Stretch:
    return Stretch(round(start_s * RATE), round(end_s * RATE))


def said(text: str, start_s: float, end_s: float) -> Word:
    return Word(text, start_s, end_s, 0, 0.9)


def test_what_a_stretched_word_hides_is_heard_again() -> None:
    """As Whisper gave dev-call-c: "could make [nine one seven] the appointment"."""
    words = [said(" could", 57.78, 58.0), said(" make", 58.0, 60.96), said(" the", 60.96, 61.2)]
    (gap,) = unexplained(words, [at(57.7, 58.18), at(58.53, 60.16), at(60.9, 61.2)], at(50, 62))
    assert gap.start / RATE == pytest.approx(58.5, abs=0.01)
    assert gap.end / RATE == pytest.approx(60.31, abs=0.01)


def test_what_is_explained_is_not_heard_again() -> None:
    assert unexplained([said(" nothing", 1.0, 1.9)], [at(0.9, 2.0)], at(0, 3)) == []


def test_noise_that_goes_on_is_not_heard_again() -> None:
    assert unexplained([], [at(0, 30)], at(0, 30)) == []
    assert unexplained([], [at(1, 5)], at(0, 30)) == [at(0.85, 5.15)]


def test_a_region_that_is_none_is_refused(call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["suggest", str(call), "--no-words", "--region", "XX"])
    assert "'XX' is no region" in capsys.readouterr().err


def test_a_number_that_is_only_heard_alone_is_suggested(call: Path) -> None:
    """The recogniser says one long word of whole passages, and digits of what is left."""

    class _OnlyAlone:
        name = "alone"

        def words(
            self, samples: np.ndarray[tuple[int], np.dtype[np.float32]], start_s: float, channel: int
        ) -> list[list[Word]]:
            if start_s in asked:
                return [[]]
            if asked:
                return [[Word(" nine one seven", start_s, start_s + 1, channel, 0.9)]]
            asked.append(start_s)
            return [[Word(" make", start_s, start_s + len(samples) / RATE, channel, 0.9)]]

        def __init__(self) -> None:
            self.asked = asked

    asked: list[float] = []
    found = suggest(call, _OnlyAlone())
    assert [one.heard for one in found.spans if one.source == "speech"]
    assert next(word.text for word in found.words) == " make"


def test_stretches_are_united() -> None:
    assert united([at(3, 4), at(0, 1), at(0.5, 2)]) == [at(0, 2), at(3, 4)]
