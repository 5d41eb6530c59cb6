"""Indexes for what is asked of a stage: who was in it last, who entered it last; and of a ledger."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_stage_ended", "stage_execution", ["pipeline", "stage", "ended_at"])
    op.create_index("ix_stage_entered", "stage_execution", ["pipeline", "stage", "execution_id"])
    op.create_index("ix_ledger_pipeline", "ledger", ["pipeline", "id"])


def downgrade() -> None:
    op.drop_index("ix_ledger_pipeline", "ledger")
    op.drop_index("ix_stage_entered", "stage_execution")
    op.drop_index("ix_stage_ended", "stage_execution")
