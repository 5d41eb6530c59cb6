"""Git deliveries that were verified while their host could not be asked.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "late_delivery",
        sa.Column("id", BIG, nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_late_delivery_due", "late_delivery", ["due_at"])


def downgrade() -> None:
    op.drop_table("late_delivery")
