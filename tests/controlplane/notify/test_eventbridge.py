"""EventBridge: what a call holds, and what becomes of each entry."""

from collections.abc import Sequence
from typing import Any

import pytest

from accounts.base import AccountError
from accounts.models import Purpose
from controlplane.notify.base import Note, NotifyError, StateChange
from controlplane.notify.eventbridge import MOST_BYTES, EventBridgeNotifier, size
from tests.controlplane.notify.notes import note
from tests.support.clients import StubClients, stubbed

CONFIGURATION = {"Account": "tools", "Region": "eu-west-1"}
TAKEN: dict[str, str] = {"EventId": "0" * 36}


def of_size(length: int) -> Note:
    return note(
        changes=(StateChange("CodePipeline Stage Execution State Change", {"x": "y" * length}),)
    )


def put(
    notes: Sequence[Note], *answers: list[dict[str, str]], **configuration: str
) -> tuple[list[NotifyError | None], list[dict[str, Any]], StubClients]:
    """What came of it, and the calls that were made, checked against botocore's own shapes."""
    calls: list[dict[str, Any]] = []
    with stubbed("events") as (client, stub):
        client.meta.events.register(
            "provide-client-params.events.PutEvents", lambda params, **_: calls.append(params)
        )
        for entries in answers:
            failed = sum("ErrorCode" in one for one in entries)
            stub.add_response("put_events", {"FailedEntryCount": failed, "Entries": entries})
        clients = StubClients(events=client)
        told = EventBridgeNotifier(clients).send_many(notes, CONFIGURATION | configuration)
    return told, calls, clients


def test_an_entry_is_of_our_source_and_of_the_pipelines_arn() -> None:
    told, [call], clients = put([note()], [TAKEN])
    [entry] = call["Entries"]
    assert told == [None]
    assert (entry["Source"], entry["EventBusName"]) == ("towpath.codepipeline", "default")
    assert entry["Resources"] == ["arn:aws:codepipeline:eu-west-1:000000000000:shop"]
    [asked] = clients.asked
    assert (asked.purpose, asked.scope.resources) == (
        Purpose.DEPLOY,
        ("arn:aws:events:eu-west-1:111111111111:event-bus/default",),
    )


def test_only_what_was_not_taken_failed_and_only_what_may_pass_is_tried_again() -> None:
    answers = [TAKEN, {"ErrorCode": "InternalFailure"}, {"ErrorCode": "MalformedDetail"}]
    told, _, _ = put([note(), note(), note()], answers)
    assert [None if one is None else one.permanent for one in told] == [None, False, True]


def test_ten_go_by_one_call_and_the_eleventh_by_the_next() -> None:
    _, calls, _ = put([note()] * 11, [TAKEN] * 10, [TAKEN])
    assert [len(call["Entries"]) for call in calls] == [10, 1]


def test_a_call_holds_no_more_than_256_kb() -> None:
    _, calls, _ = put([of_size(100_000)] * 3, [TAKEN] * 2, [TAKEN])
    assert [len(call["Entries"]) for call in calls] == [2, 1]
    assert all(sum(map(size, call["Entries"])) <= MOST_BYTES for call in calls)


def test_a_bus_of_another_account_is_named_by_its_arn() -> None:
    bus = "arn:aws:events:us-east-1:999999999999:event-bus/central"
    _, [call], clients = put([note()], [TAKEN], EventBusName=bus, Region="")
    assert call["Entries"][0]["EventBusName"] == bus
    assert (clients.asked[0].region, clients.asked[0].scope.resources) == ("us-east-1", (bus,))


def test_what_codepipeline_does_not_tell_makes_no_call() -> None:
    assert put([note(changes=())])[0] == [None]


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"Source": "aws.codepipeline"}, "Correct Source"),
        ({"Account": ""}, "name the registered account"),
        ({"Region": ""}, "Correct Region"),
        ({"Account": "nobody"}, "known: "),
    ],
)
def test_a_configuration_that_can_not_work_is_refused(change: dict[str, str], mend: str) -> None:
    with pytest.raises(NotifyError, match=mend) as caught:
        EventBridgeNotifier(StubClients()).send(note(), CONFIGURATION | change, "")
    assert caught.value.permanent


def test_a_call_that_we_hold_back_ourselves_is_due_when_it_is_its_turn() -> None:
    held = AccountError("its turn comes", permanent=False, retry_after=7)
    with pytest.raises(NotifyError) as caught:
        EventBridgeNotifier(StubClients(refuse=held)).send(note(), CONFIGURATION, "")
    assert (caught.value.permanent, caught.value.retry_after) == (False, 7)
