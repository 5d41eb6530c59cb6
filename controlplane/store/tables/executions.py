"""Executions, their stages, their actions and rules, and what they put out."""

from sqlalchemy import Index, false, text
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG, EMPTY


class Execution(SQLModel, table=True):
    """One journey of pinned source revisions through one version of a pipeline.

    type: STANDARD or ROLLBACK. plan: the stage that a ROLLBACK execution runs (JSON), "" otherwise.
    stop: "" | "wait" | "abandon" | "rollback". dedupe: one accepted event makes one execution. restores:
    "STAGE/EXECUTION" where a person named what to go back to, of the bad one and of its ROLLBACK execution.
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
    restores: str = Field(default="", sa_column_kwargs=EMPTY)
    rollback_state: str = ""
    dedupe: str | None = Field(default=None, unique=True)
    reason: str = ""
    started_at: float
    ended_at: float | None = None


class StageExecution(SQLModel, table=True):
    """One entry of an execution into a stage. locked: it is the one execution in that stage.

    since: when the first deployment of the stage began. held: why it waits at the gate, why the bake
    neither passes nor fails, or what is wrong in its watch. extended_until: so long its bake was
    extended by itself, where too little was seen. bake_until: a person has it bake, or be watched, until then
    at least. asked_at: when a person was asked to judge it; judged: who let it pass, and why. noted: what
    was told of it beside. watch: how it is watched since it is done ("automatic", "advice", "over"), ""
    for not at all. drill: of a drill, or of the rollback that it called for: it says nothing of a release.
    retried: who began this attempt, "automatic" or "manual"; "" for the first.
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
    bake_until: float | None = None
    asked_at: float | None = None
    watch_until: float | None = None
    entered_at: float | None = None
    ended_at: float | None = None
    drill: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    retried: str = Field(default="", sa_column_kwargs=EMPTY)


class ActionExecution(SQLModel, table=True):
    """One action (kind "action"), watching rule ("rule") or rule of the gate ("gate") of a stage execution.

    kind "watch": a rule that is looked at after its stage is done; "failure": one that is asked once an
    action has failed; "abandoned": what an action began and nobody waits for, followed to its end. power: how
    likely the rule would have seen the smallest regression that matters; verdict_since: since when it says
    the same.

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


class Started(SQLModel, table=True):
    """An accepted event whose execution was archived: what had started once starts never again."""

    dedupe: str = Field(primary_key=True)
    execution_id: str
