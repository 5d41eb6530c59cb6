"""The sandbox's answers have botocore's own shapes: types, required members, enums."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from controlplane.sandbox.aws.inspector import put_coverage, put_findings
from tests.controlplane.sandbox.aws.documents import allow, trust
from tests.controlplane.sandbox.aws.shapes import faults
from tests.controlplane.sandbox.aws.test_inspector import covered, finding
from tests.controlplane.sandbox.conftest import REGION, ClientOf

NOW = datetime.now(UTC)  # noqa: TID251 the machine's clock is the sandbox's here
METRIC = {"Namespace": "Shop", "MetricName": "Errors"}
STAT = {"Metric": METRIC, "Period": 60, "Stat": "Sum"}
RANGE = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(minutes=1)}
RULE = {
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}

Step = tuple[str, str, dict[str, Any]]


def steps(account: str) -> list[Step]:
    """Answer the operations, in an order in which each finds what it needs."""
    role = f"arn:aws:iam::{account}:role/Deploy"
    bucket = f"shapes-{account}"
    return [
        ("iam", "create_role", {"RoleName": "Deploy", "AssumeRolePolicyDocument": trust(account)}),
        (
            "iam",
            "put_role_policy",
            {"RoleName": "Deploy", "PolicyName": "p", "PolicyDocument": allow("*")},
        ),
        ("sts", "get_caller_identity", {}),
        ("sts", "assume_role", {"RoleArn": role, "RoleSessionName": "one", "SourceIdentity": "me"}),
        *_of_cloudwatch(),
        *_of_synthetics(role),
        *_of_inspector(account),
        ("sns", "create_topic", {"Name": "releases"}),
        ("sns", "list_topics", {}),
        ("sqs", "create_queue", {"QueueName": "news"}),
        ("sqs", "get_queue_url", {"QueueName": "news"}),
        ("sqs", "list_queues", {}),
        ("kms", "create_key", {}),
        ("kms", "list_keys", {}),
        ("ecr", "create_repository", {"repositoryName": "shop"}),
        ("ecr", "describe_repositories", {}),
        ("events", "put_rule", {"Name": "r", "EventPattern": '{"source": ["x"]}'}),
        ("events", "list_rules", {}),
        (
            "s3",
            "create_bucket",
            {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": REGION}},
        ),
        ("s3", "put_object", {"Bucket": bucket, "Key": "k", "Body": b"x"}),
        ("s3", "head_object", {"Bucket": bucket, "Key": "k", "ChecksumMode": "ENABLED"}),
        ("s3", "list_objects_v2", {"Bucket": bucket}),
        (
            "s3",
            "copy_object",
            {"Bucket": bucket, "Key": "c", "CopySource": f"{bucket}/k"},
        ),
        (
            "s3",
            "get_object_attributes",
            {"Bucket": bucket, "Key": "c", "ObjectAttributes": ["Checksum", "ObjectSize"]},
        ),
        ("codedeploy", "create_application", {"applicationName": "shop"}),
        ("codedeploy", "list_applications", {}),
        ("codedeploy", "get_application", {"applicationName": "shop"}),
    ]


def _of_cloudwatch() -> Iterator[Step]:
    alarm = {"AlarmName": "errors", **METRIC, "Period": 60, "Statistic": "Sum", **RULE}
    queries = [
        {"Id": "e", "MetricStat": STAT},
        {"Id": "twice", "Expression": "e*2"},
    ]
    state = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a drill"}
    both = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    data = [{"MetricName": "Errors", "Value": 3.0, "Timestamp": NOW}]
    statistics = {"Period": 60, "Statistics": ["Sum"], "ExtendedStatistics": ["p99"]}
    yield "cloudwatch", "put_metric_data", {"Namespace": "Shop", "MetricData": data}
    yield "cloudwatch", "put_metric_alarm", alarm
    yield "cloudwatch", "put_composite_alarm", {"AlarmName": "shop", "AlarmRule": "ALARM(errors)"}
    yield (
        "cloudwatch",
        "put_metric_alarm",
        {"AlarmName": "math", "Metrics": [{"Id": "e", "MetricStat": STAT}], **RULE},
    )
    yield "cloudwatch", "set_alarm_state", state
    yield "cloudwatch", "describe_alarms", both
    yield "cloudwatch", "describe_alarms_for_metric", METRIC
    yield "cloudwatch", "describe_alarm_history", both
    yield "cloudwatch", "get_metric_data", {"MetricDataQueries": queries, **RANGE}
    yield "cloudwatch", "get_metric_statistics", METRIC | RANGE | statistics
    yield "cloudwatch", "list_metrics", {}
    yield "cloudwatch", "delete_alarms", {"AlarmNames": ["errors"]}


def _of_synthetics(role: str) -> Iterator[Step]:
    canary = {
        "Name": "shop",
        "Code": {"Handler": "a.b", "ZipFile": b"x"},
        "ArtifactS3Location": "s3://a/b",
        "ExecutionRoleArn": role,
        "Schedule": {"Expression": "rate(1 minute)"},
        "RuntimeVersion": "syn-nodejs-puppeteer-9.0",
        "RunConfig": {"TimeoutInSeconds": 5, "EnvironmentVariables": {"TARGET_URL": "x"}},
        "Tags": {"team": "shop"},
    }
    named = {"Name": "shop"}
    yield "synthetics", "create_canary", canary
    yield "synthetics", "start_canary", named
    yield "synthetics", "get_canary", named
    yield "synthetics", "get_canary_runs", named
    yield "synthetics", "describe_canaries", {}
    yield "synthetics", "describe_canaries_last_run", {}
    yield "synthetics", "update_canary", {**named, "SuccessRetentionPeriodInDays": 7}
    yield "synthetics", "stop_canary", named
    yield "synthetics", "delete_canary", named


def _of_inspector(account: str) -> Iterator[Step]:
    arn = finding("A")["findingArn"]
    yield "inspector2", "enable", {"resourceTypes": ["EC2", "ECR"]}
    yield "inspector2", "batch_get_account_status", {"accountIds": [account]}
    yield "inspector2", "list_findings", {}
    yield "inspector2", "batch_get_finding_details", {"findingArns": [arn, arn + "x"]}
    yield "inspector2", "list_coverage", {}
    yield "inspector2", "list_coverage_statistics", {}


def test_every_answer_has_its_shape(client: ClientOf, account: str) -> None:
    put_findings(account, REGION, [finding("A")])
    put_coverage(account, REGION, [covered("i-1")])
    found: list[str] = []
    for service, operation, given in steps(account):
        made = client(service, account)
        answer = getattr(made, operation)(**given)
        name = made.meta.method_to_api_mapping[operation]
        shape = made.meta.service_model.operation_model(name).output_shape
        # botocore hands IAM's documents out parsed, so these are not of its own shape.
        if shape is not None and service != "iam":
            found += faults(answer, shape, f"{service}.{name}")
    assert found == []


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({}, ".id is missing"),
        ({"id": 1}, ".id is no string but 1"),
        ({"id": "c"}, ".id is 'c', none of ['a', 'b']"),
        ({"id": "a", "more": 1}, ".more is not in the shape"),
    ],
)
def test_the_validator_sees_what_is_wrong(value: dict[str, Any], fault: str) -> None:
    text = SimpleNamespace(type_name="string", enum=["a", "b"])
    shape = SimpleNamespace(type_name="structure", required_members=["id"], members={"id": text})
    assert list(faults(value, shape)) == [fault]
