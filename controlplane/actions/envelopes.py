"""EventBridge envelopes from a queue, read with distrust: bounded before they are parsed.

Only what names a new revision, or how a deployment stands, comes out; everything else is refused
with a reason.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.actions.base import Revision

LARGEST = 256 * 1024
"""Bytes; EventBridge sends no more."""
DEEPEST = 32
"""Brackets within brackets; real envelopes have five."""
LONGEST = 1024
"""Of one name; an S3 key has at most 1,024 bytes."""
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ACCOUNT = re.compile(r"[0-9]{12}")
COMMIT = re.compile(r"[0-9a-f]{40}")
HEADS = "refs/heads/"
MOVED = frozenset({"referenceCreated", "referenceUpdated"})
DEPLOYMENT = re.compile(r"d-[A-Za-z0-9]{1,64}")
BUILD = re.compile(
    r"arn:aws[a-z-]*:codebuild:(?P<region>[a-z0-9-]{1,40}):(?P<account>[0-9]{12}):build/"
    r"(?P<id>[A-Za-z0-9][A-Za-z0-9_-]{1,254}:[0-9a-f-]{36})"
)
BUILD_ENDS: Mapping[str, bool] = {
    "IN_PROGRESS": False,
    "SUCCEEDED": True,
    "FAILED": True,
    "FAULT": True,
    "STOPPED": True,
    "TIMED_OUT": True,
}
"""As ENDS, of a build of CodeBuild."""
ENDS: Mapping[str, bool] = {
    "START": False,
    "READY": False,
    "SUCCESS": True,
    "FAILURE": True,
    "STOP": True,
}
"""States that CodeDeploy tells, and whether a deployment has ended with it."""


class EnvelopeError(Exception):
    """Not an event that is for us; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived: configuration entries that a source action of the provider must have.

    account: the AWS account id in which it happened, "" where the envelope does not say.
    """

    provider: str
    account: str
    matches: Mapping[str, str]
    revision: Revision


@dataclass(frozen=True, slots=True)
class Change:
    """A deployment of CodeDeploy began, or ended, in an account (its AWS id) and region; or a build did.

    handle: its id. deployment: it is one, and no build.
    """

    account: str
    region: str
    handle: str
    ended: bool
    deployment: bool = True


def read(body: str) -> Arrival | Change:
    """Read one message body; EnvelopeError for everything that is not for us."""
    envelope = _parse(body)
    kind = (envelope.get("source"), envelope.get("detail-type"))
    reader = READERS.get(kind) if all(isinstance(word, str) for word in kind) else None
    if reader is None:
        raise EnvelopeError("no event for us")
    account = envelope.get("account", "")
    if not isinstance(account, str) or (account and not ACCOUNT.fullmatch(account)):
        raise EnvelopeError("no account id")
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise EnvelopeError("no detail")
    return reader(account, _time(envelope.get("time")), detail)


def _parse(body: str) -> dict[str, Any]:
    if len(body) > LARGEST or len(body.encode("utf-8", "replace")) > LARGEST:
        raise EnvelopeError("too large")
    if _depth(body) > DEEPEST:
        raise EnvelopeError("nested too deeply")
    try:
        envelope = json.loads(body, parse_constant=_no_constant)
    except ValueError:
        raise EnvelopeError("no JSON") from None
    if not isinstance(envelope, dict):
        raise EnvelopeError("no envelope")
    return envelope


def _depth(body: str) -> int:
    """How deep brackets go, those in strings left out; json.loads recurses as deep."""
    depth = deepest = 0
    for letter in _brackets(body):
        depth += 1 if letter in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _brackets(body: str) -> Iterator[str]:
    return (letter for letter in STRINGS.sub("", body) if letter in "[]{}")


def _no_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _text(detail: Mapping[str, Any], *path: str) -> str:
    """Answer the text at a path of keys; EnvelopeError where there is none, or a monstrous one."""
    value: Any = detail
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise EnvelopeError(f"no {path[-1]}")
    return value


def _s3(account: str, at: datetime | None, detail: Mapping[str, Any]) -> Arrival:
    # Unlike in S3's own notifications, the key is not URL-encoded.
    bucket, key = _text(detail, "bucket", "name"), _text(detail, "object", "key")
    version = _text(detail, "object", "version-id")
    revision = Revision(version, f"s3://{bucket}/{key}", at=at)
    return Arrival("S3", account, {"S3Bucket": bucket, "S3ObjectKey": key}, revision)


def _ecr(account: str, at: datetime | None, detail: Mapping[str, Any]) -> Arrival:
    if (detail.get("action-type"), detail.get("result")) != ("PUSH", "SUCCESS"):
        raise EnvelopeError("no push that succeeded")
    repository, digest = _text(detail, "repository-name"), _text(detail, "image-digest")
    tag = _text(detail, "image-tag")  # the layers of a manifest list are pushed without one
    if not DIGEST.fullmatch(digest):
        raise EnvelopeError("no image digest")
    revision = Revision(digest, repository, f"{repository}:{tag}", at)
    return Arrival("ECR", account, {"RepositoryName": repository, "ImageTag": tag}, revision)


def _codecommit(account: str, at: datetime | None, detail: Mapping[str, Any]) -> Arrival:
    if detail.get("event") not in MOVED or detail.get("referenceType") != "branch":
        raise EnvelopeError("no branch that moved")
    repository, branch = _text(detail, "repositoryName"), _text(detail, "referenceName")
    commit = _text(detail, "commitId")
    if not COMMIT.fullmatch(commit):
        raise EnvelopeError("no commit id")
    matches = {"RepositoryName": repository, "BranchName": branch}
    revision = Revision(commit, repository, f"{repository} {branch}", at, f"{HEADS}{branch}")
    return Arrival("CodeCommit", account, matches, revision)


def _codedeploy(account: str, _at: datetime | None, detail: Mapping[str, Any]) -> Change:
    deployment, state = _text(detail, "deploymentId"), _text(detail, "state")
    if not account:
        raise EnvelopeError("no account id")
    if state not in ENDS:
        raise EnvelopeError("no state that a deployment has")
    if not DEPLOYMENT.fullmatch(deployment):
        raise EnvelopeError("no deployment id")
    return Change(account, _text(detail, "region"), deployment, ENDS[state])


def _codebuild(account: str, _at: datetime | None, detail: Mapping[str, Any]) -> Change:
    found, status = BUILD.fullmatch(_text(detail, "build-id")), _text(detail, "build-status")
    if status not in BUILD_ENDS:
        raise EnvelopeError("no state that a build has")
    if found is None or found["account"] != account:
        raise EnvelopeError("no build id")
    return Change(account, found["region"], found["id"], BUILD_ENDS[status], deployment=False)


Reader = Callable[[str, datetime | None, Mapping[str, Any]], Arrival | Change]
READERS: Mapping[Any, Reader] = {
    ("aws.s3", "Object Created"): _s3,
    ("aws.ecr", "ECR Image Action"): _ecr,
    ("aws.codecommit", "CodeCommit Repository State Change"): _codecommit,
    ("aws.codedeploy", "CodeDeploy Deployment State-change Notification"): _codedeploy,
    ("aws.codebuild", "CodeBuild Build State Change"): _codebuild,
}
"""(source, detail-type) -> what it names. Everything else is not for us."""
