"""Drills: one a row, and which stage executions were one.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "stage_execution",
        sa.Column("drill", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "drill",
        sa.Column("id", BIG, nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("alarm", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_at", sa.Float(), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=True),
        sa.Column("sets", sa.Integer(), nullable=False),
        sa.Column("detected_at", sa.Float(), nullable=True),
        sa.Column("stopped_at", sa.Float(), nullable=True),
        sa.Column("restored_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_drill_place", "drill", ["pipeline", "stage", "id"])
    op.create_index(
        "ux_drill_open",
        "drill",
        ["pipeline", "stage"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ux_drill_open", "drill")
    op.drop_index("ix_drill_place", "drill")
    op.drop_table("drill")
    op.drop_column("stage_execution", "drill")
