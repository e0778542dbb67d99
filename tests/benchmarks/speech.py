"""How much of the numbers that are read out in Japanese lies inside a suggestion, over generated sentences.

A synthetic voice (see `tests.builders.japanese`) reads card numbers, telephone
numbers and security codes, digit by digit, in every voice of `VOICES`, on one
side of a telephone call. A group of digits counts where one suggestion, or
several, cover it from its first sample to its last; a number, where all its
groups do. "Known as" are those numbers of which a suggestion says what they
are. The language is found out, as on a call about which nothing is known, or
said. Needs the extra `speech`. Nothing here is timed.
"""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

from media.sound.speech import open_recogniser
from media.sound.suggest import Suggestion, suggest
from tests.benchmarks.measure import console, parser, show
from tests.builders.japanese import RATE, Group, Sentence, Voice, card, code, covers, say, telephone
from tests.builders.sound import wave_bytes

VOICES = (Voice(), Voice(1.3, -4), Voice(0.85, 3), Voice(1.15, 6))
LANGUAGES = (None, "ja")
_NUMBERS = {"full": 9, "quick": 3, "tiny": 1}  #: in a call


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("speech", __doc__).parse_args(arguments)
    size = "tiny" if given.tiny else "quick" if given.quick else "full"
    voices, languages = (VOICES[:1], LANGUAGES[:1]) if given.tiny else (VOICES, LANGUAGES)
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        for language in languages:
            heard = [
                one
                for number, voice in enumerate(voices)
                for one in _hear(Path(folder), voice, number, _NUMBERS[size], language)
            ]
            rows += _rows(language or "found out", heard)
    show(
        "Numbers read out in Japanese, in suggestions",
        f"{len(voices)} settings of a synthetic voice, 8 kHz.",
        ("language", "what is read", ">groups of digits", ">whole numbers", ">known as such"),
        rows,
    )


Heard = tuple[Sentence, list[Group], Sequence[Suggestion]]


def _hear(folder: Path, voice: Voice, seed: int, count: int, language: str | None) -> Iterator[Heard]:
    console.print(f"[dim]{voice}, {language or 'language found out'} …[/dim]")
    levels, truth = say(_sentences(Random(seed), count), voice, seed)
    path = folder / "call.wav"
    path.write_bytes(wave_bytes((levels * 32767).astype("<i2").T.tobytes(), rate=RATE))
    found = suggest(path, recogniser=open_recogniser(language=language)).spans
    for sentence, groups in truth:
        yield sentence, groups, [one for one in found if one.channel == 1]


def _sentences(random: Random, count: int) -> list[Sentence]:
    def digits(many: int) -> str:
        return "".join(random.choice("0123456789") for _ in range(many))

    def numbers() -> Iterator[Sentence]:
        while True:
            yield from (telephone("090" + digits(8)), code(digits(3)), card("4" + digits(15)))

    return list(islice(numbers(), count))


def _rows(language: str, heard: Sequence[Heard]) -> Iterator[tuple[str, ...]]:
    for kind in dict.fromkeys(sentence.kind for sentence, _, _ in heard):
        of_kind = [(groups, found) for sentence, groups, found in heard if sentence.kind == kind]
        shares = [[covers(found, group) for group in groups] for groups, found in of_kind]
        known = sum(
            any(one.kind == kind and one.start_s < groups[-1].end_s and one.end_s > groups[0].start_s for one in found)
            for groups, found in of_kind
        )  # fmt: skip
        groups, numbers = sum(map(sum, shares)), sum(map(all, shares))
        yield (
            *(language, kind, f"{groups}/{sum(map(len, shares))}"),
            *(f"{numbers}/{len(shares)}", f"{known}/{len(shares)}"),
        )
