"""Whether the live schema is the one this version was written for."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from retention.audit.tables import APPEND_ONLY
from retention.custody.model import Findings, Kind

REMEDY = "`retention upgrade` brings it up to date; if it says so already, restore a backup."


def check_schema(connection: Connection, findings: Findings) -> None:
    """Compare the database with the tables this version knows, and look for the append-only triggers."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    for difference in compare_metadata(context, SQLModel.metadata):
        for each in difference if isinstance(difference, list) else [difference]:
            subject, what = _say(each)
            findings.add(Kind.SCHEMA_DIFFERS, subject, what, REMEDY)
    for name in sorted(_expected_triggers(connection) - _triggers(connection)):
        what = f"trigger {name} is missing: the audit trail can be changed"
        findings.add(
            Kind.SCHEMA_DIFFERS,
            name,
            what,
            "Stop and tell a person; verify the trail with `retention audit verify`.",
        )


def _say(difference: tuple[Any, ...]) -> tuple[str, str]:
    act, thing = difference[0].replace("_", " "), difference[-1]
    if difference[0].startswith("modify"):
        subject = f"{difference[2]}.{difference[3]}"
    else:
        of = getattr(thing, "table", None)
        name = getattr(thing, "name", None) or str(thing)
        subject = f"{of.name}.{name}" if of is not None else str(name)
    verb = act.replace("add ", "lacks ").replace("remove ", "has an unknown ")
    return (
        subject,
        f"the database {verb}: {subject}" if verb != act else f"the database needs {act}: {subject}",
    )


def _expected_triggers(connection: Connection) -> set[str]:
    ends = (
        ("no_update", "no_delete") if connection.dialect.name == "sqlite" else ("append_only", "no_truncate")
    )
    return {f"{table}_{end}" for table in APPEND_ONLY for end in ends}


def _triggers(connection: Connection) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace AND t.tgenabled <> 'D'"
    )
    return set(connection.execute(text(query)).scalars())
