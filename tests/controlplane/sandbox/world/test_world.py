import json
import shutil
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.controlplane.sandbox.world.visitor import Visitor, eventually


def test_every_account_has_towpaths_roles_bucket_and_key(visitor: Visitor) -> None:
    accounts = visitor.get("world")["accounts"]
    assert [one["id"] for one in accounts.values()] == [str(n) * 12 for n in (1, 2, 3, 4)]
    for name, one in accounts.items():
        assert one["roles"]["rollback"] == f"arn:aws:iam::{one['id']}:role/TowpathRollback"
        assert f":{one['id']}:key/" in one["artifact_key"]
        s3 = visitor.role("s3", name, "deploy")
        assert s3.get_bucket_versioning(Bucket=one["artifact_bucket"])["Status"] == "Enabled"


def test_the_document_over_http_is_the_one_in_the_process(visitor: Visitor) -> None:
    assert visitor.get("world") == json.loads(json.dumps(visitor.sandbox.world_document()))


def test_a_role_is_not_given_for_another_accounts_external_id(visitor: Visitor) -> None:
    role = visitor.world["accounts"]["prod"]["roles"]["deploy"]
    with pytest.raises(ClientError, match="AccessDenied"):
        visitor.towpath("sts").assume_role(
            RoleArn=role, RoleSessionName="visitor", ExternalId="towpath-sandbox-dev"
        )


def test_towpath_itself_may_do_next_to_nothing(visitor: Visitor) -> None:
    for service, call, arguments in (
        ("s3", "list_objects_v2", {"Bucket": visitor.world["source"]["bucket"]}),
        ("codedeploy", "list_deployments", {}),
        ("sns", "list_topics", {}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(visitor.towpath(service), call)(**arguments)


def test_a_release_is_told_to_towpaths_queue(visitor: Visitor) -> None:
    status, told = visitor.post("release", {"release": 1})
    assert (status, told["digest"][:7]) == (200, "sha256:")
    sqs, url = visitor.towpath("sqs"), visitor.world["source"]["queue_url"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
    events = [json.loads(one["Body"]) for one in messages["Messages"]]
    assert told["versionId"] in [one["detail"]["object"]["version-id"] for one in events]


@pytest.mark.parametrize("body", [{}, {"release": 4}, {"release": True}, {"release": "1"}])
def test_a_release_that_does_not_exist_is_refused(visitor: Visitor, body: Any) -> None:
    assert visitor.post("release", body)[0] == 400


def test_what_codedeploy_does_not_emulate_is_answered_with_400(visitor: Visitor) -> None:
    client = visitor.role("codedeploy", "dev", "deploy")
    with pytest.raises(ClientError) as refused:
        client.register_application_revision(
            applicationName="shop",
            revision={"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}},
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "does not emulate" in str(refused.value)


def test_inspector_covers_every_instance_and_found_nothing_serious(visitor: Visitor) -> None:
    for name, known in visitor.world["environments"].items():
        inspector = visitor.role("inspector2", name, "watch")
        covered = inspector.list_coverage()["coveredResources"]
        assert {one["resourceId"] for one in covered} == {one["id"] for one in known["instances"]}
        found = {one["severity"] for one in inspector.list_findings()["findings"]}
        assert found == {"LOW", "MEDIUM"}


def test_what_is_published_to_the_topic_reaches_the_audit_queue(visitor: Visitor) -> None:
    told = visitor.world["notifications"]
    visitor.role("sns", "tools", "deploy").publish(TopicArn=told["topic_arn"], Message="hello")
    assert visitor.get("topic/bodies") == {"bodies": ["hello"]}
    root = visitor._client("sqs", "AKIAROOT111111111111", "x", None)
    (message,) = root.receive_message(QueueUrl=told["audit_queue_url"])["Messages"]
    assert json.loads(message["Body"])["Message"] == "hello"


def test_a_release_lives_in_dev_and_its_canary_passes(visitor: Visitor) -> None:
    revision = visitor.promote("dev", 2)
    assert visitor.end("dev", visitor.deploy("dev", revision))["status"] == "Succeeded"
    assert visitor.serving("dev") == [2]
    since = datetime.now(UTC)  # noqa: TID251
    client = visitor.role("synthetics", "dev", "watch")

    def passed() -> bool:
        runs = client.get_canary_runs(Name="shop-dev")["CanaryRuns"]
        late = [one for one in runs if one["Timeline"]["Started"] >= since]
        return any(one["Status"]["State"] == "PASSED" for one in late)

    assert eventually(passed)
    assert visitor.get("traffic")["environments"]["dev"]["2"]["errors"] == 0


def test_release_two_fails_in_prod_and_is_stopped_and_rolled_back(visitor: Visitor) -> None:
    one = visitor.promote("prod", 1)
    assert visitor.end("prod", visitor.deploy("prod", one))["status"] == "Succeeded"
    two = visitor.deploy("prod", visitor.promote("prod", 2))
    assert eventually(lambda: _errors(visitor) > 0, within=15)
    stop = visitor.role("codedeploy", "prod", "rollback").stop_deployment
    stop(deploymentId=two, autoRollbackEnabled=True)
    stopped = visitor.end("prod", two)
    back = visitor.end("prod", stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert (stopped["status"], back["status"]) == ("Stopped", "Succeeded")
    assert visitor.serving("prod") == [1, 1, 1]
    traffic = visitor.get("traffic")
    prod = traffic["environments"]["prod"]
    assert traffic["first_bad_response_at"] == prod["2"]["first_bad_response_at"]
    assert prod["1"]["errors"] == 0
    assert set(prod) == {"1", "2"}
    assert eventually(lambda: "ALARM" in _alarm_states(visitor), within=20)


def _alarm_states(visitor: Visitor) -> list[str]:
    """Read every state that prod's alarm came to, from its history."""
    items = visitor.role("cloudwatch", "prod", "watch").describe_alarm_history(
        AlarmName="shop-prod-errors", HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    return [json.loads(one["HistoryData"])["newState"]["stateValue"] for one in items]


def test_prometheus_sees_what_the_instances_answer(visitor: Visitor) -> None:
    url = visitor.world["prometheus_url"]
    if not shutil.which("prometheus"):
        assert url == ""
        return
    query = "/api/v1/query?query=sum(http_requests_total)by(environment)"
    assert eventually(lambda: "prod" in _read(url + query))


def _errors(visitor: Visitor) -> float:
    now = datetime.now(UTC)  # noqa: TID251
    metric = {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "Environment", "Value": "prod"}],
    }
    answer = visitor.role("cloudwatch", "prod", "watch").get_metric_data(
        MetricDataQueries=[
            {"Id": "e", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Sum"}}
        ],
        StartTime=now - timedelta(seconds=60),
        EndTime=now + timedelta(seconds=1),
    )
    return float(sum(answer["MetricDataResults"][0]["Values"]))


def _read(url: str) -> str:
    with urllib.request.urlopen(url) as answer:  # noqa: S310  # loopback
        return str(answer.read().decode())
