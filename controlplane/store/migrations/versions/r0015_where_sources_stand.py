"""What started last from each branch of a Git source, so that a late delivery does not move it back.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "source_ref",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "action", "ref"),
    )


def downgrade() -> None:
    op.drop_table("source_ref")
