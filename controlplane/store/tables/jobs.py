"""Custom action types, and the jobs that workers and functions do for actions of them."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG


class ActionType(SQLModel, table=True):
    """An action type that somebody registered. definition: what it takes and who does it (JSON).

    deleted_at: it is refused from then on, and its version is never given again.
    """

    __tablename__ = "action_type"
    category: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    definition: str
    updated_at: float
    deleted_at: float | None = None


class Job(SQLModel, table=True):
    """One job of an action execution; one that goes on has a next one, of the next number.

    type: "Category/Owner/Provider/Version". client: whose third-party job it is. nonce: of the last
    dispatch. not_before: a function is not called again sooner. timeout_at: no word until then is a
    failure. query: the queryable part of the configuration. said: what was reported last (JSON).
    """

    __table_args__ = (
        Index("ux_job_action", "action_id", "number", unique=True),
        Index(
            "ix_job_waiting",
            "type",
            "created_at",
            sqlite_where=text("status = 'Queued' OR status = 'Dispatched'"),
            postgresql_where=text("status = 'Queued' OR status = 'Dispatched'"),
        ),
    )
    id: str = Field(primary_key=True)
    action_id: int = Field(sa_type=BIG)
    number: int = 1
    type: str
    client: str = ""
    status: str
    nonce: str = ""
    dispatched_at: float | None = None
    not_before: float | None = None
    timeout_at: float | None = None
    continuation: str = ""
    query: str = "{}"
    said: str = "{}"
    created_at: float
    ended_at: float | None = None
