"""Every table. Times are seconds since the epoch (UTC), JSON is text: rows on the hot path stay small.

`table=True` models do not validate (a trait of sqlmodel): what comes from outside is validated at the
door by plain models before it gets here.
"""

from sqlalchemy import Table
from sqlmodel import SQLModel

from controlplane.store.tables.approvals import Approval, Vote
from controlplane.store.tables.audit import AuditEntry
from controlplane.store.tables.evidence import (
    Drill,
    LedgerEntry,
    MeasuredSeries,
    Measurement,
    Quarantine,
)
from controlplane.store.tables.executions import (
    ActionExecution,
    ArtifactRow,
    Execution,
    OutputVariable,
    StageExecution,
    Started,
)
from controlplane.store.tables.gates import (
    Freeze,
    GateOverride,
    Incident,
)
from controlplane.store.tables.installation import (
    AccountRow,
    ApiToken,
    ConsoleSession,
    Installation,
    Periodic,
    Replica,
)
from controlplane.store.tables.jobs import ActionType, Job
from controlplane.store.tables.migration import Migrated, Shadowed
from controlplane.store.tables.pipelines import (
    Pipeline,
    PipelineVersion,
    Transition,
)
from controlplane.store.tables.sources import LateDelivery, SourceRef
from controlplane.store.tables.telling import (
    Event,
    Outbox,
    Seen,
    SlackInbox,
    Tally,
    Thread,
)
from controlplane.store.tables.wire import AccessKey, Tag, Webhook

__all__ = [
    "METADATA",
    "AccessKey",
    "AccountRow",
    "ActionExecution",
    "ActionType",
    "ApiToken",
    "Approval",
    "ArtifactRow",
    "AuditEntry",
    "ConsoleSession",
    "Drill",
    "Event",
    "Execution",
    "Freeze",
    "GateOverride",
    "Incident",
    "Installation",
    "Job",
    "LateDelivery",
    "LedgerEntry",
    "MeasuredSeries",
    "Measurement",
    "Migrated",
    "Outbox",
    "OutputVariable",
    "Periodic",
    "Pipeline",
    "PipelineVersion",
    "Quarantine",
    "Replica",
    "Seen",
    "Shadowed",
    "SlackInbox",
    "SourceRef",
    "StageExecution",
    "Started",
    "Tag",
    "Tally",
    "Thread",
    "Transition",
    "Vote",
    "Webhook",
    "table",
]

METADATA = SQLModel.metadata
"""Of all tables above: what the migrations are compared with."""


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for the hot path."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
