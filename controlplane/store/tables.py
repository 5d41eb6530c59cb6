"""Every table. Times are seconds since the epoch (UTC), JSON is text: rows on the hot path stay small.

`table=True` models do not validate (a trait of sqlmodel): what comes from outside is validated at the
door by plain models before it gets here.
"""

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Table, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

BIG: Any = BigInteger().with_variant(Integer(), "sqlite")
"""Numbers of rows that are added for ever; SQLite numbers its rows itself only where the type is INTEGER."""


EMPTY: Any = {"server_default": ""}
"""Of a text that was added later: replicas of the version before insert rows without it."""


class Pipeline(SQLModel, table=True):
    """A pipeline by name, and which version of its structure counts now."""

    name: str = Field(primary_key=True)
    version: int
    updated_at: float
    updated_by: str = ""


class PipelineVersion(SQLModel, table=True):
    """One version of a pipeline's structure; never changed, so that a way back is never lost."""

    __tablename__ = "pipeline_version"
    pipeline: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    declaration: str
    created_at: float
    created_by: str = ""


class Transition(SQLModel, table=True):
    """A row means: the way into this stage is disabled, for this reason."""

    pipeline: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    reason: str
    disabled_by: str
    disabled_at: float


class Execution(SQLModel, table=True):
    """One journey of pinned source revisions through one version of a pipeline.

    type: STANDARD or ROLLBACK. plan: the stage that a ROLLBACK execution runs (JSON), "" otherwise.
    stop: "" | "wait" | "abandon". dedupe: one accepted event makes one execution.
    """

    __table_args__ = (
        Index("ix_execution_pipeline", "pipeline", "id"),
        Index(
            "ix_execution_open",
            "pipeline",
            "type",
            "status",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_execution_rolls_back",
            "rolls_back",
            sqlite_where=text("rolls_back != ''"),
            postgresql_where=text("rolls_back != ''"),
        ),
    )
    id: str = Field(primary_key=True)
    pipeline: str
    version: int
    type: str = "STANDARD"
    status: str
    stop: str = ""
    digest: str = ""
    trigger: str = "{}"
    revisions: str = "{}"
    plan: str = ""
    rolls_back: str = ""
    rollback_state: str = ""
    dedupe: str | None = Field(default=None, unique=True)
    reason: str = ""
    started_at: float
    ended_at: float | None = None


class StageExecution(SQLModel, table=True):
    """One entry of an execution into a stage. locked: it is the one execution in that stage.

    since: when the first deployment of the stage began. held: why it waits at the gate, why the bake
    neither passes nor fails, or what is wrong in its watch. extended_until: so long its bake was
    extended. asked_at: when a person was asked to judge it; judged: who let it pass, and why. noted: what
    was told of it beside. watch: how it is watched since it is done ("automatic", "advice", "over"), ""
    for not at all. drill: of a drill, or of the rollback that it called for: it says nothing of a release.
    """

    __tablename__ = "stage_execution"
    __table_args__ = (
        Index("ix_stage_execution", "execution_id"),
        Index("ix_stage_ended", "pipeline", "stage", "ended_at"),
        Index("ix_stage_entered", "pipeline", "stage", "execution_id"),
        Index(
            "ux_stage_lock",
            "pipeline",
            "stage",
            unique=True,
            sqlite_where=text("locked"),
            postgresql_where=text("locked"),
        ),
        Index(
            "ix_stage_inbound",
            "pipeline",
            "stage",
            sqlite_where=text("status = 'Inbound'"),
            postgresql_where=text("status = 'Inbound'"),
        ),
    )
    id: str = Field(primary_key=True)
    execution_id: str
    pipeline: str
    stage: str
    position: int
    attempt: int = 1
    status: str
    locked: bool = False
    since: float | None = None
    baking_since: float | None = None
    cause: str = ""
    held: str = ""
    noted: str = Field(default="", sa_column_kwargs=EMPTY)
    judged: str = Field(default="", sa_column_kwargs=EMPTY)
    watch: str = Field(default="", sa_column_kwargs=EMPTY)
    extended_until: float | None = None
    asked_at: float | None = None
    watch_until: float | None = None
    entered_at: float | None = None
    ended_at: float | None = None
    drill: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class ActionExecution(SQLModel, table=True):
    """One action (kind "action"), watching rule ("rule") or rule of the gate ("gate") of a stage execution.

    kind "watch": a rule that is looked at after its stage is done. power: how likely the rule would
    have seen the smallest regression that matters; verdict_since: since when it says the same.

    due_at: when somebody must look at it; NULL where nobody needs to. lane 0 is rollback's own.
    owner, fence: who may write. wake: events seen. starts: how often a start may have gone out.
    """

    __tablename__ = "action_execution"
    __table_args__ = (
        Index("ix_action_stage", "stage_id"),
        Index(
            "ix_action_due",
            "lane",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_action_handle",
            "handle",
            sqlite_where=text("due_at IS NOT NULL AND handle != ''"),
            postgresql_where=text("due_at IS NOT NULL AND handle != ''"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    execution_id: str
    stage_id: str
    name: str
    kind: str = "action"
    run_order: int = 1
    attempt: int = 1
    status: str
    lane: int = 1
    token: str
    due_at: float | None = None
    timeout_at: float | None = None
    owner: str | None = None
    fence: int = 0
    wake: int = 0
    starts: int = 0
    failures: int = 0
    handle: str = ""
    summary: str = ""
    url: str = ""
    output: str = "{}"
    answer: str = ""
    verdict: str = ""
    verdict_at: float | None = None
    verdict_since: float | None = None
    power: float | None = None
    started_at: float | None = None
    ended_at: float | None = None


class ArtifactRow(SQLModel, table=True):
    """An artifact that an action of an execution put out."""

    __tablename__ = "artifact"
    execution_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    document: str


class OutputVariable(SQLModel, table=True):
    """What an action with a namespace put out: `#{namespace.name}`."""

    __tablename__ = "output_variable"
    execution_id: str = Field(primary_key=True)
    namespace: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


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
    """One person asked to open a closed gate; once another has confirmed it, it is open until it expires."""

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


class AccountRow(SQLModel, table=True):
    """A registered account, as its document."""

    __tablename__ = "account"
    name: str = Field(primary_key=True)
    document: str
    updated_at: float


class ApiToken(SQLModel, table=True):
    """An API token: its SHA-256 only."""

    __tablename__ = "api_token"
    id: str = Field(primary_key=True)
    name: str
    hash: str = Field(unique=True)
    role: str
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None


class AccessKey(SQLModel, table=True):
    """An access key that signs requests (SigV4); its role, expiry and revocation are its token's.

    sealed: the secret, encrypted: a signature can only be checked by whoever knows it.
    """

    __tablename__ = "access_key"
    id: str = Field(primary_key=True)
    token_id: str = Field(unique=True)
    sealed: str


class Tag(SQLModel, table=True):
    """A tag of a resource, by CodePipeline's TagResource. resource: "pipeline/NAME" or "webhook/NAME"."""

    resource: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str


class Webhook(SQLModel, table=True):
    """A webhook of CodePipeline's version 1. definition: as it was put (JSON), its secret sealed apart.

    path: the last part of its URL, which nobody can guess.
    """

    name: str = Field(primary_key=True)
    path: str = Field(unique=True)
    pipeline: str
    definition: str
    sealed: str
    updated_at: float
    triggered_at: float | None = None
    error: str = Field(default="", sa_column_kwargs=EMPTY)


class Seen(SQLModel, table=True):
    """Keys of inbound messages that were taken once: a second one is a replay."""

    key: str = Field(primary_key=True)
    at: float


class Started(SQLModel, table=True):
    """An accepted event whose execution was archived: what had started once starts never again."""

    dedupe: str = Field(primary_key=True)
    execution_id: str


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


class Replica(SQLModel, table=True):
    """A running process of ours; one that was not seen for a while is gone."""

    name: str = Field(primary_key=True)
    version: str
    schema_revision: str
    started_at: float
    seen_at: float


class Periodic(SQLModel, table=True):
    """Work that is done now and then by one replica: when it is due next."""

    name: str = Field(primary_key=True)
    due_at: float


class Installation(SQLModel, table=True):
    """What this installation knows of itself: the secret that signs its buttons, the last event it tallied."""

    key: str = Field(primary_key=True)
    value: str


METADATA = SQLModel.metadata
"""Of all tables above: what the migrations are compared with."""


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for the hot path."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
