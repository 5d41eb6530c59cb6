"""What was seen, and what stands where: measurements, series, the ledger, the quarantine, drills."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG


class Measurement(SQLModel, table=True):
    """What a rule saw at one look."""

    __table_args__ = (Index("ix_measurement_action", "action_id", "at"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    action_id: int = Field(sa_type=BIG)
    at: float
    verdict: str
    value: float | None = None
    samples: int = 0
    reason: str = ""
    chance: float | None = None
    power: float | None = None


class MeasuredSeries(SQLModel, table=True):
    """What a verdict was based on: the points before and since the deployment, as of one look.

    points_before, points_after: JSON lists of [seconds since the epoch, value], few enough to draw.
    """

    __tablename__ = "measured_series"
    __table_args__ = (Index("ix_series_action", "action_id", "id"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    action_id: int = Field(sa_type=BIG)
    at: float
    verdict: str
    points_before: str = "[]"
    points_after: str = "[]"


class LedgerEntry(SQLModel, table=True):
    """Which digest was put on which target, when, and how it fared.

    status: DEPLOYING, DEPLOYED, GOOD, BAD. artifact: the copy that was deployed (JSON).
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ix_ledger_target", "target", "id"),
        Index("ix_ledger_pipeline", "pipeline", "id"),
        UniqueConstraint("action_id", name="ux_ledger_action"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    pipeline: str
    stage: str
    target: str
    digest: str
    artifact: str
    execution_id: str
    action_id: int = Field(sa_type=BIG)
    action: str
    token: str
    handle: str = ""
    status: str
    at: float


class Quarantine(SQLModel, table=True):
    """A digest that goes nowhere until a person lifts it with a reason."""

    __table_args__ = (
        Index("ix_quarantine_digest", "digest"),
        Index(
            "ix_quarantine_now",
            "pipeline",
            "id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    digest: str
    pipeline: str
    execution_id: str
    reason: str
    at: float
    lifted_at: float | None = None
    lifted_by: str = ""
    lift_reason: str = ""


class Drill(SQLModel, table=True):
    """One drill: the alarm of a stage is set, and what follows is timed.

    state: see states.DrillState. set_at: when the alarm was first set; sets: how often, for CloudWatch sets
    it back. detected_at, stopped_at, restored_at: when a rule failed, the rollback's first call began, and
    the rollback was done. note: why it failed, or that the alarm could not be set back.
    """

    __table_args__ = (
        Index("ix_drill_place", "pipeline", "stage", "id"),
        Index(
            "ux_drill_open",
            "pipeline",
            "stage",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    pipeline: str
    stage: str
    execution_id: str
    account: str
    region: str
    alarm: str
    rule: str
    requested_by: str
    state: str
    requested_at: float
    set_at: float | None = None
    sets: int = 0
    detected_at: float | None = None
    stopped_at: float | None = None
    restored_at: float | None = None
    ended_at: float | None = None
    note: str = ""
