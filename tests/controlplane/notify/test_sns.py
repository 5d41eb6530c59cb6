"""SNS: what is published, and for whom."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from accounts.base import AccountError
from accounts.models import Purpose
from controlplane.notify.base import NotifyError
from controlplane.notify.sns import SnsNotifier
from tests.controlplane.notify.notes import note
from tests.support.clients import StubClients, stubbed

TOPIC = "arn:aws:sns:eu-west-1:111111111111:towpath-releases"
CONFIGURATION = {"TopicArn": TOPIC, "Account": "tools"}
ANSWER = {"MessageId": "0" * 36}


def published(configuration: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """What is published for a note, checked against botocore's own shapes."""
    sent: list[dict[str, Any]] = []
    with stubbed("sns") as (client, stub):
        client.meta.events.register(
            "provide-client-params.sns.Publish", lambda params, **_: sent.append(params)
        )
        stub.add_response("publish", ANSWER)
        SnsNotifier(StubClients(sns=client)).send(
            note(**changes), CONFIGURATION | (configuration or {}), ""
        )
    return sent[0]


def test_the_message_is_the_document_and_filters_have_attributes() -> None:
    request = published()
    assert json.loads(request["Message"])["execution"] == "ex-42"
    values = {name: value["StringValue"] for name, value in request["MessageAttributes"].items()}
    assert values == {
        "pipeline": "shop",
        "stage": "prod",
        "kind": "stage.failed",
        "severity": "warning",
        "status": "Failed",
    }


def test_an_empty_attribute_is_left_out() -> None:
    assert "stage" not in published(stage="")["MessageAttributes"]


@pytest.mark.parametrize("title", ["x" * 500, "prod\nfailed\x07 - größer"])
def test_the_subject_is_one_line_of_under_100_ascii_characters(title: str) -> None:
    subject = published(title=title)["Subject"]
    assert subject.startswith("[warning] shop: ")
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


def test_a_fifo_topic_keeps_the_order_of_an_execution_and_drops_repeats() -> None:
    request = published({"TopicArn": f"{TOPIC}.fifo"})
    assert (request["MessageGroupId"], request["MessageDeduplicationId"]) == ("ex-42", "evt_1")
    assert "MessageGroupId" not in published()


def test_an_id_that_sns_would_not_take_is_hashed() -> None:
    request = published({"TopicArn": f"{TOPIC}.fifo"}, id="é" * 200)
    assert len(request["MessageDeduplicationId"]) == 64


def test_the_deploy_role_publishes_in_the_topics_region() -> None:
    with stubbed("sns") as (client, stub):
        stub.add_response("publish", ANSWER)
        clients = StubClients(sns=client)
        SnsNotifier(clients).send(note(), CONFIGURATION, "")
    [asked] = clients.asked
    assert (asked.account, asked.region, asked.purpose) == ("tools", "eu-west-1", Purpose.DEPLOY)
    assert asked.scope.resources == (TOPIC,)


@pytest.mark.parametrize(
    ("code", "status", "permanent"),
    [
        ("Throttled", 429, False),
        ("InternalError", 500, False),
        ("AuthorizationError", 403, True),
        ("NotFound", 404, True),
        ("KMSAccessDenied", 400, True),
        ("SomethingNew", 400, True),
    ],
)
def test_a_refusal_is_told_apart_from_a_fault(code: str, status: int, *, permanent: bool) -> None:
    with stubbed("sns") as (client, stub):
        stub.add_client_error("publish", code, "said", http_status_code=status)
        with pytest.raises(NotifyError, match=code) as caught:
            SnsNotifier(StubClients(sns=client)).send(note(), CONFIGURATION, "")
    assert caught.value.permanent is permanent


def test_an_account_that_may_not_be_used_is_told_as_it_is() -> None:
    refused = AccountError("The role may not be assumed.", permanent=True)
    with pytest.raises(NotifyError, match="may not be assumed") as caught:
        SnsNotifier(StubClients(refuse=refused)).send(note(), CONFIGURATION, "")
    assert caught.value.permanent


def test_no_connection_is_no_reason_to_give_up() -> None:
    lost = EndpointConnectionError(endpoint_url="https://sns.eu-west-1.amazonaws.com")
    with pytest.raises(NotifyError, match="can not be reached") as caught:
        SnsNotifier(StubClients(refuse=lost)).send(note(), CONFIGURATION, "")
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"TopicArn": "towpath-releases"}, "is not the ARN of an SNS topic"),
        ({"Account": ""}, "name the registered account"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused(change: dict[str, str], mend: str) -> None:
    with pytest.raises(NotifyError, match=mend) as caught:
        SnsNotifier(StubClients()).send(note(), CONFIGURATION | change, "")
    assert caught.value.permanent
