"""The rulebooks that ship with us, as text in `policies/jurisdictions/`."""

from importlib.resources import files
from pathlib import Path

from retention.kernel.errors import InvalidInput
from retention.requests.rulebooks import read_rulebook


def rulebook_for(country: str) -> tuple[str, str] | None:
    """(text, file name) of the rulebook that is about a country; None where none ships."""
    for entry in sorted(files("policies").joinpath("jurisdictions").iterdir(), key=lambda found: found.name):
        if entry.name.endswith(".yaml") and not entry.name.endswith(".cases.yaml"):
            text = entry.read_text(encoding="utf-8")
            if country in read_rulebook(text, entry.name).countries:
                return text, entry.name
    return None


def read_text(path: Path) -> tuple[str, str]:
    """(text, file name) of a rulebook of one's own.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8"), path.name
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the rulebook {path} cannot be read: {error}") from error


def cases_beside(path: Path) -> tuple[str, str] | None:
    """(text, file name) of the cases beside a rulebook of one's own, `NAME.cases.yaml`; None where there are none.

    Raises:
        InvalidInput: They cannot be read.
    """
    beside = path.with_name(path.name.removesuffix(".yaml") + ".cases.yaml")
    return read_text(beside) if beside.exists() else None
