"""Which tokens are one person's: who made a token by a token, and as whom an override was asked for.

Expand only: a replica of the version before goes on working on this schema; what it makes counts as
made beside the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("api_token", sa.Column("person", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "gate_override", sa.Column("asked_as", sa.String(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("gate_override", "asked_as")
    op.drop_column("api_token", "person")
