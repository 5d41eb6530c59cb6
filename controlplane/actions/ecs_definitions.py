"""Task definitions: what stood, the revision that we make of it, and how ours is found again.

RegisterTaskDefinition takes no client token, so the revision carries ours as a tag, beside what stood before it
and the digest that it brings. They are written before the service is touched, and nobody changes a revision: so
the way back is on record at AWS before there is anything to undo.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from controlplane.actions.base import ActionError
from controlplane.actions.vendor import asking, code_of, told

TOKEN, BEFORE, DIGEST = "towpath:token", "towpath:before", "towpath:digest"
OURS = "towpath:"
MOST = 30
"""How many of a family's revisions are looked through, the newest first."""
UNKNOWN = frozenset({"ClientException", "InvalidParameterException"})
"""How ECS answers for a revision that is not there."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One revision of a task definition, as ECS describes it."""

    arn: str
    content: Mapping[str, Any]
    tags: Mapping[str, str]

    @property
    def family(self) -> str:
        """What its revisions are counted in."""
        return str(self.content["family"])

    @property
    def short(self) -> str:
        """Family and revision, such as "shop:7"."""
        return self.arn.rpartition("/")[2]

    @property
    def images(self) -> Mapping[str, str]:
        """Image by container."""
        listed = self.content.get("containerDefinitions", ())
        return {str(one.get("name")): str(one.get("image")) for one in listed}


def read(client: Any, name: str) -> Definition:
    """Read a revision and its tags."""
    with asking(f"read task definition {name.rpartition('/')[2]}"):
        answer = client.describe_task_definition(taskDefinition=name, include=["TAGS"])
    content = told(answer, "taskDefinition")
    tags = {one["key"]: one.get("value", "") for one in answer.get("tags") or ()}
    return Definition(str(content["taskDefinitionArn"]), content, tags)


def active(client: Any, name: str) -> Definition | None:
    """Read a revision that a service can go to; None where somebody took it away."""
    try:
        found = read(client, name)
    except ActionError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and code_of(cause) in UNKNOWN:
            return None
        raise
    return found if found.content.get("status", "ACTIVE") == "ACTIVE" else None


def newest(client: Any, family: str) -> Iterator[Definition]:
    """Read a family's active revisions, the newest first."""
    with asking(f"list the revisions of task definition {family}"):
        answer = client.list_task_definitions(
            familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=MOST
        )
    for arn in told(answer, "taskDefinitionArns"):
        if found := active(client, arn):
            yield found


def register(client: Any, base: Definition, images: Mapping[str, str], tags: dict[str, str]) -> str:
    """Make a revision like `base` but for these images; answers its ARN.

    Whatever of it a new revision takes is kept: botocore's model says what that is.
    """
    unknown = sorted(set(images) - set(base.images))
    if unknown:
        said = f"{base.short} has no container {unknown[0]}: it has {', '.join(base.images)}."
        raise ActionError(said, permanent=True)
    taken = client.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    kept = {key: value for key, value in base.content.items() if key in taken}
    kept["containerDefinitions"] = [
        {**one, "image": images.get(str(one.get("name")), one.get("image"))}
        for one in base.content["containerDefinitions"]
    ]
    foreign = {k: v for k, v in base.tags.items() if not k.startswith((OURS, "aws:"))}
    listed = [{"key": key, "value": value} for key, value in (foreign | tags).items()]
    with asking(f"register a revision of task definition {base.family}"):
        answer = client.register_task_definition(**kept, tags=listed)
    return str(told(answer, "taskDefinition")["taskDefinitionArn"])
