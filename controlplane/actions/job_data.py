"""What whoever does a job is told: CodePipeline's own JobData, made of a task.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_JobData.html
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from accounts.base import Registry, Scope
from accounts.lending import Lender, Lent, Objects
from accounts.models import Account
from controlplane.actions.base import ActionError, Artifact, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import partition_of, scope_of
from monitors.base import Store

NOWHERE = "000000000000"
"""The account of an action that has none."""
OURS = frozenset({"Account", "ResultFrom"})
"""Entries of a configuration that are Towpath's own."""
S3 = "s3://"

Location = dict[str, Any]


def home(task: Task, registry: Registry) -> Account | None:
    """Answer the account that a job's artifacts are reached by; None for a job without any."""
    name = task.account or next((one.account for one in task.inputs if one.account), "")
    return registry.get(name) if name else None


def kept_in(task: Task, account: Account | None) -> Store:
    """Answer where a job's artifacts are kept; a store of no name where there is nowhere."""
    if task.store is not None:
        return task.store
    if account is None:
        return Store("")
    return Store(account.artifact_bucket, account.artifact_key or "", account.id)


def outputs(task: Task, account: Account | None) -> list[tuple[str, Place]]:
    """Answer where each output artifact goes: the same place for every job of one action execution."""
    if task.outputs and account is None:
        raise ActionError(
            f"Action {task.action} makes artifacts and has no account to put them into: name one as "
            "Account in its configuration.",
            permanent=True,
        )
    bucket = kept_in(task, account).bucket
    digest = hashlib.blake2s(task.token.encode(), digest_size=8).hexdigest()
    folder = f"jobs/{task.pipeline}/{task.execution}/{digest}"
    return [(name, Place(bucket, f"{folder}/{name}")) for name in task.outputs]


def lent(task: Task, account: Account | None, lender: Lender | None) -> Lent | None:
    """Borrow credentials for a job's artifacts; None where it has none. AccountError, ActionError."""
    if account is None:
        return None
    begin = f"arn:{partition_of(account)}:s3:::"
    reads = [f"{begin}{p.bucket}/{p.key}" for one in task.inputs if (p := _place(one)) is not None]
    writes = [f"{begin}{place.bucket}/{place.key}" for _, place in outputs(task, account)]
    if not (reads or writes):
        return None
    if lender is None:
        raise ActionError("This process has nobody to lend credentials.", permanent=True)
    scope: Scope = scope_of(task)
    objects = Objects(reads, writes, "" if task.store is None else scope.key or "*")
    return lender.lend(account.name, task.region, objects, scope)


def job_data(
    task: Task,
    job: Mapping[str, Any],
    account: Account | None,
    credentials: Lent | None,
    configuration: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the data of a job. job: what is known of it (engine.work).

    configuration: in the place of the task's, where its secrets were opened.
    """
    given = task.configuration if configuration is None else configuration
    data: dict[str, Any] = {
        "actionConfiguration": {
            "configuration": {key: value for key, value in given.items() if key not in OURS}
        },
        "inputArtifacts": [_input(one) for one in task.inputs],
        "outputArtifacts": [
            {"name": name, "location": _location(place)} for name, place in outputs(task, account)
        ],
    }
    if credentials is not None:
        data["artifactCredentials"] = {
            "accessKeyId": credentials.access_key,
            "secretAccessKey": credentials.secret_key,
            "sessionToken": credentials.token,
        }
    if job["continuation"]:
        data["continuationToken"] = job["continuation"]
    if key := kept_in(task, account).key:
        data["encryptionKey"] = {"id": key, "type": "KMS"}
    return data


def event(job: Mapping[str, Any], account: Account | None, data: Mapping[str, Any]) -> Location:
    """Write what a Lambda function is invoked with.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html#action-reference-Lambda-event
    """
    told = {"id": job["id"], "accountId": account.id if account else NOWHERE, "data": dict(data)}
    return {"CodePipeline.job": told}


def _input(artifact: Artifact) -> Location:
    place = _place(artifact)
    written: Location = {"name": artifact.name, "revision": artifact.version or artifact.digest}
    return written if place is None else {**written, "location": _location(place)}


def _place(artifact: Artifact) -> Place | None:
    """Answer where an artifact lies in S3; None for an image."""
    if not artifact.location.startswith(S3):
        return None
    return place_of(artifact.location, artifact.version)


def _location(place: Place) -> Location:
    return {"type": "S3", "s3Location": {"bucketName": place.bucket, "objectKey": place.key}}
