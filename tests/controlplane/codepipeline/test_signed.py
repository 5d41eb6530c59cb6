"""Who is let in: signatures, clocks, replays, sizes, roles."""

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from controlplane.codepipeline.door import MAX_BODY
from controlplane.codepipeline.operations import OPERATIONS
from controlplane.codepipeline.shapes import service
from controlplane.store import tokens
from tests.support.house import deploying, pipeline, source
from tests.support.wire import REGION, URL, Wire

RIGHT = "InvalidSignatureException"


def test_what_was_signed_is_answered(wire: Wire) -> None:
    answer = wire.call("ListPipelines")
    assert (answer.status_code, answer.json()) == (200, {"pipelines": []})
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("spoilt", ["X-Amz-Target", "Host", "Authorization"])
def test_a_changed_header_is_refused(wire: Wire, spoilt: str) -> None:
    request = wire.signed("ListPipelines")
    value = request.headers[spoilt]
    del request.headers[spoilt]
    request.headers[spoilt] = value[:-1] + ("0" if value[-1] != "0" else "1")
    assert wire.send(request).json()["__type"] == RIGHT


def test_a_header_that_is_sent_twice_is_the_list_that_was_signed(wire: Wire) -> None:
    request = AWSRequest("POST", URL, dict(wire.signed("ListPipelines").headers.items()), b"{}")
    request.headers["X-Odd_Name"] = "a,b"
    SigV4Auth(Credentials(wire.made.id, wire.made.secret), "codepipeline", REGION).add_auth(request)
    sent = [(k, v) for k, v in request.headers.items() if k != "X-Odd_Name"]
    twice = [*sent, ("X-Odd_Name", "a"), ("X-Odd_Name", "b")]
    assert wire.client.post(URL, headers=twice, content=b"{}").status_code == 200
    more = [*twice, ("X-Amz-Target", "CodePipeline_20150709.DeletePipeline")]
    assert wire.client.post(URL, headers=more, content=b"{}").json()["__type"] == RIGHT


def test_a_changed_body_is_refused(wire: Wire) -> None:
    request = wire.signed("DeletePipeline", {"name": "shop"})
    request.data = b'{"name": "shoq"}'
    assert (
        wire.client.post(
            "http://towpath/", headers=dict(request.headers.items()), content=request.data
        ).json()["__type"]
        == RIGHT
    )


def test_a_query_that_was_not_signed_is_refused(wire: Wire) -> None:
    request = wire.signed("ListPipelines")
    answer = wire.client.post(
        "http://towpath/?x=1", headers=dict(request.headers.items()), content=request.body
    )
    assert answer.json()["__type"] == RIGHT


@pytest.mark.parametrize("seconds", [-16 * 60, 16 * 60])
def test_a_skewed_clock_is_told_the_time(wire: Wire, seconds: float) -> None:
    request = wire.signed("ListPipelines")
    wire.doors.house.clock.advance(seconds)
    answer = wire.send(request).json()
    assert answer["__type"] == RIGHT
    assert "15 min." in answer["message"]


def test_a_signature_moves_something_once(wire: Wire) -> None:
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    request = wire.signed("StartPipelineExecution", {"name": "shop"})
    assert wire.send(request).status_code == 200
    again = wire.send(request).json()
    assert again["__type"] == "ThrottlingException"
    assert len(wire.doors.house.rows()) == 1


def test_session_tokens_are_refused(wire: Wire) -> None:
    answer = wire.call("ListPipelines", token="session").json()
    assert answer["__type"] == "UnrecognizedClientException"
    assert "no session token" in answer["message"]


def test_nobody_is_let_in_unsigned(wire: Wire) -> None:
    answer = wire.client.post("http://towpath/", json={})
    assert (answer.status_code, answer.json()["__type"]) == (
        403,
        "MissingAuthenticationTokenException",
    )


def test_a_revoked_key_is_unknown(wire: Wire) -> None:
    with wire.doors.house.database.begin() as connection:
        tokens.revoke(connection, wire.made.token_id, 0.0)
    assert wire.refusal("ListPipelines") == "UnrecognizedClientException"


def test_an_access_key_is_no_token_of_the_rest_door(wire: Wire) -> None:
    headers = {"authorization": f"Bearer {wire.made.secret}"}
    assert wire.client.get("http://towpath/api/v1/pipelines", headers=headers).status_code == 401


def test_the_secret_is_not_in_the_database_in_clear(wire: Wire) -> None:
    with wire.doors.house.database.read() as connection:
        (sealed,) = connection.exec_driver_sql("SELECT sealed FROM access_key").scalars()
    assert wire.made.secret not in sealed


def test_too_long_a_body_is_refused_before_it_is_parsed(wire: Wire) -> None:
    answer = wire.call("ListPipelines", b" " * (MAX_BODY + 1))
    assert (answer.status_code, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


def test_every_operation_of_the_model_is_in_the_table() -> None:
    assert sorted(OPERATIONS) == sorted(service().operation_names)
