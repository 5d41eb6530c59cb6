"""Deploy/Custom/ECRPromote: copy the input image, by digest, into a repository of the account.

Configuration: RepositoryName (the target's). Manifests go over byte for byte, children before
lists, so the digest stays; layers that are there already are not sent. Every look re-reads what is
missing and sends at most 64 MiB, so nothing is lost by a restart. handle: the layer that is under
way. The copy is tagged, or a lifecycle rule for untagged images would delete what is deployed.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import httpx
from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Task,
)
from controlplane.actions.ecr_layers import BUDGET, THERE, Ends, Upload, missing, send
from controlplane.actions.ecr_manifest import ACCEPTED, Manifest, parse
from controlplane.actions.vendor import (
    asking,
    code_of,
    need,
    one_input,
    output_name,
    partition_of,
    scope_of,
)
from monitors.edge import each_task

SOON = timedelta(milliseconds=200)
BEGUN = "manifests"
LOCATION = re.compile(
    r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9][a-z0-9._/-]*)"
)
NESTED = 2
"""A list in a list in a list is somebody's joke."""


class EcrPromote:
    """Promotes an image between registries, with the target account's role.

    The source repository's own policy must let that role pull.
    """

    purpose = Purpose.DEPLOY
    side_by_side = 4  # layers of gigabytes pass through

    def __init__(self, clients: Clients, http: httpx.Client, budget: int = BUDGET) -> None:
        """Take the clients that act in accounts, and what downloads layers."""
        self._clients = clients
        self._http = http
        self._budget = budget

    def start(self, task: Task) -> Progress:
        """Done at once where the image is there; else send the first layers. Never starts twice."""
        return self._go_on(task)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Send some more of each."""
        return each_task(tasks, self._go_on)

    def stop(self, task: Task) -> None:
        """ECR forgets an upload that is not completed."""

    def _go_on(self, task: Task) -> Progress:
        artifact, repository = one_input(task), need(task, "RepositoryName")
        ends = self._ends(task, artifact, repository)
        with asking(f"promote {artifact.location}@{artifact.digest} to {task.account}"):
            if _fetch(ends.target, repository, artifact.digest) is not None:
                return self._done(task, artifact, repository)
            manifests = list(_manifests(ends, artifact.digest))
            begun = Upload.read(task.handle)
            for manifest in manifests:
                for layer in missing(ends, manifest.blobs):
                    same = begun if begun and begun.layer == layer else None
                    under_way = send(ends, layer, same)
                    text = f"sending {layer[:19]} to {repository} in {task.account}"
                    handle = str(under_way) if under_way else BEGUN
                    return Progress(Outcome.RUNNING, handle, text, SOON)
            for manifest in manifests:
                _put(ends, manifest, tag=manifest.digest == artifact.digest)
        return self._done(task, artifact, repository)

    def _ends(self, task: Task, artifact: Artifact, repository: str) -> Ends:
        found = LOCATION.fullmatch(artifact.location)
        if found is None:
            raise ActionError(
                f"{artifact.location!r} is not a repository of an ECR registry.", permanent=True
            )
        registry, region, source = found.groups()
        account = self._clients.registry.get(task.account)
        arn = f"arn:{partition_of(account)}:ecr"
        target = f"{arn}:{task.region}:{account.id}:repository/{repository}"
        scope = scope_of(task, (target, f"{arn}:{region}:{registry}:repository/{source}"))
        return Ends(
            self._clients.client("ecr", task.account, region, self.purpose, scope),
            registry,
            source,
            self._clients.client("ecr", task.account, task.region, self.purpose, scope),
            repository,
            self._http,
            budget=self._budget,
        )

    def _done(self, task: Task, artifact: Artifact, repository: str) -> Progress:
        account = self._clients.registry.get(task.account)
        suffix = ".cn" if task.region.startswith("cn-") else ""
        registry = f"{account.id}.dkr.ecr.{task.region}.amazonaws.com{suffix}"
        copied = Artifact(
            output_name(task),
            artifact.digest,
            f"{registry}/{repository}",
            "",
            task.account,
            task.region,
        )
        uri = f"{copied.location}@{artifact.digest}"
        output = {"RepositoryName": repository, "ImageDigest": artifact.digest, "ImageURI": uri}
        return Progress(
            Outcome.SUCCEEDED, BEGUN, f"{uri} is there", output=output, artifacts=(copied,)
        )


def _fetch(
    client: Any, repository: str, digest: str, registry: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any] | None:
    answer = client.batch_get_image(
        **registry,
        repositoryName=repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=list(ACCEPTED),
    )
    images = answer.get("images", [])
    return dict(images[0]) if images else None


def _manifests(ends: Ends, digest: str, depth: int = 0) -> Iterator[Manifest]:
    """Read the image's manifests, children before the list that names them."""
    registry = {"registryId": ends.registry}
    found = _fetch(ends.source, ends.source_repository, digest, registry)
    if found is None or depth > NESTED:
        raise ActionError(
            f"{ends.source_repository} has no image {digest} (any more): it can not be promoted.",
            permanent=True,
        )
    manifest = parse(digest, found["imageManifest"], found.get("imageManifestMediaType", ""))
    for child in manifest.children:
        yield from _manifests(ends, child, depth + 1)
    yield manifest


def _put(ends: Ends, manifest: Manifest, *, tag: bool) -> None:
    named = {"imageTag": f"towpath-{manifest.digest[7:23]}"} if tag else {}
    kind = {"imageManifestMediaType": manifest.media_type} if manifest.media_type else {}
    try:
        ends.target.put_image(
            repositoryName=ends.target_repository,
            imageManifest=manifest.text,
            imageDigest=manifest.digest,
            **kind,
            **named,
        )
    except ClientError as error:
        if code_of(error) not in THERE:
            raise
