"""The pipeline structure: CodePipeline's own PipelineDeclaration, and a little more.

Field names, enums and limits are those of botocore's codepipeline 2015-07-09 model, one for one.
What CodePipeline has no field for is said in its own idiom: entries of a `configuration`
(Account, BakeTime, Threshold, ...) and new providers, which are of owner Custom. Ours alone:
`notifications` on the pipeline.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")]
Configuration = dict[Annotated[str, StringConstraints(min_length=1, max_length=50)], str]


class Model(BaseModel):
    """Spelled in camelCase outside, immutable inside, and nothing unknown is let in."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class ExecutionMode(StrEnum):
    """What a newer execution does to an older one that waits or runs."""

    SUPERSEDED = "SUPERSEDED"
    QUEUED = "QUEUED"
    PARALLEL = "PARALLEL"


class Result(StrEnum):
    """What a failed condition leads to."""

    ROLLBACK = "ROLLBACK"
    FAIL = "FAIL"
    RETRY = "RETRY"
    SKIP = "SKIP"


class ActionTypeId(Model):
    """Which driver does it."""

    category: Literal["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"]
    owner: Literal["AWS", "ThirdParty", "Custom"] = "AWS"
    provider: Annotated[str, StringConstraints(min_length=1, max_length=35)]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,9}$")] = "1"


PROOFS = frozenset({"VariableCheck", "LambdaInvoke", "CodeBuild", "Commands"})
"""Providers of rules that say once whether something holds; onSuccess asks them after the last action."""


class RuleTypeId(Model):
    """Which driver watches it."""

    category: Literal["Rule"] = "Rule"
    owner: Literal["AWS", "Custom"] = "AWS"
    provider: Annotated[str, StringConstraints(min_length=3, max_length=35)]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,9}$")] = "1"


class ArtifactName(Model):
    """An artifact, by the name that is unique in the pipeline."""

    name: Name


class OutputArtifact(ArtifactName):
    """What an action of category Compute makes; files: which of its files go into it."""

    files: tuple[str, ...] = ()


class EnvironmentVariable(Model):
    """A variable of a Commands action; of type SECRETS_MANAGER, value is the secret's name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    value: str
    type: Literal["PLAINTEXT", "SECRETS_MANAGER"] | None = None


class Blocker(Model):
    """CodePipeline's own, of old: it says that a stage is reserved."""

    name: Name
    type: Literal["Schedule"]


class ActionDeclaration(Model):
    """One action of a stage. The same run order runs side by side, rising run orders in sequence.

    configuration["Account"] names the registered account it acts in.
    """

    name: Name
    action_type_id: ActionTypeId
    run_order: Annotated[int, Field(ge=1, le=999)] = 1
    configuration: Configuration = {}
    input_artifacts: tuple[ArtifactName, ...] = ()
    output_artifacts: tuple[OutputArtifact, ...] = ()
    commands: tuple[str, ...] = ()
    output_variables: tuple[str, ...] = ()
    environment_variables: tuple[EnvironmentVariable, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    namespace: Name | None = None
    timeout_in_minutes: Annotated[int, Field(ge=5, le=86400)] | None = None

    @cached_property
    def driver(self) -> tuple[str, str, str]:
        """Which driver does it: category, owner, provider."""
        kind = self.action_type_id
        return (kind.category, kind.owner, kind.provider)

    @cached_property
    def has_variables(self) -> bool:
        """Its configuration, or its environment, asks for values that only an execution has."""
        values = (*self.configuration.values(), *(one.value for one in self.environment_variables))
        return any("#{" in value for value in values)


class RuleDeclaration(Model):
    """One rule of a condition: a signal with its limits, or a check."""

    name: Name
    rule_type_id: RuleTypeId
    configuration: Configuration = {}
    commands: tuple[str, ...] = ()
    input_artifacts: tuple[ArtifactName, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    timeout_in_minutes: Annotated[int, Field(ge=5, le=86400)] | None = None

    @cached_property
    def driver(self) -> tuple[str, str, str]:
        """Which driver watches it: category, owner, provider."""
        kind = self.rule_type_id
        return (kind.category, kind.owner, kind.provider)

    @property
    def is_proof(self) -> bool:
        """Whether it is asked once, where others watch."""
        return self.rule_type_id.provider in PROOFS

    @cached_property
    def has_variables(self) -> bool:
        """As an action's."""
        return any("#{" in value for value in self.configuration.values())


class Condition(Model):
    """All its rules must hold; `result` says what follows where one does not."""

    result: Result = Result.ROLLBACK
    rules: tuple[RuleDeclaration, ...] = ()

    @property
    def signals(self) -> tuple[RuleDeclaration, ...]:
        """The rules that watch."""
        return tuple(rule for rule in self.rules if not rule.is_proof)

    @property
    def proofs(self) -> tuple[RuleDeclaration, ...]:
        """The rules that say once and for all whether something holds."""
        return tuple(rule for rule in self.rules if rule.is_proof)


class BeforeEntry(Model):
    """The gate: an execution waits in front of the stage until all rules hold.

    The result (FAIL or SKIP) is for a rule that will never hold, or has timed out.
    """

    conditions: tuple[Condition, ...] = ()


class OnSuccess(Model):
    """The bake: signals watch from the first deployment on, proofs are asked after the last action."""

    conditions: tuple[Condition, ...] = ()


class RetryConfiguration(Model):
    retry_mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"] = "FAILED_ACTIONS"


class OnFailure(Model):
    """What follows where an action of the stage failed."""

    result: Result | None = None
    retry_configuration: RetryConfiguration | None = None
    conditions: tuple[Condition, ...] = ()


class StageDeclaration(Model):
    name: Name
    actions: Annotated[tuple[ActionDeclaration, ...], Field(min_length=1)]
    before_entry: BeforeEntry | None = None
    on_success: OnSuccess | None = None
    on_failure: OnFailure | None = None
    blockers: tuple[Blocker, ...] = ()

    @cached_property
    def run_orders(self) -> tuple[tuple[ActionDeclaration, ...], ...]:
        """The actions that run side by side, in the order in which they follow each other."""
        orders = sorted({action.run_order for action in self.actions})
        return tuple(tuple(a for a in self.actions if a.run_order == order) for order in orders)

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], ActionDeclaration | RuleDeclaration]:
        """What a row of this stage stands for: by its kind and its name (kinds: see ActionExecution)."""
        found: dict[tuple[str, str], ActionDeclaration | RuleDeclaration] = {}
        found.update({("proof", rule.name): rule for rule in reversed(self.proofs())})
        found.update({("failure", rule.name): rule for rule in reversed(self.failure_rules())})
        found.update({("gate", rule.name): rule for rule in reversed(self.gates())})
        found.update({("rule", rule.name): rule for rule in reversed(self.rules())})
        found.update({("action", action.name): action for action in reversed(self.actions)})
        return found

    def gates(self) -> tuple[RuleDeclaration, ...]:
        """Every rule that must hold before the stage is entered, in order."""
        conditions = self.before_entry.conditions if self.before_entry else ()
        return tuple(rule for condition in conditions for rule in condition.rules)

    def failure_rules(self) -> tuple[RuleDeclaration, ...]:
        """Every rule that is asked where an action failed, in order."""
        conditions = self.on_failure.conditions if self.on_failure else ()
        return tuple(rule for condition in conditions for rule in condition.rules)

    def rules(self) -> tuple[RuleDeclaration, ...]:
        """Every signal of the bake, in order."""
        conditions = self.on_success.conditions if self.on_success else ()
        return tuple(rule for condition in conditions for rule in condition.signals)

    def proofs(self) -> tuple[RuleDeclaration, ...]:
        """Every rule that is asked once, after the last action, in order."""
        conditions = self.on_success.conditions if self.on_success else ()
        return tuple(rule for condition in conditions for rule in condition.proofs)


class EncryptionKey(Model):
    id: str
    type: Literal["KMS"] = "KMS"


class ArtifactStore(Model):
    type: Literal["S3"] = "S3"
    location: str
    encryption_key: EncryptionKey | None = None


class Variable(Model):
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    default_value: Annotated[str, StringConstraints(max_length=1000)] | None = None
    description: Annotated[str, StringConstraints(max_length=200)] | None = None


class Notification(Model):
    """Where events of this pipeline are told (ours; CodePipeline keeps notification rules apart).

    provider: EventBridge, SNS, Slack or Webhook. events: kinds such as "stage.failed", or prefixes
    ("stage."); empty means all that concern people, and for EventBridge all that CodePipeline tells.
    """

    provider: Literal["EventBridge", "SNS", "Slack", "Webhook"]
    configuration: Configuration = {}
    events: tuple[str, ...] = ()


class PipelineDeclaration(Model):
    name: Name
    stages: Annotated[tuple[StageDeclaration, ...], Field(min_length=1)]
    role_arn: str | None = None
    artifact_store: ArtifactStore | None = None
    artifact_stores: dict[str, ArtifactStore] | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    execution_mode: ExecutionMode = ExecutionMode.SUPERSEDED
    pipeline_type: Literal["V1", "V2"] = "V2"
    variables: tuple[Variable, ...] = ()
    triggers: tuple[dict[str, object], ...] = ()
    notifications: tuple[Notification, ...] = ()

    def stage(self, name: str) -> StageDeclaration:
        """Answer the stage of that name; KeyError where there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)
