"""The Redactor over the toolbox `media`."""

from collections.abc import Mapping
from pathlib import Path

from media.note import Language
from media.review import document as footage_document
from media.review import sound as sound_document
from media.review.changes import footage_objections, signed_footage, signed_sound, sound_objections
from retention.adapters import redactor_calls as calls
from retention.adapters import redactor_footage as footage
from retention.adapters.media_errors import in_our_words
from retention.kernel.errors import InvalidInput
from retention.redaction.redactor import Choice, Copy, Medium, Original, Progress, Review, Wish


class MediaRedactor:
    """Decides and keeps books in this process; whatever decodes is a child of it, that never sees a key."""

    def __init__(self, speech: calls.Speech = calls.Speech()) -> None:  # noqa: B008 - frozen
        self._speech = speech

    def propose(self, original: Original, wish: Wish, work: Path, progress: Progress) -> Review:
        """See `Redactor`."""
        with in_our_words("the search broke off"):
            if original.medium is Medium.SOUND:
                return calls.review_of(
                    calls.point_out(original, self._speech, words=wish.words, progress=progress)
                )
            return footage.review_of(footage.find(original, wish, work, progress))

    def take(self, medium: Medium, before: Review, text: bytes, by: str) -> Review:
        """See `Redactor`."""
        try:
            if medium is Medium.SOUND:
                return _taken_sound(before, text, by)
            return _taken_footage(before, text, by)
        except ValueError as error:
            raise InvalidInput(
                f"this is no review document: {error}",
                hint="Write it out again with --out, and decide in that.",
            ) from error

    def choose(self, medium: Medium, before: Review, choice: Choice, by: str) -> Review:
        """See `Redactor`."""
        try:
            if medium is Medium.SOUND:
                return calls.review_of(calls.choose(sound_document.from_json(before.text), choice, by))
            return footage.review_of(footage.choose(footage_document.from_json(before.text), choice, by))
        except (KeyError, ValueError) as error:
            raise InvalidInput(
                str(error.args[0]), hint="`retention request show` names what there is to decide."
            ) from error

    def pictures(self, medium: Medium, review: Review) -> Mapping[str, bytes]:
        """See `Redactor`."""
        return {} if medium is Medium.SOUND else footage.faces(footage_document.from_json(review.text))

    def render(
        self,
        original: Original,
        review: Review,
        folder: Path,
        progress: Progress,
        *,
        hide_found_for: str = "",
        language: str = "en",
    ) -> Copy:
        """See `Redactor`."""
        page_in: Language = "ja" if language == "ja" else "en"
        with in_our_words("the copy could not be made"):
            if original.medium is Medium.SOUND:
                call = sound_document.from_json(review.text)
                return calls.copy(original, call, folder, progress, hide_found_for, self._speech, page_in)
            document = footage_document.from_json(review.text)
            return footage.copy(original, document, folder, progress, hide_found_for, page_in)


def _taken_sound(before: Review, text: bytes, by: str) -> Review:
    old, new = sound_document.from_json(before.text), sound_document.from_json(text)
    _refuse(sound_objections(old, new))
    return calls.review_of(signed_sound(old, new, by))


def _taken_footage(before: Review, text: bytes, by: str) -> Review:
    old, new = footage_document.from_json(before.text), footage_document.from_json(text)
    _refuse(footage_objections(old, new))
    return footage.review_of(signed_footage(old, new, by))


def _refuse(objections: tuple[str, ...]) -> None:
    if objections:
        raise InvalidInput(
            f"the review cannot be taken: {'; '.join(objections)}",
            hint="Write it out again with --out, and decide in that.",
        )
