"""A person has a bake, or a watch, last longer.

Expand only: a replica of the version before goes on working on this schema, and ends a bake at its own time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("stage_execution", sa.Column("bake_until", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("stage_execution", "bake_until")
