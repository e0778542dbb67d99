"""The policies that ship with us, and policies in files: read as text, never parsed here."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from retention.kernel.errors import InvalidInput, NotFound

CASES = ".cases.yaml"
#: Where packs stand in the package of policies, in the order in which they are listed.
FOLDERS = ("defaults", "packs")


@dataclass(frozen=True, slots=True)
class Pack:
    """A policy that ships with us."""

    name: str
    file_name: str  #: as findings show it
    text: str
    cases: str  #: the text of the cases beside it
    cases_file_name: str


def packs() -> tuple[Pack, ...]:
    """Every policy that ships with us."""
    found = []
    for folder in FOLDERS:
        entries = {entry.name: entry for entry in files("policies").joinpath(folder).iterdir()}
        for name in sorted(entries):
            if not name.endswith(".yaml") or name.endswith(CASES):
                continue
            beside = name.removesuffix(".yaml") + CASES
            found.append(
                Pack(
                    name=name.removesuffix(".yaml"),
                    file_name=f"policies/{folder}/{name}",
                    text=entries[name].read_text(encoding="utf-8"),
                    cases=entries[beside].read_text(encoding="utf-8"),
                    cases_file_name=f"policies/{folder}/{beside}",
                )
            )
    return tuple(found)


def read_pack(name: str) -> tuple[str, str]:
    """The text of the pack called `name`, or of the policy file at that path, and the file's name to show.

    Raises:
        NotFound: There is no such pack, and no such file.
        InvalidInput: The file cannot be read as text.
    """
    for pack in packs():
        if pack.name == name:
            return pack.text, pack.file_name
    if not Path(name).exists():
        known = ", ".join(pack.name for pack in packs())
        raise NotFound(
            f"there is no policy pack {name!r}, and no file of that name", hint=f"The packs are {known}."
        )
    return read_text(Path(name)), name


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It cannot be read, or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}") from error
