"""Custom action types, and the jobs of their workers.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

WAITING = sa.text("status = 'Queued' OR status = 'Dispatched'")


def upgrade() -> None:
    op.create_table(
        "action_type",
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("category", "owner", "provider", "version"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("dispatched_at", sa.Float(), nullable=True),
        sa.Column("not_before", sa.Float(), nullable=True),
        sa.Column("timeout_at", sa.Float(), nullable=True),
        sa.Column("continuation", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_job_action", "job", ["action_id", "number"], unique=True)
    op.create_index(
        "ix_job_waiting",
        "job",
        ["type", "created_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_table("job")
    op.drop_table("action_type")
