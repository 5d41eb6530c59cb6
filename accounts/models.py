"""The accounts we may act in, as they are declared."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

AwsId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$", strict=True)]
"""A 12-digit AWS account id, always a string: as a number it would lose its leading zeros."""

Arn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:.+$")
]
PRODUCTION = ("prod", "prd", "live")
"""How the name of an environment begins that customers use."""
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class Purpose(StrEnum):
    """What a session is for. Each has a role of its own, so that revoking one leaves the others."""

    WATCH = "watch"
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Roles(BaseModel):
    """One role for each purpose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    watch: Arn
    deploy: Arn
    rollback: Arn


class Account(BaseModel):
    """A name for AWS account id + roles + external id + regions + environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Name
    id: AwsId
    environment: Name
    regions: Annotated[list[str], Field(min_length=1)]
    roles: Roles
    external_id: Annotated[str, Field(alias="externalId", min_length=2, max_length=1224)]
    artifact_bucket: Annotated[str, Field(alias="artifactBucket", min_length=3, max_length=63)]
    artifact_key: Annotated[Arn | None, Field(alias="artifactKey")] = None

    @property
    def is_production(self) -> bool:
        """Whether customers use it: no drill is held there, and no session may set an alarm there."""
        return self.environment.lower().startswith(PRODUCTION)

    def role(self, purpose: Purpose) -> str:
        """Answer the ARN of the role for a purpose."""
        return str(getattr(self.roles, purpose.value))
