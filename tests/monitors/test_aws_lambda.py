import base64
import io
import json
from typing import Any

import pytest
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Purpose
from monitors.base import MonitorError, Outcome, Progress
from monitors.checks.aws_lambda import Lambda, read
from tests.support.clients import StubClients
from tests.support.scripted import scripted
from tests.support.watched import task

RULE = {"FunctionName": "smoke", "UserParameters": "fast"}


def invoked(body: bytes, error: str = "", asked: list[Any] | None = None) -> Progress:
    def invoke(request: dict[str, Any]) -> Any:
        if asked is not None:
            asked.append(request)
        log = base64.b64encode(b"START\nno basket\n").decode()
        failed = {"FunctionError": error, "LogResult": log} if error else {}
        return {"Payload": StreamingBody(io.BytesIO(body), len(body)), **failed}

    clients = StubClients(**{"lambda": scripted("lambda", invoke=invoke)})
    found = Lambda(clients).start(task(RULE))
    assert clients.asked[0].purpose is Purpose.DEPLOY
    scope = clients.asked[0].scope
    assert scope.execution == "e1"
    assert scope.resources == ("arn:aws:lambda:eu-west-1:444444444444:function:smoke",)
    return found


def test_a_function_that_answers_succeeds_and_its_answer_is_output() -> None:
    found = invoked(b'{"checked": 3, "mood": "good", "list": [1], "none": null}')
    assert found.outcome is Outcome.SUCCEEDED
    assert found.output == {"checked": "3", "mood": "good"}


def test_it_is_told_its_parameters_and_the_token_that_makes_it_idempotent() -> None:
    asked: list[Any] = []
    invoked(b"", asked=asked)
    told = json.loads(asked[0]["Payload"])
    assert (told["UserParameters"], told["token"], told["again"]) == ("fast", "t1", False)
    assert asked[0]["InvocationType"] == "RequestResponse"


def test_a_function_that_fails_fails_with_its_own_words() -> None:
    body = b'{"errorType": "AssertionError", "errorMessage": "the basket is empty"}'
    found = invoked(body, "Unhandled")
    assert found.outcome is Outcome.FAILED
    told = "smoke failed (Unhandled): AssertionError: the basket is empty"
    assert found.summary == f"{told}; its log ends: START no basket"


def test_an_answer_without_end_is_refused() -> None:
    with pytest.raises(MonitorError, match="more than 262144 bytes"):
        invoked(b"x" * (256 * 1024 + 1))


def test_nothing_is_left_to_look_at() -> None:
    found = Lambda(StubClients()).look([task(RULE)])["t1"]
    assert isinstance(found, MonitorError)
    assert found.permanent


@given(st.binary(max_size=40), st.sampled_from(["", "Handled", "Unhandled"]))
def test_any_answer_is_read(body: bytes, error: str) -> None:
    found = read("f", error, body, "t1")
    assert found.outcome is (Outcome.FAILED if error else Outcome.SUCCEEDED)
    assert all(isinstance(value, str) for value in found.output.values())


def test_an_answer_that_broke_off_is_none() -> None:
    half = StreamingBody(io.BytesIO(b'{"checked"'), 20)
    clients = StubClients(**{"lambda": scripted("lambda", invoke=lambda _: {"Payload": half})})
    with pytest.raises(MonitorError) as caught:
        Lambda(clients).start(task(RULE))
    assert not caught.value.permanent
