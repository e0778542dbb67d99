"""Run the migrations on the connection that `migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

from retention.migrations.models import ALL_TABLES

assert ALL_TABLES

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
