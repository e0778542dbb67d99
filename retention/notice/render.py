"""Every page of a store's public notice: each language, each version there ever was."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from retention.kernel.errors import InvalidInput
from retention.notice.html import html_of
from retention.notice.model import State, Version
from retention.notice.packs import words_for
from retention.notice.page import file_name, page_of
from retention.notice.phrases import Phrases
from retention.notice.words import NoticeWords


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as a file."""

    name: str
    language: str
    version: int
    content: bytes


def render(
    state: State, languages: Sequence[str] = (), own_words: NoticeWords | None = None
) -> Iterator[Rendered]:
    """The pages, those of the version in force first.

    Args:
        state: What is and was in force.
        languages: All that the schedule in force has, where none is named.
        own_words: Taken instead of those that ship for the same rulebook.

    Raises:
        InvalidInput: A language, or words for something that must be told, are missing.
        NotFound: There are no words for a rulebook.
    """
    words = {version.number: _words(version, own_words) for version in state.versions}
    latest = state.versions[-1]
    wanted = tuple(dict.fromkeys(languages)) or latest.schedule.languages
    for language in wanted:
        _check(language, latest, words[latest.number])
    for version in reversed(state.versions):
        spoken = [each for each in wanted if _speaks(version, each, words)]
        for language in spoken:
            there = [each for each in state.versions if _speaks(each, language, words)]
            phrases = Phrases(language, words[version.number])
            page = page_of(version, there, state.sources, phrases, spoken)
            name = file_name(language, None if version is latest else version.number)
            yield Rendered(name, language, version.number, html_of(page, phrases))


def _words(version: Version, own: NoticeWords | None) -> NoticeWords:
    return own if own and own.rulebook == version.book.name else words_for(version.book.name)


def _speaks(version: Version, language: str, words: Mapping[int, NoticeWords]) -> bool:
    texts = (version.schedule.languages, version.book.languages, words[version.number].languages)
    return all(language in each for each in texts)


def _check(language: str, version: Version, words: NoticeWords) -> None:
    for what, known in (
        (f"policy {version.schedule.name}", version.schedule.languages),
        (f"rulebook {version.book.name}", version.book.languages),
        (f"notice {words.notice}", words.languages),
    ):
        if language not in known:
            raise InvalidInput(
                f"there is no page in `{language}`: the {what} is in {', '.join(known)}",
                hint="Name another --language, or add this one to the text.",
            )
