"""Alembic's environment: runs on the connection that Database.migrate hands over."""

from alembic import context
from sqlmodel import SQLModel

from controlplane.store import tables

assert tables  # noqa: S101 - importing it fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
