"""What the Elastic Beanstalk drivers share: an environment, the versions of its application, and how it stands.

A version's label is ours to choose and is taken once, so it is the token: "TOKEN.DIGEST". Its description says
what stood before it; both are written before the environment is touched.
https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_CreateApplicationVersion.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.s3_content import Place
from controlplane.actions.vendor import asking, message_of, need, partition_of, scope_of, told

BEFORE = "towpath, after "
LONGEST_LABEL = 100
PAGES = 10
EVENTS = 100
STARTS = "Environment update is starting"
DONE = "Environment update completed successfully"
BAD = frozenset({"ERROR", "FATAL"})
LOOK = timedelta(seconds=10)
LONGEST = 1200

Info = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment by its name, and with which rights we act on it."""

    client: Any
    account: str
    region: str
    application: str
    name: str

    def __str__(self) -> str:
        return f"environment {self.application}/{self.name} in {self.account}"

    @property
    def url(self) -> str:
        """Its page in the AWS console."""
        host = f"{self.region}.console.aws.amazon.com/elasticbeanstalk/home"
        named = f"applicationName={self.application}&environmentName={self.name}"
        return f"https://{host}?region={self.region}#/environment/dashboard?{named}"


def environment_of(clients: Clients, task: Task, purpose: Purpose) -> Environment:
    """Answer the environment that a task is about, with a session narrowed to it and its versions."""
    application, name = need(task, "ApplicationName"), need(task, "EnvironmentName")
    account = clients.registry.get(task.account)
    where = f"arn:{partition_of(account)}:elasticbeanstalk:{task.region}:{account.id}"
    named = (
        f"{where}:application/{application}",
        f"{where}:applicationversion/{application}/*",
        f"{where}:environment/{application}/{name}",
    )
    scope = scope_of(task, named)
    client = clients.client("elasticbeanstalk", task.account, task.region, purpose, scope)
    return Environment(client, task.account, task.region, application, name)


def label_of(token: str, digest: str) -> str:
    """Name the version that a token makes of an artifact."""
    return f"{token}.{digest.removeprefix('sha256:')}"[:LONGEST_LABEL]


def digest_in(label: str) -> str:
    """Read the digest out of a label of ours; "" where it is none."""
    token, _, digest = label.rpartition(".")
    return f"sha256:{digest}" if token.startswith("tp-") else ""


def before_of(version: Info) -> str:
    """Read what stood before a version of ours; "" where it does not say."""
    said = str(version.get("Description", ""))
    return said.removeprefix(BEFORE) if said.startswith(BEFORE) else ""


def read(environment: Environment) -> Info:
    """Describe the environment; ActionError (permanent) where there is none."""
    with asking(f"read {environment}"):
        answer = environment.client.describe_environments(
            ApplicationName=environment.application,
            EnvironmentNames=[environment.name],
            IncludeDeleted=False,
        )
    found = told(answer, "Environments")
    if not found:
        raise ActionError(f"There is no {environment}.", permanent=True)
    return dict(found[0])


def runs(info: Info) -> str:
    """The label of the version that an environment runs; "" where it runs its sample."""
    return str(info.get("VersionLabel") or "")


def refuse_busy(environment: Environment, info: Info) -> None:
    """Raise where something is under way: an environment takes one update at a time."""
    if info["Status"] != "Ready":
        raise ActionError(f"waiting for {environment}, which is {info['Status']}")


def versions(environment: Environment, labels: tuple[str, ...] = ()) -> list[Info]:
    """Read the versions with these labels, or all, the newest first."""
    more: dict[str, Any] = {"VersionLabels": list(labels)} if labels else {}
    found: list[Info] = []
    for _ in range(PAGES):
        with asking(f"list the versions that {environment} may run"):
            answer = environment.client.describe_application_versions(
                ApplicationName=environment.application, **more
            )
        found += told(answer, "ApplicationVersions")
        if not answer.get("NextToken"):
            break
        more = {**more, "NextToken": answer["NextToken"]}
    return sorted(found, key=lambda one: one["DateCreated"], reverse=True)


def create(environment: Environment, label: str, place: Place, before: str) -> None:
    """Make a version of a bundle in S3; one that is there already under this label is ours."""
    with asking(f"create version {label} of application {environment.application}"):
        try:
            environment.client.create_application_version(
                ApplicationName=environment.application,
                VersionLabel=label,
                Description=f"{BEFORE}{before}",
                SourceBundle={"S3Bucket": place.bucket, "S3Key": place.key},
                AutoCreateApplication=False,
            )
        except ClientError as error:
            if "already exists" not in message_of(error):
                raise


def update(environment: Environment, label: str) -> Progress:
    """Let the environment go to a version, and nothing else of it."""
    with asking(f"update {environment}"):
        environment.client.update_environment(
            ApplicationName=environment.application,
            EnvironmentName=environment.name,
            VersionLabel=label,
        )
    return begun(environment, label)


def begun(environment: Environment, label: str) -> Progress:
    """Report that an update began."""
    output = {"VersionLabel": label}
    text = f"{environment} goes to {label}"
    return Progress(Outcome.RUNNING, label, text, LOOK, environment.url, output=output)


def events(environment: Environment, since: datetime | None) -> list[Info]:
    """Read what Elastic Beanstalk says of the environment since then, the newest first."""
    named = {"ApplicationName": environment.application, "EnvironmentName": environment.name}
    asked: dict[str, Any] = {**named, "MaxRecords": EVENTS}
    with asking(f"read the events of {environment}"):
        answer = environment.client.describe_events(
            **asked, **({"StartTime": since} if since else {})
        )
    return list(told(answer, "Events"))


def begins(told_of: list[Info]) -> int:
    """How many updates were begun among these events."""
    return sum(str(one.get("Message", "")).startswith(STARTS) for one in told_of)


def under_way(environment: Environment, info: Info, ours: Info) -> bool:
    """The update to a version of ours runs now, and nobody else's: none was begun after it."""
    if info["Status"] == "Ready" or runs(info) not in (before_of(ours), ours["VersionLabel"]):
        return False
    return begins(events(environment, ours["DateCreated"])) == 1


def abort(environment: Environment) -> None:
    """Give the update up that is under way; Elastic Beanstalk then goes back by itself."""
    with asking(f"abort the update of {environment}"):
        environment.client.abort_environment_update(EnvironmentName=environment.name)


def fault_of(told_of: list[Info]) -> str:
    """What went wrong with the newest update; "" where it did well or nobody says."""
    for one in told_of:
        message = str(one.get("Message", ""))
        if one.get("Severity") in BAD:
            return message or "it failed"
        if message.startswith((DONE, STARTS)):
            return ""
    return ""


def progress(environment: Environment, info: Info, label: str, since: datetime | None) -> Progress:
    """Report how an update to a version stands. since: when its version was made, or the work began."""
    status = str(info["Status"])
    heard = events(environment, since)
    newest = str(heard[0].get("Message", "")) if heard else ""
    if status not in ("Ready", "Terminating", "Terminated"):
        return _told(environment, Outcome.RUNNING, label, f"{status}: {newest}")
    fault = fault_of(heard)
    if status == "Ready" and runs(info) == label:
        outcome = Outcome.FAILED if fault else Outcome.SUCCEEDED
        return _told(environment, outcome, label, fault or f"health {info.get('Health', 'Grey')}")
    if not begins(heard) and status == "Ready":  # it takes a moment until it says so
        raise ActionError(f"{environment} shows no update to {label} yet")
    said = f"{status}, and runs {runs(info) or 'its sample'}: {fault or newest}"
    return _told(environment, Outcome.FAILED, label, said)


def _told(environment: Environment, outcome: Outcome, label: str, said: str) -> Progress:
    text, output = f"{environment} {label}: {said}", {"VersionLabel": label}
    return Progress(outcome, label, text[:LONGEST], LOOK, environment.url, output=output)
