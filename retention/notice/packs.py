"""The words that ship with us, in `policies/notices/`, and words of one's own."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from retention.kernel.errors import InvalidInput, NotFound
from retention.notice.words import NoticeWords, parse_words


@cache
def words_for(rulebook: str) -> NoticeWords:
    """The words that ship for a rulebook.

    Raises:
        NotFound: There are none.
    """
    for entry in sorted(files("policies").joinpath("notices").iterdir(), key=lambda found: found.name):
        if entry.name.endswith(".yaml"):
            words = parse_words(entry.read_text(encoding="utf-8"), f"policies/notices/{entry.name}")
            if words.rulebook == rulebook:
                return words
    raise NotFound(
        f"no notice ships for the rulebook {rulebook}",
        hint="Write its words as policies/notices has them, and name the file with --words.",
    )


def read_words(path: Path) -> NoticeWords:
    """Words of one's own.

    Raises:
        InvalidInput: The file cannot be read, or the text cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the notice's words {path} cannot be read: {error}") from error
    return parse_words(text, path.name)
