"""What large installations need: counts that are kept, replicas that are known, and what retention leaves.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

OPEN, HELD = sa.text("ended_at IS NULL"), sa.text("lifted_at IS NULL")
BACK = sa.text("rolls_back != ''")


def upgrade() -> None:
    op.create_table(
        "started",
        sa.Column("dedupe", sa.String(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("dedupe"),
    )
    op.create_table(
        "tally",
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what", "pipeline", "label", "result"),
    )
    op.create_table(
        "replica",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("schema_revision", sa.String(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(
        "ix_execution_open",
        "execution",
        ["pipeline", "type", "status"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix_execution_rolls_back",
        "execution",
        ["rolls_back"],
        sqlite_where=BACK,
        postgresql_where=BACK,
    )
    op.create_index(
        "ix_quarantine_now",
        "quarantine",
        ["pipeline", "id"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )


def downgrade() -> None:
    op.drop_index("ix_quarantine_now", "quarantine")
    op.drop_index("ix_execution_rolls_back", "execution")
    op.drop_index("ix_execution_open", "execution")
    op.drop_table("replica")
    op.drop_table("tally")
    op.drop_table("started")
