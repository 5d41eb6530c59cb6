"""Finding, reading and explaining builds of CodeBuild: single ones and batches, by one literal table.

StartBuild takes a token of ours, but remembers it for five minutes only. So the token is in the build's
environment as well, where it is found as long as CodeBuild keeps the build (a year): `find`.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from accounts.base import Clients, Scope
from accounts.models import Purpose
from accounts.redact import redacted
from controlplane.actions.base import ActionError, Task
from controlplane.actions.build_words import TOKEN
from controlplane.actions.codebuild_request import is_batch
from controlplane.actions.vendor import asking, need, partition_of, scope_of, told

BATCH = 100
PAGES = 20
"""Of up to 100 ids."""
SKEW = timedelta(minutes=15)
"""Our clock and CodeBuild's may differ."""
SOONEST, LATEST_LOOK = 1.0, 15.0
FIRST_LOOK = timedelta(seconds=SOONEST)
RUNNING, GOOD = "IN_PROGRESS", "SUCCEEDED"
BAD = frozenset({"FAILED", "FAULT", "TIMED_OUT", "STOPPED"})
CONTEXTS = 3

Build = Mapping[str, Any]
"""A Build, or a BuildBatch, as CodeBuild answers it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of build is spelt: its calls, and the fields of their answers.

    ordered: its list is known to begin with the newest.
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html
    """

    start: str
    stop: str
    read: str
    list: str
    one: str
    many: str
    lost: str
    status: str
    page: str
    ordered: bool


BUILD = Kind(
    start="start_build",
    stop="stop_build",
    read="batch_get_builds",
    list="list_builds_for_project",
    one="build",
    many="builds",
    lost="buildsNotFound",
    status="buildStatus",
    page="build",
    ordered=True,
)
BUILD_BATCH = Kind(
    start="start_build_batch",
    stop="stop_build_batch",
    read="batch_get_build_batches",
    list="list_build_batches_for_project",
    one="buildBatch",
    many="buildBatches",
    lost="buildBatchesNotFound",
    status="buildBatchStatus",
    page="batch",
    ordered=False,
)


@dataclass(frozen=True, slots=True)
class Project:
    """A build project, which kind of build is asked of it, and with which rights we act on it."""

    client: Any
    kind: Kind
    account: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.account}"


def kind_of(task: Task) -> Kind:
    """Which kind of build a task is about."""
    return BUILD_BATCH if is_batch(task) else BUILD


def project_of(clients: Clients, task: Task, purpose: Purpose, default: str = "") -> Project:
    """Answer the project a task is about, with a session narrowed to it. default: where it names none."""
    name = task.configuration.get("ProjectName") or default or need(task, "ProjectName")
    account = clients.registry.get(task.account)
    arn = f"arn:{partition_of(account)}:codebuild:{task.region}:{account.id}:project/{name}"
    scope = scope_of(task, (arn,))
    client = clients.client("codebuild", task.account, task.region, purpose, scope)
    return Project(client, kind_of(task), task.account, name)


def reader(clients: Clients, task: Task) -> Any:
    """Answer a client for looking at many builds of an account: not narrowed to one project."""
    return clients.client("codebuild", task.account, task.region, Purpose.WATCH, Scope())


def read(client: Any, kind: Kind, ids: Sequence[str]) -> dict[str, Build | None]:
    """Read builds by id, 100 a call; None for those that CodeBuild says it does not know."""
    found: dict[str, Build | None] = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), BATCH):
        with asking("read builds"):
            answer = getattr(client, kind.read)(ids=wanted[start : start + BATCH])
        found |= {str(one["id"]): one for one in told(answer, kind.many)}
        found |= {str(one): None for one in answer.get(kind.lost, ()) if one not in found}
    return found


def find(project: Project, token: str, since: datetime | None) -> Build | None:
    """Find the build that was started under a token since a time; None where there is none.

    The oldest, where there are more: whoever retries a build by hand hands our token on.
    """
    carrying = [one for one in _listed(project, since) if carries(one, token)]
    return min(carrying, key=_started, default=None)


def carries(build: Build, token: str) -> bool:
    """Say whether a build was started under the token."""
    variables = build.get("environment", {}).get("environmentVariables", ())
    return bool(token) and any(
        one.get("name") == TOKEN and one.get("value") == token for one in variables
    )


def _listed(project: Project, since: datetime | None) -> Iterator[Build]:
    """The project's builds since a time; every page is read where its order is not known."""
    # With sortOrder CodeBuild refuses the second page: https://github.com/aws/aws-cli/issues/5863
    more: dict[str, str] = {}
    oldest = since - SKEW if since else None
    for _ in range(PAGES):
        with asking(f"list the builds of {project}"):
            answer = getattr(project.client, project.kind.list)(projectName=project.name, **more)
        ids = told(answer, "ids")
        builds = [one for one in read(project.client, project.kind, ids).values() if one]
        recent = [one for one in builds if oldest is None or _started(one) >= oldest]
        yield from recent
        older = project.kind.ordered and len(recent) < len(builds)
        if older or not answer.get("nextToken"):
            return
        more = {"nextToken": answer["nextToken"]}
    said = f"{project} has more than {PAGES * BATCH} builds: whether ours began cannot be told"
    raise ActionError(said, permanent=True)


def _started(build: Build) -> datetime:
    """When it began; one that does not say so may be ours."""
    begun: datetime | None = build.get("startTime")
    return begun or datetime.max.replace(tzinfo=UTC)


def why(build: Build, kind: Kind) -> str:
    """Say how a build ended, with what its failed phases tell, without what looks like a credential."""
    status = build.get(kind.status, "")
    said = [
        f"{phase.get('phaseType', '')}: {one.get('statusCode', '')} {one.get('message', '')}".strip()
        for phase in build.get("phases", ())
        if phase.get("phaseStatus") in BAD
        for one in phase.get("contexts", ())
        if one.get("message") or one.get("statusCode")
    ]
    phases = [
        str(phase.get("phaseType", ""))
        for phase in build.get("phases", ())
        if phase.get("phaseStatus") in BAD
    ]
    cause = "; ".join(said[:CONTEXTS]) or (f"in {phases[0]}" if phases else "")
    return f"{build['id']} is {status}" + (f": {redacted(cause)}" if cause else "")


def phase_of(build: Build) -> str:
    """Say which phase a build is in."""
    return str(build.get("currentPhase", "") or "SUBMITTED")


def url(clients: Clients, task: Task, kind: Kind, build: Build) -> str:
    """Answer the page of its log, or its own page in the AWS console before there is a log."""
    logs = build.get("logs", {})
    link = str(logs.get("deepLink", ""))
    if logs.get("groupName") and link.startswith("https://"):
        return link
    project = quote(str(build.get("projectName", "")), safe="")
    known, id_ = clients.registry.get(task.account).id, quote(str(build["id"]), safe="")
    host = f"https://{task.region}.console.aws.amazon.com/codesuite/codebuild"
    return f"{host}/{known}/projects/{project}/{kind.page}/{id_}?region={task.region}"


def look_after(task: Task, build: Build) -> timedelta:
    """Look again after a twentieth of its age, 1 s to 15 s: so we add at most 5 % to its length."""
    begun = build.get("startTime")
    age = (task.now - begun).total_seconds() if begun and task.now else 0.0
    return timedelta(seconds=min(max(age / 20, SOONEST), LATEST_LOOK))


def outputs_of(build: Build) -> dict[str, Build]:
    """Where its artifacts lie, by their identifier; "" is the primary one."""
    primary = build.get("artifacts") or {}
    others = {
        str(one.get("artifactIdentifier", "")): one for one in build.get("secondaryArtifacts", ())
    }
    return {**({"": primary} if primary else {}), **others}
