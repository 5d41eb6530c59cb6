"""Events come twice, later, or in any order, and none is lost."""

import json
from collections.abc import Callable

import pytest

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import emit, tick
from tests.controlplane.sandbox.conftest import REGION, ClientOf, FaultsOf

Heard = Callable[[], list[int]]


@pytest.fixture
def heard(client: ClientOf, account: str) -> Heard:
    """A queue that hears the account's events; answers the numbers that arrived since the last."""
    sqs, events = client("sqs", account), client("events", account)
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    pattern = json.dumps({"source": ["aws.shop"]})
    events.put_rule(Name="all", EventPattern=pattern)
    arn = f"arn:aws:sqs:{REGION}:{account}:heard"
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": arn}])

    def numbers() -> list[int]:
        found: list[int] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"):
            found.append(json.loads(messages[0]["Body"])["detail"]["n"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return found

    return numbers


def tell(account: str, *numbers: int, kind: str = "Test") -> None:
    for n in numbers:
        emit.event(account, REGION, "aws.shop", kind, {"n": n})


def test_an_event_comes_twice(heard: Heard, faults: FaultsOf, account: str) -> None:
    faults({"fault": "event_duplicated", "service": "shop", "account": account, "times": 1})
    tell(account, 1, 2)
    assert heard() == [1, 1, 2]


def test_a_rule_may_be_about_one_kind_of_event(
    heard: Heard, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "event_duplicated", "operation": "Other Kind", "account": account})
    tell(account, 1)
    tell(account, 2, kind="Other Kind")
    assert heard() == [1, 2, 2]


def test_an_event_that_is_delayed_comes_with_a_later_tick(
    by_hand: ManualClock, heard: Heard, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "event_delayed", "seconds": 5, "account": account, "times": 1})
    tell(account, 1, 2)
    tick()
    assert heard() == [2]
    by_hand.advance(5)
    tick()
    assert heard() == [1]


def test_events_that_are_reordered_all_come_and_by_the_seed(
    heard: Heard, faults: FaultsOf, account: str
) -> None:
    seen = []
    for seed in (5, 5):
        faults({"fault": "event_reordered", "among": 6, "account": account}, seed=seed)
        tell(account, 1, 2, 3, 4, 5, 6)
        seen.append(heard())
    assert seen[0] == seen[1] != [1, 2, 3, 4, 5, 6]
    assert sorted(seen[0]) == [1, 2, 3, 4, 5, 6]


def test_the_last_ones_of_a_lot_do_not_wait_for_ever(
    by_hand: ManualClock, heard: Heard, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "event_reordered", "among": 6, "seconds": 9, "account": account})
    tell(account, 1)
    assert heard() == []
    by_hand.advance(9)
    tick()
    assert heard() == [1]


def test_what_a_rule_kept_comes_when_it_is_deleted(
    heard: Heard, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "event_delayed", "seconds": 500, "account": account})
    tell(account, 1)
    faults()
    tick()
    assert heard() == [1]
