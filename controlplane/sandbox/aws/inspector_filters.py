"""Inspector's filter criteria, on findings and on coverage. Pure.

One list of conditions for each criterion: EQUALS and PREFIX are alternatives, every NOT_EQUALS
must hold; all criteria must hold. A criterion that is not in the table is refused, never ignored.
https://docs.aws.amazon.com/inspector/v2/APIReference/API_FilterCriteria.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Path = tuple[str, ...]

FINDINGS: dict[str, Path] = {
    "awsAccountId": ("awsAccountId",),
    "ec2InstanceImageId": ("resources", "details", "awsEc2Instance", "imageId"),
    "ecrImageArchitecture": ("resources", "details", "awsEcrContainerImage", "architecture"),
    "ecrImageHash": ("resources", "details", "awsEcrContainerImage", "imageHash"),
    "ecrImagePushedAt": ("resources", "details", "awsEcrContainerImage", "pushedAt"),
    "ecrImageRegistry": ("resources", "details", "awsEcrContainerImage", "registry"),
    "ecrImageRepositoryName": ("resources", "details", "awsEcrContainerImage", "repositoryName"),
    "ecrImageTags": ("resources", "details", "awsEcrContainerImage", "imageTags"),
    "epssScore": ("epss", "score"),
    "exploitAvailable": ("exploitAvailable",),
    "findingArn": ("findingArn",),
    "findingStatus": ("status",),
    "findingType": ("type",),
    "firstObservedAt": ("firstObservedAt",),
    "fixAvailable": ("fixAvailable",),
    "inspectorScore": ("inspectorScore",),
    "lambdaFunctionName": ("resources", "details", "awsLambdaFunction", "functionName"),
    "lambdaFunctionRuntime": ("resources", "details", "awsLambdaFunction", "runtime"),
    "lastObservedAt": ("lastObservedAt",),
    "relatedVulnerabilities": ("packageVulnerabilityDetails", "relatedVulnerabilities"),
    "resourceId": ("resources", "id"),
    "resourceTags": ("resources", "tags"),
    "resourceType": ("resources", "type"),
    "severity": ("severity",),
    "title": ("title",),
    "updatedAt": ("updatedAt",),
    "vendorSeverity": ("packageVulnerabilityDetails", "vendorSeverity"),
    "vulnerabilityId": ("packageVulnerabilityDetails", "vulnerabilityId"),
    "vulnerabilitySource": ("packageVulnerabilityDetails", "source"),
}
"""Where a criterion's value stands in a finding."""

COVERAGE: dict[str, Path] = {
    "accountId": ("accountId",),
    "ec2InstanceTags": ("resourceMetadata", "ec2", "tags"),
    "ecrImageTags": ("resourceMetadata", "ecrImage", "tags"),
    "ecrRepositoryName": ("resourceMetadata", "ecrRepository", "name"),
    "lambdaFunctionName": ("resourceMetadata", "lambdaFunction", "functionName"),
    "lambdaFunctionRuntime": ("resourceMetadata", "lambdaFunction", "runtime"),
    "lambdaFunctionTags": ("resourceMetadata", "lambdaFunction", "functionTags"),
    "lastScannedAt": ("lastScannedAt",),
    "resourceId": ("resourceId",),
    "resourceType": ("resourceType",),
    "scanMode": ("scanMode",),
    "scanStatusCode": ("scanStatus", "statusCode"),
    "scanStatusReason": ("scanStatus", "reason"),
    "scanType": ("scanType",),
}
"""Where a criterion's value stands in a covered resource."""


class UnknownCriterionError(ValueError):
    """A criterion that the sandbox does not know."""


def matching(
    items: Iterable[Mapping[str, Any]],
    criteria: Mapping[str, Sequence[Mapping[str, Any]]] | None,
    table: Mapping[str, Path],
) -> list[Mapping[str, Any]]:
    """Answer the items that meet all criteria. Raises UnknownCriterionError."""
    wanted = {name: conditions for name, conditions in (criteria or {}).items() if conditions}
    for name in wanted:
        if name not in table:
            raise UnknownCriterionError(f"The sandbox's Inspector does not filter by {name}.")
    return [
        item
        for item in items
        if all(_meets(_values(item, table[name]), each) for name, each in wanted.items())
    ]


def _values(item: Any, path: Path) -> list[Any]:
    found = [item]
    for name in path:
        inner = [each.get(name) for each in found if isinstance(each, Mapping)]
        found = [x for each in inner for x in (each if isinstance(each, list) else [each])]
    return [each for each in found if each is not None]


def _meets(values: list[Any], conditions: Sequence[Mapping[str, Any]]) -> bool:
    denials = [each for each in conditions if each.get("comparison") == "NOT_EQUALS"]
    choices = [each for each in conditions if each.get("comparison") != "NOT_EQUALS"]
    if any(_holds(value, {**each, "comparison": "EQUALS"}) for each in denials for value in values):
        return False
    return not choices or any(_holds(value, each) for each in choices for value in values)


def _holds(value: Any, condition: Mapping[str, Any]) -> bool:
    if "startInclusive" in condition or "endInclusive" in condition:
        return _within(_time(value), condition, "startInclusive", "endInclusive", _time)
    if "lowerInclusive" in condition or "upperInclusive" in condition:
        return _within(float(value), condition, "lowerInclusive", "upperInclusive", float)
    if "key" in condition:
        return isinstance(value, Mapping) and _has_tag(value, condition)
    if condition.get("comparison") == "PREFIX":
        return str(value).startswith(str(condition["value"]))
    return bool(str(value) == str(condition.get("value")))


def _has_tag(tags: Mapping[str, str], condition: Mapping[str, Any]) -> bool:
    key = condition["key"]
    return key in tags and condition.get("value") in (None, tags[key])


def _within(
    value: Any, condition: Mapping[str, Any], low: str, high: str, read: Callable[[Any], Any]
) -> bool:
    first, last = condition.get(low), condition.get(high)
    return bool((first is None or read(first) <= value) and (last is None or value <= read(last)))


def _time(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)
