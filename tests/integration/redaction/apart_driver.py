"""Does all that the service does with strangers' media, on files without names, and tells which libraries it loaded.

python -m tests.integration.redaction.apart_driver CALL FOOTAGE PHOTO FOLDER
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from retention.adapters.inspector_media import MediaInspector
from retention.adapters.player_media import MediaPlayer
from retention.adapters.redactor_media import MediaRedactor
from retention.adapters.silencer_media import MediaSilencer
from retention.redaction.model import Span
from retention.redaction.redactor import Choice, Medium, Original, Wish
from retention.vault.unseal import path_of

DECODERS = ("av", "cv2", "dlib", "onnxruntime", "ctranslate2", "PIL")
LIBRARIES = ("libav", "libsw", "cv2", "dlib", "onnxruntime", "ctranslate2", "PIL/")


def main(call: Path, footage: Path, photo: Path | None, folder: Path) -> dict[str, list[str]]:
    """Inspect, decode, search, render and silence."""
    inspector, player, silencer = MediaInspector(60), MediaPlayer(), MediaSilencer()
    for recording, medium, wish in (
        (call, Medium.SOUND, Wish(words=False)),
        (footage, Medium.VIDEO, Wish(photo=photo)),
    ):
        with without_a_name(recording, folder) as path:
            facts = inspector.inspect(path, "").facts
            player.play(path, facts, 60)
            redact(Original(path, medium, facts, mount="upright"), wish, folder)
            with TemporaryFile(dir=folder) as new:
                silencer.silence(path, path_of(new), [Span.parse("0.1-0.2")], facts, ignore)
                inspector.inspect(path_of(new), "")
    inspector.close()
    player.close()
    maps = {line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    return {
        "modules": [name for name in DECODERS if name in sys.modules],
        "libraries": sorted(path for path in maps if any(name in path for name in LIBRARIES)),
        "left": [path.name for path in folder.iterdir()],
    }


def redact(original: Original, wish: Wish, folder: Path) -> None:
    """Search, decide, render."""
    redactor = MediaRedactor()
    with TemporaryDirectory(dir=folder) as work, TemporaryDirectory(dir=folder) as copies:
        found = redactor.propose(original, wish, Path(work), ignore)
        keep = ("sound",) if original.medium is Medium.VIDEO else ("channel 0",)
        review = redactor.choose(original.medium, found, Choice(keep=keep, hides_rest=True), "suzuki")
        redactor.render(original, review, Path(copies), ignore, hide_found_for="suzuki")


@contextmanager
def without_a_name(source: Path, folder: Path) -> Iterator[Path]:
    """The content of a file, as the service unseals it."""
    with TemporaryFile(dir=folder) as file:
        file.write(source.read_bytes())
        file.flush()
        yield path_of(file)


def ignore(_done: int, _total: int | None) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    call, footage, photo, folder = sys.argv[1:]
    told = main(Path(call), Path(footage), Path(photo) if photo else None, Path(folder))
    sys.stdout.write(json.dumps(told))
