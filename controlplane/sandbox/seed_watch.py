"""Seeding of what watches an environment: its alarm, its canary, Inspector's coverage."""

import hashlib
from collections.abc import Sequence
from typing import Any

from controlplane.sandbox.aws import clock, inspector, synthetics
from controlplane.sandbox.fleet.metrics import NAMESPACE
from controlplane.sandbox.seed import Clients
from controlplane.sandbox.world import REGION, Account

CANARY_EVERY = 2.0  # seconds: AWS's shortest schedule, a minute, would make the demo a long one
KNOWN = (
    ("CVE-2022-3219", "gnupg2", "2.2.27-2", "LOW", 3.3, "NO"),
    ("CVE-2023-4641", "shadow-utils", "4.9-12", "MEDIUM", 5.5, "YES"),
)
"""What Inspector found on every instance: id, package, version, severity, score, fix available."""


def seed_alarm(client: Clients, account: Account) -> None:
    """Make the alarm on the service's errors: more than two in ten seconds."""
    client("cloudwatch").put_metric_alarm(
        AlarmName=account.alarm,
        AlarmDescription=f"The shop in {account.name} answers its users with errors",
        Namespace=NAMESPACE,
        MetricName="Errors",
        Dimensions=[{"Name": "Environment", "Value": account.name}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def seed_canary(client: Clients, account: Account, url: str) -> None:
    """Make and start the canary, which asks the environment's load balancer every few seconds."""
    canaries = client("synthetics")
    canaries.create_canary(
        Name=account.group,
        Code={"Handler": "shop.handler", "S3Bucket": account.artifact_bucket, "S3Key": "canary"},
        ArtifactS3Location=f"s3://{account.artifact_bucket}/canaries/{account.group}",
        ExecutionRoleArn=account.arn("iam", "role/Canary", region=""),
        RuntimeVersion="syn-nodejs-puppeteer-9.1",
        Schedule={"Expression": "rate(1 minute)"},
        RunConfig={"TimeoutInSeconds": 5, "EnvironmentVariables": {"TARGET_URL": url}},
    )
    synthetics.set_interval(account.id, REGION, account.group, CANARY_EVERY)
    canaries.start_canary(Name=account.group)


def seed_findings(client: Clients, account: Account, instances: Sequence[str]) -> None:
    """Let Inspector cover the instances, and have found a little on each."""
    client("inspector2").enable(resourceTypes=["EC2"])
    inspector.put_coverage(account.id, REGION, [_covered(account, one) for one in instances])
    findings = [_finding(account, one, known) for one in instances for known in KNOWN]
    inspector.put_findings(account.id, REGION, findings)


def _covered(account: Account, instance: str) -> dict[str, Any]:
    return {
        "resourceType": "AWS_EC2_INSTANCE",
        "resourceId": instance,
        "scanType": "PACKAGE",
        "scanStatus": {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"},
        "scanMode": "EC2_SSM_AGENT_BASED",
        "lastScannedAt": clock.now(),
        "resourceMetadata": {"ec2": {"tags": {"Environment": account.name}, "platform": "LINUX"}},
    }


def _finding(
    account: Account, instance: str, known: tuple[str, str, str, str, float, str]
) -> dict[str, Any]:
    identity, package, version, severity, score, fix = known
    name = hashlib.sha256(f"{instance}/{identity}".encode()).hexdigest()[:32]
    at = clock.now()
    return {
        "findingArn": account.arn("inspector2", f"finding/{name}"),
        "type": "PACKAGE_VULNERABILITY",
        "title": f"{identity} - {package}",
        "description": f"{package} {version} is affected by {identity}.",
        "remediation": {"recommendation": {"text": "None Provided"}},
        "severity": severity,
        "inspectorScore": score,
        "fixAvailable": fix,
        "exploitAvailable": "NO",
        "firstObservedAt": at,
        "lastObservedAt": at,
        "updatedAt": at,
        "status": "ACTIVE",
        "resources": [
            {
                "type": "AWS_EC2_INSTANCE",
                "id": instance,
                "partition": "aws",
                "region": REGION,
                "tags": {"Environment": account.name},
            }
        ],
        "packageVulnerabilityDetails": {
            "vulnerabilityId": identity,
            "source": "NVD",
            "sourceUrl": f"https://nvd.nist.gov/vuln/detail/{identity}",
            "vendorSeverity": severity,
            "vulnerablePackages": [{"name": package, "version": version, "packageManager": "OS"}],
        },
    }
