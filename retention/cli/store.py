"""retention init, upgrade, settings: make a store and look after it."""

from typing import Annotated, Any

import typer
from sqlalchemy import make_url

from retention.amendment.packs import read_pack
from retention.bootstrap import App
from retention.cli.shared import EPILOG, home, named_actor, say, show, table
from retention.founding import create_store
from retention.migrations.migrate import migrate
from retention.settings import Settings, load_settings


def add_to(root: typer.Typer) -> None:
    """Hang the commands into the tree."""
    for command in (init, upgrade, settings):
        root.command(command.__name__, epilog=EPILOG)(command)


def init(
    pack: Annotated[
        str, typer.Option(help="A policy pack that ships with us, or the path of a policy file.")
    ] = "japan",
) -> None:
    """Make a new store: keys, an empty vault, a catalogue, and the policy pack as its first schedule."""
    who = named_actor()
    text, name = read_pack(pack)
    app = create_store(home(), text, name, who)
    schedule, place = app.schedule(), home()
    app.close()
    show(
        {"home": str(place), "policy": name, "digest": schedule.digest},
        [
            f"A store was made in {place} under the policy {name} ({len(schedule.classes)} classes).",
            f"Keep {place}/keys apart from the catalogue's backups: without it nothing can be read.",
        ],
    )
    say("Next: `retention source add ID --kind call --site SITE --purpose service-quality`.")


def upgrade() -> None:
    """Bring the catalogue to this version's schema. Make a backup first."""
    app = App(home())
    migrate(app.database.engine)
    app.close()
    show({"home": str(home()), "upgraded": True}, "The catalogue has this version's schema.")


def settings() -> None:
    """Print every setting: its value, where it comes from, what it means."""
    found = load_settings(home())
    rows: list[tuple[str, Any, str, str]] = []
    for name, field in Settings.model_fields.items():
        rows.append(
            (name, _masked(name, getattr(found.settings, name)), found.origins[name], field.description or "")
        )
    show(
        [{"name": n, "value": v, "origin": o, "meaning": m} for n, v, o, m in rows],
        table("", ["setting", "value", "from", "meaning"], rows),
    )


def _masked(name: str, value: Any) -> Any:
    """A database's password is not shown."""
    return make_url(value).render_as_string(hide_password=True) if name == "database_url" else value
