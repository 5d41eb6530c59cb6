"""Source/AWS/ECR: one tag of a repository. A revision is an image digest.

Configuration: RepositoryName, ImageTag (latest); RevisionId is the pinned image digest.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Revision,
    Task,
)
from controlplane.actions.vendor import asking, code_of, need, output_name
from monitors.edge import each_task

DEFAULT_TAG = "latest"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class EcrSource:
    """Names the image that a tag points to now, and resolves a pinned digest into an artifact."""

    purpose = Purpose.WATCH

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def latest(
        self, configuration: Mapping[str, str], account: str, region: str
    ) -> Revision | None:
        """Name the image under the tag; None where there is none."""
        repository = configuration.get("RepositoryName", "")
        tag = configuration.get("ImageTag") or DEFAULT_TAG
        found = self._describe((account, region), repository, {"imageTag": tag})
        if found is None:
            return None
        location = f"{_registry(found, region)}/{repository}"
        return Revision(
            _digest(found, repository), location, f"{repository}:{tag}", found.get("imagePushedAt")
        )

    def start(self, task: Task) -> Progress:
        """Resolve the pinned digest; where nobody pinned one, the image under the tag now."""
        repository = need(task, "RepositoryName")
        tag = task.configuration.get("ImageTag") or DEFAULT_TAG
        pinned = task.configuration.get("RevisionId", "")
        wanted = {"imageDigest": pinned} if pinned else {"imageTag": tag}
        found = self._describe((task.account, task.region), repository, wanted)
        if found is None:
            raise ActionError(
                f"There is no image {pinned or tag} in repository {repository} of {task.account}.",
                permanent=True,
            )
        digest = _digest(found, repository)
        location = f"{_registry(found, task.region)}/{repository}"
        artifact = Artifact(output_name(task), digest, location, "", task.account, task.region)
        return Progress(
            Outcome.SUCCEEDED,
            handle=digest,
            summary=f"{location}@{digest}",
            output={
                "RegistryId": str(found.get("registryId", "")),
                "RepositoryName": repository,
                "ImageTag": tag,
                "ImageDigest": digest,
                "ImageURI": f"{location}@{digest}",
            },
            artifacts=(artifact,),
        )

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Every start ends at once; one whose answer was lost is resolved again."""
        return each_task(tasks, self.start)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _describe(
        self, where: tuple[str, str], repository: str, image: Mapping[str, str]
    ) -> dict[str, Any] | None:
        client = self._clients.client("ecr", *where, self.purpose)
        with asking(f"look up an image of repository {repository} in {where[0]}"):
            try:
                answer = client.describe_images(repositoryName=repository, imageIds=[image])
            except ClientError as error:
                if code_of(error) == "ImageNotFoundException":
                    return None
                raise
        found = answer.get("imageDetails", [])
        return dict(found[0]) if found else None


def _registry(found: Mapping[str, Any], region: str) -> str:
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"{found.get('registryId', '')}.dkr.ecr.{region}.amazonaws.com{suffix}"


def _digest(found: Mapping[str, Any], repository: str) -> str:
    digest = str(found.get("imageDigest", ""))
    if not DIGEST.fullmatch(digest):
        raise ActionError(f"{repository} answered {digest!r} as an image digest.", permanent=True)
    return digest
