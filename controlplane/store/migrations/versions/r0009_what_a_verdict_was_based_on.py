"""What a verdict was based on: the points that were compared."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "measured_series",
        sa.Column("id", BIG, nullable=False),
        sa.Column("action_id", BIG, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("points_before", sa.String(), nullable=False),
        sa.Column("points_after", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_series_action", "measured_series", ["action_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_series_action", "measured_series")
    op.drop_table("measured_series")
