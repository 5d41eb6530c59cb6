"""Alembic's environment: runs on the connection that Database.migrate hands over."""

from alembic import context

from controlplane.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=True,  # no lock is held for longer than one of them needs
)
with context.begin_transaction():
    context.run_migrations()
