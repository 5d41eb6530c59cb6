"""How far a token reaches and who made it, and the sessions of browsers.

Expand only: a replica of the version before goes on working on this schema. It refuses tokens that
reach not everywhere, for their role is one that it does not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("api_token", sa.Column("grants", sa.String(), nullable=False, server_default=""))
    op.add_column("api_token", sa.Column("made_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "console_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("grants", sa.String(), nullable=False),
        sa.Column("groups", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_console_session_expires_at", "console_session", ["expires_at"])


def downgrade() -> None:
    op.drop_table("console_session")
    op.drop_column("api_token", "made_by")
    op.drop_column("api_token", "grants")
