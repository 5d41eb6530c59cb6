"""What stands in front of stages: freezes, overrides, incidents."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import EMPTY


class Freeze(SQLModel, table=True):
    """Nothing but a way back enters what it covers. pipeline, stage, account: "" covers all of them.

    until: when it ends by itself; NULL where a person must lift it.
    """

    __table_args__ = (
        Index(
            "ix_freeze_now",
            "id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    pipeline: str
    stage: str
    account: str
    reason: str
    frozen_by: str
    frozen_at: float
    until: float | None = None
    lifted_at: float | None = None
    lifted_by: str = ""
    lift_reason: str = ""


class GateOverride(SQLModel, table=True):
    """One person asked to open a closed gate; once another has confirmed it, it is open until it expires.

    asked_as: the token that whoever asked counts as; "" where he came without one.
    """

    __tablename__ = "gate_override"
    __table_args__ = (Index("ix_gate_override_stage", "stage_id"),)
    id: int | None = Field(default=None, primary_key=True)
    stage_id: str
    execution_id: str
    reason: str
    asked_by: str
    asked_at: float
    confirmed_by: str = ""
    confirmed_at: float | None = None
    confirm_reason: str = ""
    expires_at: float
    asked_as: str = Field(default="", sa_column_kwargs=EMPTY)


class Incident(SQLModel, table=True):
    """What a monitoring has told us of by webhook: open until it says that it is resolved."""

    __table_args__ = (
        Index(
            "ix_incident_open",
            "key",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )
    key: str = Field(primary_key=True)
    name: str
    labels: str
    told_by: str
    since: float
    seen_at: float
    resolved_at: float | None = None
