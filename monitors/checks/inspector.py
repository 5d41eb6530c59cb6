"""Amazon Inspector's findings as a check: first whether it has looked, then what it found.

What counts is what the release brought (NewOnly): for an image, what the image of the last known
good digest has not (ecrImageHash); for what is changed in place, what was first observed after the
deployment began, and a scan from before it is waited out (FreshScan "false" takes it and says so).
The pure parts are in inspector_gate and inspector_coverage.
https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.base import Clients
from accounts.models import Purpose
from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.checks.inspector_coverage import MUTABLE, gaps, oldest_scan
from monitors.checks.inspector_evidence import new_findings
from monitors.checks.inspector_gate import (
    Finding,
    Gate,
    Kind,
    counts,
    gate,
    is_of,
    kind,
    sort,
    told,
)
from monitors.edge import asking, declared, each_task
from monitors.pace import pace
from monitors.values import choice, duration, flag, text

IDS = 10
"""Values that one field of a filter takes."""
PAGES = 50
"""Pages (of 100 findings, of 200 covered resources) that are read for one filter."""
COVERAGE_TIMEOUT = timedelta(minutes=45)
"""Inspector has SSM collect an instance's packages every half hour (its programs' libraries every
six hours, and those of an instance without the agent once a day: then this must be longer).
https://docs.aws.amazon.com/inspector/latest/user/scanning-ec2.html
"""
IMAGE = "AWS_ECR_CONTAINER_IMAGE"
TYPES = ("AWS_EC2_INSTANCE", IMAGE, "AWS_LAMBDA_FUNCTION")
"""Resources that findings are of. A repository has none of its own: its images have."""
COVERAGE_TAGS = {
    "AWS_EC2_INSTANCE": "ec2InstanceTags",
    "AWS_LAMBDA_FUNCTION": "lambdaFunctionTags",
}
"""Where ListCoverage looks for a tag."""

Filter = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which resources are asked about, by id or by tag."""

    type: str
    ids: tuple[str, ...]
    tag: tuple[str, str] | None


class InspectorFindings:
    """Waits until the resources are scanned, then judges their findings."""

    def __init__(self, clients: Clients, now: Callable[[], datetime]) -> None:
        self._clients = clients
        self._now = now

    def start(self, task: Task) -> Progress:
        """Read what is wanted; Inspector scans by itself."""
        with declared():
            gate(task.configuration)
            duration(task.configuration, "CoverageTimeout", COVERAGE_TIMEOUT)
            flag(task.configuration, "FreshScan", default=True)
            self._wanted(task)
        return Progress(Outcome.RUNNING, task.token, "waits for Inspector's scan", pace(task))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Judge each task's resources, once all of them are scanned."""
        place = tasks[0]
        with asking(f"ask Inspector in {place.account} ({place.region})"):
            client = self._clients.client("inspector2", place.account, place.region, Purpose.WATCH)

        def one(task: Task) -> Progress:
            with asking(f"ask Inspector in {place.account} ({place.region})"):
                return self._look(client, task)

        return each_task(tasks, one)

    def stop(self, task: Task) -> None:
        """Do nothing: nothing was started."""

    def _look(self, client: Any, task: Task) -> Progress:
        wanted, rule = self._wanted(task), gate(task.configuration)
        rows = _coverage(client, wanted)
        fresh = flag(task.configuration, "FreshScan", default=True)
        missing = gaps(rows, wanted.ids, wanted.type, task.began if fresh else None)
        if missing:
            return self._uncovered(task, missing)
        known = _known(client, task.known_good) if _by_digest(wanted, rule) else frozenset()
        findings = [found for each in _filters(wanted, rule) for found in _findings(client, each)]
        since = (task.began or task.since) if wanted.type in MUTABLE else None
        today = self._now().astimezone(UTC).date()
        found = sort(rule, findings, known, since, today)
        summary = f"{told(rule, found)}; {_scanned(oldest_scan(rows), task.began)}"
        outcome = Outcome.FAILED if found.stopping else Outcome.SUCCEEDED
        listed, whole = _worst(client, wanted)
        seen = new_findings(rule, found, listed, (known, since), today, whole=whole)
        return Progress(outcome, task.token, summary, output={**counts(found), **seen})

    def _uncovered(self, task: Task, missing: Sequence[str]) -> Progress:
        patience = duration(task.configuration, "CoverageTimeout", COVERAGE_TIMEOUT)
        summary = "; ".join(missing)[:1000]
        if task.since is None or self._now() < task.since + patience:
            return Progress(Outcome.RUNNING, task.token, f"waits: {summary}", pace(task))
        waited = f"after {patience.total_seconds():g}s without a scan"
        return Progress(Outcome.FAILED, task.token, f"{summary} ({waited})")

    def _wanted(self, task: Task) -> Wanted:
        """Read the resources; an image may also be the input artifact itself."""
        asked = task.configuration
        kind_of = choice(asked, "ResourceType", TYPES, "")
        ids = [part.strip() for part in asked.get("ResourceIds", "").split(",")]
        if any(ids):
            return Wanted(kind_of, tuple(_id(kind_of, one) for one in ids if one), None)
        if asked.get("TagKey"):
            if kind_of not in COVERAGE_TAGS:
                raise ValueError(f"TagKey: Inspector finds no {kind_of} by tag: use ResourceIds")
            return Wanted(kind_of, (), (asked["TagKey"], text(asked, "TagValue")))
        if kind_of == IMAGE and task.inputs:
            return Wanted(kind_of, (self._image(task),), None)
        raise ValueError("ResourceIds is missing: name the resources, or a TagKey and TagValue")

    def _image(self, task: Task) -> str:
        """Make the id that Inspector gives to the image that is the input artifact."""
        artifact = task.inputs[0]
        registry, _, repository = artifact.location.partition("/")
        with asking("find the account of the image"):
            account = self._clients.registry.get(task.account)
        partition = account.roles.watch.split(":")[1]
        region = registry.split(".")[3] if registry.count(".") > 3 else task.region  # noqa: PLR2004
        where = f"arn:{partition}:ecr:{region}:{account.id}:repository/{repository}"
        return f"{where}/{artifact.digest}"


def _id(kind_of: str, name: str) -> str:
    """Complete a function's ARN: Inspector scans, and names, the version $LATEST."""
    unversioned = kind_of == "AWS_LAMBDA_FUNCTION" and name.count(":") == 6  # noqa: PLR2004
    return f"{name}:$LATEST" if unversioned else name


def _scanned(at: datetime | None, began: datetime | None) -> str:
    """Say on what scan the findings rest: one from before the deployment knows little of it."""
    if at is None:
        return "scanned at no known time"
    early = ", before the deployment" if began and at < began else ""
    return f"scanned {at.astimezone(UTC):%Y-%m-%d %H:%M:%S}{early}"


def _by_digest(wanted: Wanted, rule: Gate) -> bool:
    return rule.new_only and wanted.type not in MUTABLE


def _equals(*values: str) -> list[Filter]:
    return [{"comparison": "EQUALS", "value": value} for value in values]


def _places(wanted: Wanted, id_field: str, tag_field: str) -> list[Filter]:
    """Make the part of a filter that names the resources, ten ids a request."""
    kind_of = {"resourceType": _equals(wanted.type)}
    if wanted.tag:
        key, value = wanted.tag
        return [{**kind_of, tag_field: [{"comparison": "EQUALS", "key": key, "value": value}]}]
    parts = range(0, len(wanted.ids), IDS)
    return [{**kind_of, id_field: _equals(*wanted.ids[at : at + IDS])} for at in parts]


def _coverage(client: Any, wanted: Wanted) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for each in _places(wanted, "resourceId", COVERAGE_TAGS.get(wanted.type, "")):
        rows += _pages(client.list_coverage, "coveredResources", 200, each)
    return rows


def _filters(wanted: Wanted, rule: Gate) -> list[Filter]:
    narrowed = {
        "findingStatus": _equals("ACTIVE"),
        "severity": _equals(*rule.severities),
        **({"fixAvailable": _equals("YES", "PARTIAL")} if rule.fix_available else {}),
        **({"exploitAvailable": _equals("YES")} if rule.exploit else {}),
    }
    return [{**each, **narrowed} for each in _places(wanted, "resourceId", "resourceTags")]


def _worst(client: Any, wanted: Wanted) -> tuple[list[Finding], bool]:
    """The worst active findings of any severity, a page for each filter; False where there are more."""
    found: list[Finding] = []
    whole = True
    for place in _places(wanted, "resourceId", "resourceTags"):
        answer = client.list_findings(
            maxResults=100,
            filterCriteria={**place, "findingStatus": _equals("ACTIVE")},
            sortCriteria={"field": "SEVERITY", "sortOrder": "DESC"},
        )
        found += answer.get("findings", ())
        whole = whole and not answer.get("nextToken")
    return found, whole


def _known(client: Any, digest: str) -> frozenset[Kind]:
    """Read what the image of the last known good digest is known to have; nothing where none is."""
    if not digest:
        return frozenset()
    findings = _findings(client, {"ecrImageHash": _equals(digest)})
    return frozenset(kind(finding) for finding in findings if is_of(finding, digest))


def _findings(client: Any, filters: Filter) -> list[Finding]:
    return _pages(client.list_findings, "findings", 100, filters)


def _pages(call: Any, key: str, size: int, filters: Filter) -> list[Mapping[str, Any]]:
    """Read all pages or none: half of the findings are no clean bill for the other half."""
    found: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(PAGES):
        answer = call(maxResults=size, filterCriteria=filters, **token)
        found += answer.get(key, ())
        if not answer.get("nextToken"):
            return found
        token = {"nextToken": answer["nextToken"]}
    raise MonitorError(
        f"Inspector has more than {PAGES * size} {key} for this check: narrow it by FailOn or "
        f"ResourceIds",
        permanent=True,
    )
