"""Bring a database to the present schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def migrate(engine: Engine) -> None:
    """Run every migration that has not run yet, in one transaction."""
    with engine.begin() as connection:
        migrate_on(connection)


def migrate_on(connection: Connection) -> None:
    """Run every migration that has not run yet, in the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
