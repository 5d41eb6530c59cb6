"""What the doors answer, for their description: programs are made from these. Nothing is served through them.

Every field is always there. More fields may come: whoever reads these lets pass what he does not know.
Times are ISO 8601 in UTC; null where it has not happened.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Time = str | None


class Answer(BaseModel):
    """camelCase outside."""

    model_config = ConfigDict(alias_generator=to_camel)


class Problem(BaseModel):
    """A refusal (RFC 9457): detail says what to mend. problems: all of them, where there are several."""

    title: str
    status: int
    detail: str
    problems: list[str] = []


class Begun(Answer):
    """The id of the execution that it is about."""

    id: str


class Frozen(Answer):
    """The id of the freeze."""

    id: int


class Stored(Answer):
    """A pipeline's structure is stored as this version; the same as before, where nothing changed."""

    name: str
    version: int


class Transition(Answer):
    """Whether executions may enter a stage; where not, who closed the way, when and why."""

    enabled: bool
    reason: str = ""
    disabled_by: str = ""
    disabled_at: Time = None


class Standing(Answer):
    """What stands on a target of a stage; "" where nothing is known to."""

    target: str
    account: str
    region: str
    digest: str
    status: str
    since: Time
    quarantined: bool
    execution_id: str
    last_known_good: str | None


class WaveTarget(Answer):
    """One target of a wave."""

    name: str
    status: str


class Wave(Answer):
    """Targets that are released together."""

    number: int
    of: int
    status: str
    bakes_until: Time
    until: Time
    bake_seconds: float
    pause_seconds: float
    max_in_flight: int
    targets: list[WaveTarget]


class Execution(Answer):
    """An execution without its stages. next: what a person does now, "" where nothing."""

    id: str
    pipeline: str
    version: int
    type: str
    status: str
    stopping: str
    digest: str
    trigger: dict[str, Any]
    revisions: Any
    rolls_back: str
    rollback_state: str
    next: str
    reason: str
    started_at: Time
    ended_at: Time


class GateRule(Answer):
    """A rule of a gate, and when it opens next, where that is known."""

    name: str
    status: str
    verdict: str
    verdict_at: Time
    reason: str
    opens_at: str
    time_zone: str


class Override(Answer):
    """Who asked for a gate to be opened, and who confirmed it."""

    state: str
    asked_by: str
    reason: str
    confirmed_by: str
    confirm_reason: str
    expires_at: Time


class Gate(Answer):
    """What stands in front of a stage."""

    rules: list[GateRule]
    override: Override | None


class Bake(Answer):
    """How long a stage is watched before it passes, and a person's word on it."""

    seconds: float
    since: Time
    until: Time
    extended: bool
    longer_until: Time
    asked_at: Time
    judged: str


class Extended(Answer):
    """Until when a bake, or a watch, lasts now."""

    until: Time


class Watch(Answer):
    """How a stage is watched since it is done."""

    state: str
    until: Time


class Asked(Answer):
    """What an approver reads."""

    note: str
    link: str


class AskedFor(Answer):
    """Who started what waits, since when it waits and until when, and what the approver should know."""

    by: str
    started_at: Time
    opened_at: Time
    expires_at: Time
    note: str
    link: str


class Approvers(Answer):
    """Whose word counts; both empty: whoever may approve."""

    names: list[str]
    groups: list[str]


class Replaced(Answer):
    """What stands where the release goes."""

    target: str
    digest: str
    execution_id: str


class ChangeSource(Answer):
    """What a source said of its revision."""

    source: str
    summary: str
    url: str


class Change(Answer):
    """An execution since what stands there."""

    execution_id: str
    digest: str
    started_at: Time
    by: str
    revisions: dict[str, str]
    sources: list[ChangeSource]


class ChangeList(Answer):
    """since: the execution of what stands there, "" where nothing does. more: earlier ones are left out."""

    since: str
    more: bool
    executions: list[Change]


class Checked(Answer):
    """How an action or a signal before has gone."""

    stage: str
    name: str
    kind: str
    provider: str
    attempt: int
    status: str
    verdict: str
    summary: str


class SingleFinding(Answer):
    """One vulnerability. accepted: until when, and why. resources: how many have it. stops: fails the scan."""

    severity: str
    id: str
    title: str
    package: str
    version: str
    fixed: str
    accepted: str
    resources: int
    stops: bool


class NewFindings(Answer):
    """The worst that are new. more: how many others; all: False where there were more than could be read."""

    findings: list[SingleFinding]
    more: int
    all: bool


class Counted(NewFindings):
    """What a scan counted, and what it had counted in what stands there; and what is new of it."""

    stage: str
    name: str
    summary: str
    counts: dict[str, Any]
    before: dict[str, Any]
    account: str
    region: str
    url: str


class Voted(Answer):
    """What a person said. counts: not where what it was said of has changed."""

    person: str
    door: str
    verdict: str
    comment: str
    at: Time
    counts: bool


class Yourself(Answer):
    """Whether the one who asks may decide, and why not."""

    name: str
    may_approve: bool
    may_reject: bool
    why: str


class OpenApproval(Answer):
    """An approval that waits. evidence: the hash of what there is to see; it goes back with a decision."""

    execution_id: str
    pipeline: str
    stage: str
    action: str
    evidence: str
    asked: AskedFor
    quorum: int
    approvers: Approvers
    author_may_approve: bool
    require_comment: bool
    remind_after_seconds: float
    digest: str
    artifacts: dict[str, str]
    revisions: dict[str, str]
    into: list[str]
    replaces: list[Replaced]
    changes: ChangeList
    checks: list[Checked]
    signals: list[Checked]
    findings: list[Counted]
    votes: list[Voted]
    missing: int
    you: Yourself
    on_approve: str
    on_reject: str


class Left(Answer):
    """How that stands which an abandoned action left under way: InProgress, Succeeded or Failed."""

    status: str
    summary: str
    ended_at: Time


class Action(Answer):
    """One attempt at an action. approval: only while it waits for a person; left: where it left something."""

    name: str
    provider: str
    category: str
    run_order: int
    attempt: int
    status: str
    summary: str
    url: str
    handle: str
    started_at: Time
    ended_at: Time
    approval: Asked | None = None
    left: Left | None = None


class Rule(Answer):
    """A rule as it looked last; trend: its newest values."""

    name: str
    attempt: int
    status: str
    verdict: str
    verdict_at: Time
    value: float | None
    samples: float
    reason: str
    trend: list[float | None]


class StageExecution(Answer):
    """One entry of an execution into a stage."""

    execution_id: str
    stage: str
    attempt: int
    status: str
    type: str
    digest: str
    version: int
    cause: str
    held: str
    since: Time
    entered_at: Time
    ended_at: Time
    bake: Bake | None
    waves: list[Wave]
    actions: list[Action]
    watch: Watch | None
    rules: list[Rule]
    gate: Gate | None
    on_failure: list[GateRule]


class WholeExecution(Execution):
    """An execution with its stages and the artifacts that it promotes."""

    stages: list[StageExecution]
    artifacts: list[Any]


class Waiting(Answer):
    """Who waits in front of a stage. held: what keeps him there, "" where nothing does."""

    execution_id: str
    digest: str
    held: str
    gate: Gate | None


class StageState(Answer):
    """A stage: who is in it, who was last, who waits, and what stands on its targets."""

    name: str
    transition: Transition
    current: StageExecution | None
    latest: StageExecution | None
    inbound: list[Waiting]
    latest_digest: str
    targets: list[Standing]
    waves: list[Wave]


class PipelineState(Answer):
    """CodePipeline's get-pipeline-state, and on each target what stands there."""

    pipeline: str
    version: int
    execution_mode: str
    last_event: int
    stages: list[StageState]


class StageGlance(Answer):
    """A stage in the list of all pipelines; status and type of who was in it last.

    waitsFor: what a person is to say: "approval", "judgement" or "". held: why its bake or its next wave is
    held. heldInFront: why whoever waits at its gate does. frozen: who froze it, and why.
    """

    name: str
    transition: Transition
    status: str
    type: str
    waits_for: str
    held: str
    held_in_front: str
    frozen: str
    targets: list[Standing]


class PipelineGlance(Answer):
    """A pipeline in the list of all. broken: why its structure cannot be read, "" where it can."""

    name: str
    version: int
    updated_at: Time
    updated_by: str
    broken: str
    latest: Execution | None
    stages: list[StageGlance]


class Measurement(Answer):
    """One look of a rule."""

    at: str
    verdict: str
    value: float | None
    samples: float
    reason: str
    chance: float | None
    power: float | None


class Measurements(Answer):
    """What a rule saw, look by look."""

    stage: str
    rule: str
    attempt: int
    verdict: str
    measurements: list[Measurement]


class Explanation(Answer):
    """Why an execution went as it did."""

    execution_id: str
    pipeline: str
    type: str
    status: str
    digest: str
    by: str
    started_at: Time
    ended_at: Time
    outcome: str
    rolls_back: str
    rollbacks: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    stages: list[dict[str, Any]]


class Drill(Answer):
    """A drill; seconds: how long each part took, from when the alarm was set."""

    id: int | str
    stage: str
    execution_id: str
    alarm: str
    account: str
    state: str
    by: str
    requested_at: Time
    set_at: Time
    sets: int
    seconds: dict[str, float | None]
    ended_at: Time
    note: str


class LedgerEntry(Answer):
    """Which digest was put on which target, and how it fared."""

    id: int
    stage: str
    target: str
    digest: str
    status: str
    execution_id: str
    action: str
    handle: str
    artifact: Any
    at: str


class Quarantined(Answer):
    """A digest that goes nowhere until a person lifts it."""

    id: int
    digest: str
    pipeline: str
    execution_id: str
    reason: str
    at: str


class Freeze(Answer):
    """What a freeze covers ("" is all), and until when (null: until it is lifted)."""

    id: int
    pipeline: str
    stage: str
    account: str
    reason: str
    by: str
    at: str
    until: Time


class Incident(Answer):
    """An open incident that a monitoring told of."""

    key: str
    name: str
    labels: dict[str, str]
    told_by: str
    since: Time
    seen_at: Time


class Event(Answer):
    """Something that happened; text is a sentence for a person."""

    id: int
    at: str
    kind: str
    pipeline: str
    execution_id: str
    stage: str
    action: str
    text: str
    data: dict[str, Any]


class Events(Answer):
    """last: what to ask for next (`after`)."""

    events: list[Event]
    last: int


class AuditLog(Answer):
    """Entries as they are hashed. last: what to ask for next (`after`)."""

    entries: list[dict[str, Any]]
    last: int


class RoleArns(Answer):
    """The ARNs of an account's roles, by purpose."""

    watch: str
    deploy: str
    rollback: str


class KnownAccount(Answer):
    """An account that Towpath acts in. externalId: only for those who may register accounts."""

    name: str
    id: str
    environment: str
    regions: list[str]
    roles: RoleArns
    artifact_bucket: str
    external_id: str = ""


class Finding(Answer):
    """What a doctor found at one hop."""

    ok: bool


class Grant(Answer):
    """A role over the pipelines, stages and environments that globs match."""

    role: str
    pipelines: str
    stages: str
    environments: str


class BrowserSession(Answer):
    """A browser that is signed in. token: the id of the one it was signed in by; "" for a provider's."""

    id: str
    name: str
    person: str
    token: str
    grants: list[Grant]
    made_at: Time
    expires_at: Time


class Token(Answer):
    """An API token without the token. person: whose it counts as. made_by: who made it."""

    id: str
    name: str
    role: str
    grants: list[Grant]
    made_by: str
    created_at: Time
    expires_at: Time
    last_used_at: Time
    revoked_at: Time
    person: str


class NewToken(Answer):
    """The only answer in which the token can be read."""

    id: str
    token: str
    name: str
    role: str
    grants: list[Grant]
    expires_at: Time


class There(Answer):
    """What an account's CodePipeline has."""

    region: str
    pipelines: list[Any]
    webhooks: list[Any]


class Report(Answer):
    """How a pipeline came over. refused: why it did not, each with its mend."""

    pipeline: str
    state: str
    version: int | None
    there: dict[str, Any]
    lines: list[dict[str, Any]]
    notes: list[Any]
    closed: list[str]
    refused: list[Any]


class Shadow(Answer):
    """Where a pipeline comes from, and each old execution beside what Towpath would have done."""

    pipeline: str
    account: str
    region: str
    followed: bool
    followed_at: Time
    differing: int
    executions: list[dict[str, Any]]
