"""What people ask for in Slack is stored before it is acknowledged, and done afterwards.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

PENDING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "slack_inbox",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(
        "ix_slack_inbox_due",
        "slack_inbox",
        ["due_at"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index("ix_slack_inbox_received", "slack_inbox", ["received_at"])


def downgrade() -> None:
    op.drop_table("slack_inbox")
