"""A function answers what the control API was told; its versions are moto's."""

import io
import zipfile
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.aws.functions import Answer, set_answer
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.aws.documents import trust
from tests.controlplane.sandbox.conftest import REGION, ClientOf


@pytest.fixture
def function(client: ClientOf, account: str) -> Any:
    """Make the function "gate" and answer the client."""
    iam = client("iam", account)
    iam.create_role(RoleName="gate", AssumeRolePolicyDocument=trust(account))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("gate.py", "")
    functions = client("lambda", account)
    functions.create_function(
        FunctionName="gate",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{account}:role/gate",
        Handler="gate.handler",
        Code={"ZipFile": code.getvalue()},
        Publish=True,
    )
    return functions


def test_it_answers_the_payload_it_was_told(aws: Server, account: str, function: Any) -> None:
    order = {"account": account, "region": REGION, "function": "gate", "payload": {"ok": True}}
    assert httpx.post(f"{aws.url}/_sandbox/lambda/answer", json=order).is_success
    answer = function.invoke(FunctionName="gate", Payload=b'{"n": 1}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"ok": true}')
    assert "FunctionError" not in answer


def test_it_fails_as_it_was_told(account: str, function: Any) -> None:
    set_answer(account, REGION, "gate", Answer({"errorMessage": "no"}, "Unhandled"))
    answer = function.invoke(FunctionName="gate")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"].read() == b'{"errorMessage": "no"}'


@pytest.mark.parametrize("qualifier", ["1", "live"])
def test_a_version_says_which_it_was(function: Any, qualifier: str) -> None:
    function.create_alias(FunctionName="gate", Name="live", FunctionVersion="1")
    answer = function.invoke(FunctionName="gate", Qualifier=qualifier)
    assert (answer["ExecutedVersion"], answer["Payload"].read()) == ("1", b"null")


def test_a_function_that_is_not_there_is_refused(function: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        function.invoke(FunctionName="nothing")


def test_the_sandbox_knows_what_a_function_was_really_invoked_with(
    aws: Server, account: str, function: Any
) -> None:
    function.invoke(FunctionName="gate", Payload=b'{"n": 1}')
    told = httpx.get(f"{aws.url}/_sandbox/lambda/invocations", params={"function": "gate"}).json()
    last = told["invocations"][-1]
    assert (last["account"], last["function"], last["payload"]) == (account, "gate", {"n": 1})
