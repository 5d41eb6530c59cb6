import json
import logging
from typing import Any

import pytest

from controlplane.actions.base import ActionError, SourceEvent, WorkEvent
from controlplane.actions.sqs_feed import Queue, SqsFeed
from controlplane.clock import ManualClock
from monitors.heard import Heard
from tests.controlplane.actions.test_envelopes import BUILD, build, created, deployed, pushed
from tests.support.clients import REGION, FakeRegistry, StubClients, account, stubbed

URL = "https://sqs.eu-west-1.amazonaws.com/111111111111/towpath-source-events"


def message(body: Any, receipt: str = "r1") -> dict[str, str]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"MessageId": f"m-{receipt}", "ReceiptHandle": receipt, "Body": text}


def feed_of(
    client: Any, registry: FakeRegistry | None = None, heard: Heard | None = None
) -> SqsFeed:
    return SqsFeed(StubClients(registry), Queue("tools", REGION, URL), sqs=client, heard=heard)


def asked() -> dict[str, Any]:
    return {"QueueUrl": URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}


def deleting(*receipts: str) -> dict[str, Any]:
    entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(receipts)]
    return {"QueueUrl": URL, "Entries": entries}


DELETED: dict[str, Any] = {"Successful": [], "Failed": []}


def test_an_event_is_given_out_and_stays_until_it_is_done() -> None:
    with stubbed("sqs") as (client, stub):
        stub.add_response("receive_message", {"Messages": [message(created())]}, asked())
        feed = feed_of(client)
        (event,) = feed.receive()
        assert isinstance(event, SourceEvent)
        assert (event.provider, event.revision.id, event.receipt) == ("S3", "v1", "r1")
        stub.add_response("delete_message_batch", DELETED, deleting("r1"))
        feed.done(["r1"])


def test_what_is_not_for_us_is_dropped_counted_and_told_without_its_body(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strange = message({"secret": "hunter2"}, "r1")
    messages = [strange, message("{", "r2"), message(created(), "r3")]
    with stubbed("sqs") as (client, stub), caplog.at_level(logging.WARNING):
        stub.add_response("receive_message", {"Messages": messages}, asked())
        stub.add_response("delete_message_batch", DELETED, deleting("r1", "r2"))
        feed = feed_of(client)
        assert [event.receipt for event in feed.receive()] == ["r3"]
    assert feed.dropped == {"no event for us": 1, "no JSON": 1}
    assert "m-r1" in caplog.text
    assert "hunter2" not in caplog.text


def test_an_image_matches_in_every_account_registered_under_that_id() -> None:
    registry = FakeRegistry(account("a", "1" * 12), account("b", "1" * 12), account("c", "2" * 12))
    with stubbed("sqs") as (client, stub):
        stub.add_response("receive_message", {"Messages": [message(pushed())]}, asked())
        events = feed_of(client, registry).receive()
    sources = [event for event in events if isinstance(event, SourceEvent)]
    assert [event.matches["Account"] for event in sources] == ["a", "b"]
    assert {event.receipt for event in events} == {"r1"}


def test_an_image_of_a_strange_account_is_dropped() -> None:
    strange = message({**pushed(), "account": "999999999999"})
    with stubbed("sqs") as (client, stub):
        stub.add_response("receive_message", {"Messages": [strange]}, asked())
        stub.add_response("delete_message_batch", DELETED, deleting("r1"))
        feed = feed_of(client)
        assert feed.receive() == []
    assert feed.dropped == {"an account that is not registered": 1}


def received(body: Any, heard: Heard | None = None, *, kept: bool = True) -> list[Any]:
    """The events of one message; where there are none, it is taken off the queue."""
    with stubbed("sqs") as (client, stub):
        stub.add_response("receive_message", {"Messages": [message(body)]}, asked())
        if not kept:
            stub.add_response("delete_message_batch", DELETED, deleting("r1"))
        return list(feed_of(client, heard=heard).receive())


def test_the_end_of_a_deployment_is_given_out_for_its_account_and_region() -> None:
    (event,) = received(deployed("FAILURE"))
    assert event == WorkEvent("prod", REGION, "d-123456789", "r1")


def test_the_beginning_of_a_deployment_shows_that_its_account_can_be_heard() -> None:
    heard = Heard(ManualClock())
    assert received(deployed("START"), heard, kept=False) == []
    assert heard.lately("prod", REGION)


def test_a_build_that_ended_says_nothing_of_deployments() -> None:
    heard = Heard(ManualClock())
    (event,) = received(build(), heard)
    assert event == WorkEvent("prod", REGION, f"shop:{BUILD}", "r1")
    assert not heard.lately("prod", REGION)


@pytest.mark.parametrize("strange", [{"account": "9" * 12}, {"region": "us-east-1"}])
def test_a_deployment_of_a_place_that_is_not_registered_is_dropped(
    strange: dict[str, str],
) -> None:
    heard, body = Heard(ManualClock()), deployed()
    body = {**body, **strange, "detail": {**body["detail"], **strange}}
    assert received(body, heard, kept=False) == []
    assert not heard.lately("prod", REGION)


def test_more_than_ten_are_deleted_in_two_calls_each_receipt_once() -> None:
    receipts = [f"r{n}" for n in range(12)]
    with stubbed("sqs") as (client, stub):
        stub.add_response("delete_message_batch", DELETED, deleting(*receipts[:10]))
        stub.add_response("delete_message_batch", DELETED, deleting(*receipts[10:]))
        feed_of(client).done([*receipts, "r0"])


def test_a_missing_queue_is_said() -> None:
    with stubbed("sqs") as (client, stub):
        stub.add_client_error("receive_message", "QueueDoesNotExist", "no such queue")
        with pytest.raises(ActionError, match=f"read the queue {URL}"):
            feed_of(client).receive()
