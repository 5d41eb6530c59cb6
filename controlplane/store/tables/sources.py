"""Where sources stand."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG, EMPTY


class SourceRef(SQLModel, table=True):
    """What a pipeline started with last from a branch or a pull request of a source. ref: "refs/heads/main"."""

    __tablename__ = "source_ref"
    pipeline: str = Field(primary_key=True)
    action: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    revision: str


class LateDelivery(SQLModel, table=True):
    """A change that a Git host told of, verified, while it could not be asked about it; told: as JSON.

    due_at: when the host is asked again; NULL once that was given up.
    """

    __tablename__ = "late_delivery"
    __table_args__ = (Index("ix_late_delivery_due", "due_at"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    host: str
    told: str
    received_at: float
    due_at: float | None = None
    tries: int = 0
    reason: str = Field(default="", sa_column_kwargs=EMPTY)
