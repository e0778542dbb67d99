"""A redactor whose findings a test writes down: a review document maps each of them to a decision."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from retention.kernel.errors import IllegalTransition, InvalidInput
from retention.redaction.redactor import Choice, Copy, FoundAgain, Medium, Original, Progress, Review, Wish

OPEN = "undecided"


class ScriptedRedactor:
    """Finds `finds`; in the next copies, `finds_again`. `before(original)` may raise, or act in between."""

    def __init__(self) -> None:
        self.finds: list[str] = ["somebody"]
        self.finds_again: list[list[str]] = []
        self.before: Callable[[Original], None] = lambda _original: None
        self.originals: list[Original] = []

    def propose(self, original: Original, wish: Wish, work: Path, progress: Progress) -> Review:
        del wish
        work.mkdir(exist_ok=True)
        (work / "segment").write_bytes(b"how far it was")
        self._see(original)
        progress(1, 1)
        return _review(original, dict.fromkeys(self.finds, OPEN))

    def take(self, medium: Medium, before: Review, text: bytes, by: str) -> Review:
        del medium, by
        old = json.loads(before.text)
        try:
            new = json.loads(text)
        except ValueError as error:
            raise InvalidInput("this is no review document") from error
        if "found" not in new or new["sha256"] != old["sha256"] or old["found"].keys() - new["found"].keys():
            raise InvalidInput("something that was found is missing")
        return _written(new)

    def choose(self, medium: Medium, before: Review, choice: Choice, by: str) -> Review:
        del medium, by
        document = json.loads(before.text)
        for verdict, names in (("keep", choice.keep), ("hide", choice.hide)):
            if set(names) - document["found"].keys():
                raise InvalidInput(f"there is no {names[0]}")
            document["found"] |= dict.fromkeys(names, verdict)
        if choice.hides_rest:
            document["found"] = _with_rest_hidden(document["found"])
        return _written(document)

    def pictures(self, medium: Medium, review: Review) -> Mapping[str, bytes]:
        del medium
        return {f"{name}.jpg": name.encode() for name in json.loads(review.text)["found"]}

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
        self._see(original)
        document = json.loads(review.text)
        if review.open_points:
            raise IllegalTransition("; ".join(review.open_points))
        again = self.finds_again.pop(0) if self.finds_again else []
        document["found"] |= dict.fromkeys(again, OPEN)
        if again and not hide_found_for:
            raise FoundAgain(tuple(again), _written(document))
        if again:
            document["found"] = _with_rest_hidden(document["found"])
            review = _written(document)
        path = folder / "copy.script"
        path.write_bytes(f"copy of {document['sha256']}: {document['found']}".encode())
        progress(1, 1)
        kept = list(document["found"].values()).count("keep")
        hidden = len(document["found"]) - kept
        return Copy(
            path,
            review,
            b"looked at again",
            f"a page in {language}".encode(),
            {"hidden": hidden, "kept": kept, "remains": []},
        )

    def _see(self, original: Original) -> None:
        self.originals.append(original)
        self.before(original)


def _with_rest_hidden(found: dict[str, str]) -> dict[str, str]:
    return {name: "hide" if verdict == OPEN else verdict for name, verdict in found.items()}


def decided(text: bytes, verdict: str = "hide") -> bytes:
    """The document, with everything in it decided."""
    document = json.loads(text)
    document["found"] = dict.fromkeys(document["found"], verdict)
    return json.dumps(document).encode()


def _review(original: Original, found: dict[str, str]) -> Review:
    return _written({"sha256": hashlib.sha256(original.path.read_bytes()).hexdigest(), "found": found})


def _written(document: dict[str, object]) -> Review:
    found = document["found"]
    assert isinstance(found, dict)
    open_points = tuple(f"{name} is undecided" for name, verdict in found.items() if verdict == OPEN)
    return Review(json.dumps(document).encode(), open_points)
