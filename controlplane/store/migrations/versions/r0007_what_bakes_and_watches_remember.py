"""What bakes remember of their extension and of who judged them, and how a stage is watched after it is done.

Expand only: a replica of the version before goes on working on this schema.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ADDED: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "stage_execution": {
        "noted": sa.String(),
        "judged": sa.String(),
        "watch": sa.String(),
        "extended_until": sa.Float(),
        "asked_at": sa.Float(),
        "watch_until": sa.Float(),
    },
    "action_execution": {"verdict_since": sa.Float(), "power": sa.Float()},
    "measurement": {"chance": sa.Float(), "power": sa.Float()},
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind in columns.items():
            text = isinstance(kind, sa.String)
            default = sa.text("''") if text else None
            column = sa.Column(name, kind, nullable=not text, server_default=default)
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in ADDED.items():
        for name in columns:
            op.drop_column(table, name)
