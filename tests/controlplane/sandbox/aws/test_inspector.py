"""Inspector answers the findings and the coverage that were put in, as they are asked for."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.aws.inspector import put_coverage, put_findings
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.conftest import REGION, ClientOf

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def finding(name: str, severity: str = "HIGH", **more: Any) -> dict[str, Any]:
    return {
        "findingArn": f"arn:aws:inspector2:{REGION}:1:finding/{name}",
        "awsAccountId": "1",
        "type": "PACKAGE_VULNERABILITY",
        "description": f"what {name} is",
        "remediation": {"recommendation": {"text": "None Provided"}},
        "severity": severity,
        "firstObservedAt": DAY.isoformat(),
        "lastObservedAt": DAY.isoformat(),
        "status": "ACTIVE",
        "resources": [image("sha256:1")],
        "packageVulnerabilityDetails": {"vulnerabilityId": name, "source": "NVD"},
        **more,
    }


def image(digest: str) -> dict[str, Any]:
    details = {"repositoryName": "shop", "imageHash": digest, "registry": "1", "imageTags": ["v1"]}
    return {
        "type": "AWS_ECR_CONTAINER_IMAGE",
        "id": f"arn:aws:ecr:{REGION}:1:repository/shop/{digest}",
        "details": {"awsEcrContainerImage": details},
    }


FINDINGS = [
    finding("A", "CRITICAL", fixAvailable="YES"),
    finding("B", exploitAvailable="YES", inspectorScore=7.5),
    finding("C", "LOW", status="SUPPRESSED", firstObservedAt="2026-03-05T00:00:00Z"),
    finding("D", resources=[image("sha256:2") | {"tags": {"team": "shop"}}]),
]


def equals(*values: str) -> list[dict[str, str]]:
    return [{"comparison": "EQUALS", "value": value} for value in values]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, "ABCD"),
        ({"severity": equals("CRITICAL", "HIGH")}, "ABD"),
        ({"severity": [{"comparison": "NOT_EQUALS", "value": "HIGH"}]}, "AC"),
        ({"findingStatus": equals("ACTIVE"), "severity": equals("HIGH")}, "BD"),
        ({"ecrImageHash": equals("sha256:2")}, "D"),
        ({"ecrImageTags": equals("v1"), "vulnerabilityId": equals("A")}, "A"),
        ({"resourceId": [{"comparison": "PREFIX", "value": f"arn:aws:ecr:{REGION}:1:"}]}, "ABCD"),
        ({"resourceTags": [{"comparison": "EQUALS", "key": "team", "value": "shop"}]}, "D"),
        ({"firstObservedAt": [{"startInclusive": datetime(2026, 3, 2, tzinfo=UTC)}]}, "C"),
        ({"firstObservedAt": [{"endInclusive": DAY}]}, "ABD"),
        ({"fixAvailable": equals("YES")}, "A"),
        ({"exploitAvailable": equals("YES")}, "B"),
        ({"inspectorScore": [{"lowerInclusive": 7, "upperInclusive": 8}]}, "B"),
    ],
)
def test_findings_are_filtered(
    client: ClientOf, account: str, criteria: dict[str, Any], expected: str
) -> None:
    put_findings(account, REGION, FINDINGS)
    found = client("inspector2", account).list_findings(filterCriteria=criteria)["findings"]
    assert "".join(each["findingArn"][-1] for each in found) == expected


def test_findings_come_in_pages(client: ClientOf, account: str) -> None:
    put_findings(account, REGION, FINDINGS)
    inspector = client("inspector2", account)
    pages = inspector.get_paginator("list_findings").paginate(PaginationConfig={"PageSize": 3})
    assert [len(page["findings"]) for page in pages] == [3, 1]


def test_findings_are_sorted_by_severity(client: ClientOf, account: str) -> None:
    put_findings(account, REGION, FINDINGS)
    order = {"field": "SEVERITY", "sortOrder": "DESC"}
    found = client("inspector2", account).list_findings(sortCriteria=order)["findings"]
    assert [each["severity"] for each in found] == ["CRITICAL", "HIGH", "HIGH", "LOW"]


def test_a_criterion_that_is_not_known_is_refused(client: ClientOf, account: str) -> None:
    with pytest.raises(ClientError, match="does not filter by networkProtocol"):
        client("inspector2", account).list_findings(
            filterCriteria={"networkProtocol": equals("TCP")}
        )


def test_a_token_that_was_not_given_is_refused(client: ClientOf, account: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        client("inspector2", account).list_findings(nextToken="made up")


def covered(name: str, code: str = "ACTIVE") -> dict[str, Any]:
    return {
        "resourceType": "AWS_EC2_INSTANCE",
        "resourceId": name,
        "accountId": "1",
        "scanType": "PACKAGE",
        "scanStatus": {"statusCode": code, "reason": "SUCCESSFUL"},
    }


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, ["i-1", "i-2"]),
        ({"resourceId": equals("i-2")}, ["i-2"]),
        ({"scanStatusCode": equals("INACTIVE")}, ["i-2"]),
        ({"resourceType": equals("AWS_ECR_REPOSITORY")}, []),
    ],
)
def test_coverage_is_filtered(
    client: ClientOf, account: str, criteria: dict[str, Any], expected: list[str]
) -> None:
    put_coverage(account, REGION, [covered("i-1"), covered("i-2", "INACTIVE")])
    found = client("inspector2", account).list_coverage(filterCriteria=criteria)
    assert [each["resourceId"] for each in found["coveredResources"]] == expected


def test_inspector_is_off_until_it_is_enabled(client: ClientOf, account: str) -> None:
    inspector = client("inspector2", account)
    before = inspector.batch_get_account_status(accountIds=[account])["accounts"][0]
    inspector.enable(resourceTypes=["EC2"])
    after = inspector.batch_get_account_status(accountIds=[account])["accounts"][0]
    assert (before["state"]["status"], after["state"]["status"]) == ("DISABLED", "ENABLED")
    states = {name: each["status"] for name, each in after["resourceState"].items()}
    assert (states["ec2"], states["ecr"]) == ("ENABLED", "DISABLED")


def test_the_control_api_puts_findings_and_coverage_in(
    aws: Server, client: ClientOf, account: str
) -> None:
    where = {"account": account, "region": REGION}
    url = f"{aws.url}/_sandbox/inspector"
    assert httpx.post(f"{url}/findings", json=where | {"findings": FINDINGS}).json() == {"put": 4}
    assert httpx.post(f"{url}/coverage", json=where | {"coverage": [covered("i-1")]}).is_success
    inspector = client("inspector2", account)
    assert len(inspector.list_findings()["findings"]) == 4
    assert len(inspector.list_coverage()["coveredResources"]) == 1


def test_a_finding_without_its_required_members_is_refused(aws: Server, account: str) -> None:
    order = {"account": account, "region": REGION, "findings": [{"severity": "HIGH"}]}
    answer = httpx.post(f"{aws.url}/_sandbox/inspector/findings", json=order)
    assert answer.status_code == 400
    assert "findingArn" in answer.json()["error"]
