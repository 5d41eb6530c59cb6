"""What may come in by the REST door. Everything is bounded, and nothing unknown is let in.

NUL is refused everywhere: PostgreSQL's text can not hold it.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from fastapi import Path, Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

from controlplane.clock import LAST
from controlplane.engine.extending import MOST as MOST_MINUTES
from controlplane.store.grants import GLOB, MOST, Grants, bounded
from controlplane.store.roles import Role

NAME = r"^[A-Za-z0-9.@_-]{1,100}$"
NAME_OR_NONE = r"^[A-Za-z0-9.@_-]{0,100}$"
Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Glob = Annotated[str, StringConstraints(pattern=GLOB)]
GIVEN = r"^[^\x00]*[^\x00\s][^\x00]*$"
"""Text of which something can be read."""
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@_-]{1,128}$")]
Id = Annotated[str, StringConstraints(max_length=100, pattern=NAME)]

PipelineName = Annotated[str, Path(pattern=NAME)]
StageName = Annotated[str, Path(pattern=NAME)]
ExecutionId = Annotated[str, Path(pattern=NAME)]
AccountName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
TokenId = Annotated[str, Path(pattern=NAME)]
Digest = Annotated[str, Path(pattern=r"^[A-Za-z0-9:._+-]{1,200}$")]
FreezeId = Annotated[int, Path(ge=1, le=2**31 - 1)]
IncidentKey = Annotated[str, Path(pattern=r"^[A-Za-z0-9:._-]{1,100}$")]
EventId = Annotated[int, Query(ge=0, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=500)]
FilterName = Annotated[str, Query(pattern=r"^[A-Za-z0-9.@_-]{0,100}$")]


class Body(BaseModel):
    """camelCase outside."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class StartBody(Body):
    """revisions: source action -> revision id to pin. variables: values in the place of their defaults.

    A token sent twice starts only once.

    one_way: the release cannot be rolled back: every stage asks before it deploys, and holds where it goes bad.
    """

    revisions: Annotated[dict[Id, Text], Field(max_length=50)] = {}
    variables: Annotated[dict[VariableName, Text], Field(max_length=50)] = {}
    one_way: bool = False
    client_request_token: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] | None = None


class ApprovalBody(Body):
    """action: needed only where several approvals are open in the stage.

    evidence: the hash of what was looked at, as the approval's document has it; "": what there is now.
    """

    action: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.@_-]{0,100}$")] = ""
    result: Literal["Approved", "Rejected"]
    summary: Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")] = ""
    evidence: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""


class JudgementBody(Body):
    """A person's word on a bake that cannot end by itself; the reason is kept."""

    result: Literal["pass", "rollback"]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00]*$")]


class ExtensionBody(Body):
    """So many minutes more of a bake, or of a watch; the reason is kept."""

    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=GIVEN)]


class StopBody(Body):
    """abandon: do not wait for what runs."""

    abandon: bool = False
    reason: Text = ""


class RetryBody(Body):
    """CodePipeline's words."""

    mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"] = "FAILED_ACTIONS"


class ReasonBody(Body):
    """Why; it is kept with the event."""

    reason: Text = ""


class NeededReasonBody(ReasonBody):
    """The command refuses one that is empty, in its own words; the description says so beforehand."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["reason"],
            "properties": {"reason": {"type": "string", "maxLength": 1000, "pattern": GIVEN}},
        }
    )


class RollbackBody(ReasonBody):
    """to: an execution that succeeded in the stage; "" goes back to the last known good."""

    to: Text = ""


class FreezeBody(Body):
    """pipeline, stage, account: "" covers all. until: with a time zone; left out, until it is lifted."""

    pipeline: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""
    stage: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""
    account: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""
    until: AwareDatetime | None = None
    reason: Text

    def ends(self) -> float | None:
        """Seconds since the epoch."""
        return None if self.until is None else seconds(self.until)


class WebhookBody(Body):
    """A webhook as the listing of an account has it; its secret is not asked for."""

    name: Id
    target_pipeline: Id
    authentication: Annotated[str, StringConstraints(pattern=r"^[A-Z_]{1,40}$")]


class MigrateBody(Body):
    """region: "" where the account has one. apply: store it. shadow: and follow the old one."""

    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,32}$")] = ""
    apply: bool = False
    shadow: bool = False
    webhooks: Annotated[list[WebhookBody], Field(max_length=300)] = []


class ShadowBody(Body):
    """Whether the old pipeline is followed."""

    follow: bool


class TokenBody(Body):
    """expiresAt: with a time zone, in the future; left out, the token lasts until it is revoked.

    pipelines, stages, environments: globs of those that it reaches; none: all of them.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$")]
    role: Role
    expires_at: AwareDatetime | None = None
    pipelines: Annotated[list[Glob], Field(max_length=10)] = []
    stages: Annotated[list[Glob], Field(max_length=5)] = []
    environments: Annotated[list[Glob], Field(max_length=5)] = []

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self.grants()) > MOST:
            raise ValueError(f"pipelines by stages by environments are over {MOST}: use globs")
        return self

    def grants(self) -> Grants:
        """What it may, where."""
        return bounded(self.role, self.pipelines, self.stages, self.environments)

    def expires(self) -> float | None:
        """Seconds since the epoch."""
        return None if self.expires_at is None else seconds(self.expires_at)


def seconds(at: datetime) -> float:
    """Seconds since the epoch of a time with a zone; what cannot be written again is cut to what can."""
    # datetime.timestamp overflows for a few hours around year 1 and 9999; the difference does not.
    found = (at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return min(max(found, 0.0), LAST)
