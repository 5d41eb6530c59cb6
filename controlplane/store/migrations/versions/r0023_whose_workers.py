"""An access key may count as an AWS account: whose workers may poll for jobs is said by account.

Expand only: a replica of the version before makes keys of no account, and asks nobody for one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column(
        "access_key", sa.Column("account", sa.String(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("access_key", "account")
