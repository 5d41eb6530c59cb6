"""Who began another attempt of a stage, and which execution a person named to go back to.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column(
        "stage_execution",
        sa.Column("retried", sa.String(), nullable=False, server_default=""),
    )
    op.add_column(
        "execution",
        sa.Column("restores", sa.String(), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("execution", "restores")
    op.drop_column("stage_execution", "retried")
