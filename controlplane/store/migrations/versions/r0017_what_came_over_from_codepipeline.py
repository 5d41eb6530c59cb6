"""Which pipelines came over from CodePipeline, and what following the old ones has shown.

Expand only: a replica of the version before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "migrated",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("closed", sa.String(), nullable=False),
        sa.Column("migrated_at", sa.Float(), nullable=False),
        sa.Column("migrated_by", sa.String(), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("followed_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("pipeline"),
    )
    op.create_table(
        "shadowed",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "execution_id"),
    )
    op.create_index("ix_shadowed_started", "shadowed", ["pipeline", "started_at"])


def downgrade() -> None:
    op.drop_table("shadowed")
    op.drop_table("migrated")
