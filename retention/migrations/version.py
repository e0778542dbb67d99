"""Say whether a database has the present schema.

Asked at every start, so without Alembic: importing it takes longer than most commands.
"""

from pathlib import Path

from sqlalchemy import Engine, inspect, text


def newest_revision() -> str:
    """The revision that the newest migration makes: the number its file's name begins with."""
    versions = Path(__file__).parent / "versions"
    return max(file.name.partition("_")[0] for file in versions.glob("[0-9]*_*.py"))


def is_current(engine: Engine) -> bool:
    """Whether the database has the present schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == [
            newest_revision()
        ]


def is_empty(engine: Engine) -> bool:
    """Whether the database has no table at all: it was never made, or was lost."""
    return not inspect(engine).get_table_names()
