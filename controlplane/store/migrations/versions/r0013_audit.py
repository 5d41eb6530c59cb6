"""The audit log, and what keeps it from being changed.

Expand only: a replica of the version before goes on working on this schema. What is decided through it
meanwhile is in the events and not in the audit log.
"""

import sqlalchemy as sa
from alembic import op

from controlplane.store.tables.audit import GUARDS

revision = "0013"
down_revision = "0012"


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    text = [
        sa.Column(name, sa.String(), nullable=False)
        for name in (
            *("who", "door", "kind", "pipeline", "execution_id", "stage", "action"),
            *("text", "data", "previous", "hash"),
        )
    ]
    op.create_table(
        "audit",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        *text,
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_pipeline", "audit", ["pipeline", "id"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept()")
