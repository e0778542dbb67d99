"""A store that another version made is recognised without asking Alembic; Alembic is the oracle here."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

import retention.migrations
from retention.migrations.migrate import migrate
from retention.migrations.version import is_current, newest_revision


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'catalogue.db'}")


def test_the_newest_file_names_the_head_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(retention.migrations.__path__[0])))
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_an_empty_database_is_not_current_and_a_migrated_one_is(engine: Engine) -> None:
    assert not is_current(engine)
    migrate(engine)
    assert is_current(engine)


def test_a_schema_from_the_future_is_not_current(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_current(engine)
