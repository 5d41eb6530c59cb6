"""What the sandbox does not do is a clear 400; what it did is recorded; control is JSON."""

import subprocess
import sys
from datetime import datetime
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox import aws as package
from controlplane.sandbox.aws import control, recorder
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.conftest import ClientOf

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIAROOT500000000000/20260101/r/{}/aws4_request, "
    "SignedHeaders=a, Signature=b"
)
MISSING = [
    ("codedeploy", "list_git_hub_account_token_names", {}),
    ("synthetics", "list_groups", {}),
    ("cloudwatch", "describe_anomaly_detectors", {}),
    ("inspector2", "list_cis_scans", {}),
    ("sts", "get_session_token", {}),
    ("cloudformation", "list_types", {}),
    ("bedrock", "list_foundation_models", {}),
    ("s3", "list_bucket_metrics_configurations", {"Bucket": "b"}),
]


@pytest.mark.parametrize(("service", "operation", "given"), MISSING)
def test_an_operation_that_is_not_emulated_is_a_400_in_the_callers_protocol(
    client: ClientOf, account: str, service: str, operation: str, given: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(client(service, account), operation)(**given)
    answer = caught.value.response
    assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert answer["Error"]["Code"] not in ("", "400", "500")
    assert "<html" not in answer["Error"]["Message"].lower()


def test_the_refusal_names_the_operation(client: ClientOf, account: str) -> None:
    with pytest.raises(ClientError, match=r"does not emulate synthetics\.ListGroups"):
        client("synthetics", account).list_groups()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": "nonsense"}, b""),
        ({"X-Amz-Target": "Nothing.Known", "Content-Type": "application/x-amz-json-1.0"}, b"{"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/r/sqs/aws4_request"}, b""),
        ({"Authorization": SIGNED.format("nosuch")}, b""),
        ({"Authorization": SIGNED.format("sqs")}, b"{"),
    ],
)
def test_nonsense_is_refused_and_is_no_500(
    aws: Server, headers: dict[str, str], body: bytes
) -> None:
    answer = httpx.post(f"{aws.url}/x/y", headers=headers, content=body)
    assert 400 <= answer.status_code < 500


def test_a_body_that_can_not_be_parsed_is_refused(aws: Server, account: str) -> None:
    scope = f"AKIAROOT{account}/20260101/eu-west-1/codedeploy/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=a, Signature=b",
        "X-Amz-Target": "CodeDeploy_20141006.GetApplication",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = httpx.post(aws.url, headers=headers, content=b"[" * 100_000)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_unsigned_requests_see_nothing(aws: Server) -> None:
    answer = httpx.get(f"{aws.url}/some-bucket/some-key")
    assert answer.status_code == 403
    assert "<Code>AccessDenied</Code>" in answer.text


def test_calls_are_recorded_with_their_time_caller_and_key_parameters(
    aws: Server, client: ClientOf, account: str
) -> None:
    codedeploy = client("codedeploy", account)
    with pytest.raises(ClientError):
        codedeploy.stop_deployment(deploymentId="d-ABCDEFGHI", autoRollbackEnabled=True)
    query = {"service": "codedeploy", "operation": "StopDeployment", "limit": "1"}
    (call,) = httpx.get(f"{aws.url}/_sandbox/calls", params=query).json()["calls"]
    assert datetime.fromisoformat(call["time"]).tzinfo is not None
    assert len(call["time"]) == len("2026-01-01T00:00:00.000000+00:00")
    assert (call["account"], call["caller"]) == (account, f"arn:aws:iam::{account}:root")
    assert call["parameters"] == {"deploymentId": "d-ABCDEFGHI", "autoRollbackEnabled": True}
    assert call["status"] == 400


def test_a_refused_call_is_recorded_with_its_code(client: ClientOf) -> None:
    with pytest.raises(ClientError):
        client("sns", credentials={"AccessKeyId": "AKIA0123456789ABCDEF"}).list_topics()
    assert recorder.calls("sns", "ListTopics")[-1]["error"] == "InvalidClientTokenId"


def test_the_account_header_seeds_any_account(aws: Server, client: ClientOf, account: str) -> None:
    scope = "AKIA0123456789ABCDEF/20260101/eu-west-1/sns/aws4_request"
    headers = {
        "x-moto-account-id": account,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=a, Signature=b",
    }
    form = {"Action": "CreateTopic", "Name": "seeded", "Version": "2010-03-31"}
    assert httpx.post(aws.url, headers=headers, data=form).status_code == 200
    assert len(client("sns", account).list_topics()["Topics"]) == 1


def test_control_says_it_is_well(aws: Server) -> None:
    assert httpx.get(f"{aws.url}/_sandbox/health").json()["status"] == "ok"


def test_control_answers_added_routes_and_names_the_known_ones(aws: Server) -> None:
    control.route("/_sandbox/test/echo", lambda order: {"got": order.text("word")})
    url = f"{aws.url}/_sandbox/test/echo"
    assert httpx.post(url, json={"word": "hi"}).json() == {"got": "hi"}
    assert httpx.post(url, json={}).status_code == 400
    unknown = httpx.get(f"{aws.url}/_sandbox/nothing")
    assert (unknown.status_code, "/_sandbox/calls" in unknown.json()["routes"]) == (404, True)


@pytest.mark.parametrize("given", [{"data": {"a": "1"}}, {"content": b"{"}, {"json": [1]}])
def test_control_takes_json_objects_only(aws: Server, given: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"} if "content" in given else {}
    url = f"{aws.url}/_sandbox/lambda/answer"
    assert httpx.post(url, headers=headers, **given).status_code == 400


def test_a_step_that_fails_does_not_stop_the_others() -> None:
    seen: list[str] = []

    def fail() -> None:
        if not seen:
            raise RuntimeError("on purpose")

    def go_on() -> None:
        seen.append("went on")

    package.on_tick(fail)
    package.on_tick(go_on)
    package.tick()
    assert seen == ["went on"]


def test_importing_the_package_imports_no_moto() -> None:
    code = "import sys, controlplane.sandbox.aws; sys.exit('moto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
