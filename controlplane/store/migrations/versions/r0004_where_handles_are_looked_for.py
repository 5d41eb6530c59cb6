"""An index by the vendor's id, for what is told about outside work that somebody waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
WAITING = sa.text("due_at IS NOT NULL AND handle != ''")


def upgrade() -> None:
    op.create_index(
        "ix_action_handle",
        "action_execution",
        ["handle"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_action_handle", "action_execution")
