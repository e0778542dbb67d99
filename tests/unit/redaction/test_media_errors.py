"""Every error of the toolbox becomes one of the house, which says whose fault it is."""

import pytest

from media import errors as media
from retention.adapters.media_errors import in_our_words, looking_into_a_file
from retention.kernel.errors import (
    DependencyError,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotReleased,
    RetentionError,
    ToolFailed,
    ToolTimedOut,
    Unreadable,
    UnsupportedCodec,
)

FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (media.UnsupportedCodec("it is in a codec of nobody's"), UnsupportedCodec),
        (media.Unreadable("it is cut off"), Unreadable),
        (media.NotReleased(("a face shows",)), NotReleased),
        (media.Undecided(("track 3",)), IllegalTransition),
        (media.ModelMissing("YuNet is not here; fetch it"), NotFound),
        (media.ExtraMissing("spoken words", "speech"), NotFound),
        (media.ToolTimedOut("it took too long"), ToolTimedOut),
        (media.ToolFailed("it was killed"), ToolFailed),
        (FULL, ToolFailed),
        (ValueError("a span ends before it begins"), InvalidInput),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_fails_while_a_copy_is_made_is_told_apart(error: Exception, ours: type[RetentionError]) -> None:
    with pytest.raises(ours) as caught, in_our_words("looking for people"):
        raise error
    assert (caught.type, caught.value.__cause__) == (ours, error)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (media.UnsupportedCodec("it is in a codec of nobody's"), UnsupportedCodec),
        (media.Unreadable("it is cut off"), Unreadable),
        (media.ToolFailed("it was killed"), DependencyError),
        (media.ToolTimedOut("it took too long"), Unreadable),
        (ValueError("the frame is of no size"), Unreadable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_wrong_with_a_file_is_never_blamed_on_the_machine(
    error: Exception, ours: type[RetentionError]
) -> None:
    with pytest.raises(ours) as caught, looking_into_a_file("nothing can be played"):
        raise error
    assert (caught.type, caught.value.__cause__) == (ours, error)
