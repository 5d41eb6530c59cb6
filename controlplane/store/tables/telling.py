"""What happened, and who is told: events, the outbox, threads, and the sums of what was told."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG


class Event(SQLModel, table=True):
    """What happened, in the order of the commits."""

    __table_args__ = (
        Index("ix_event_execution", "execution_id", "id"),
        Index("ix_event_pipeline", "pipeline", "id"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    at: float
    kind: str
    pipeline: str
    execution_id: str = ""
    stage: str = ""
    action: str = ""
    text: str = ""
    data: str = "{}"


class Outbox(SQLModel, table=True):
    """A notification that must leave; written in the transaction of its event.

    place: provider and address; what goes to one place about one execution goes in order.
    status: PENDING, SENT, DEAD.
    """

    __table_args__ = (
        Index("ix_outbox_place", "execution_id", "place", "id"),
        Index(
            "ix_outbox_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    event_id: int = Field(sa_type=BIG)
    execution_id: str
    provider: str
    place: str
    configuration: str
    status: str = "PENDING"
    due_at: float | None = None
    owner: str | None = None
    fence: int = 0
    attempts: int = 0
    error: str = ""
    sent_at: float | None = None


class Thread(SQLModel, table=True):
    """What a channel needs to go on with its message about an execution."""

    execution_id: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    reference: str


class Tally(SQLModel, table=True):
    """How often something ended: each event is counted in once, and archiving counts nothing out.

    what: "execution" (label: its type), "deployment", "verdict", "drill" or "rollback" (label: the stage); see
    `tally` for the results that they have.
    """

    what: str = Field(primary_key=True)
    pipeline: str = Field(primary_key=True)
    label: str = Field(primary_key=True)
    result: str = Field(primary_key=True)
    count: int


class Seen(SQLModel, table=True):
    """Keys of inbound messages that were taken once: a second one is a replay."""

    key: str = Field(primary_key=True)
    at: float


class SlackInbox(SQLModel, table=True):
    """What somebody asked for in Slack: stored before it is acknowledged, done by a worker afterwards.

    key: of one press, command or submission, however often Slack delivers it. kind: "press", "command" or
    "answer" (it is done, and he is still to be told). due_at: None once nothing is left to do.
    """

    __tablename__ = "slack_inbox"
    __table_args__ = (
        Index(
            "ix_slack_inbox_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_slack_inbox_received", "received_at"),
    )
    key: str = Field(primary_key=True)
    kind: str
    payload: str
    received_at: float
    owner: str | None = None
    fence: int = 0
    attempts: int = 0
    due_at: float | None = None
    error: str = ""
