"""A topic and its subscriptions: made once, refused with the mend, and what was sent arrives by its filter."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from controlplane.cli.notices import Place, make, place, tell
from controlplane.clock import ManualClock
from controlplane.notify.base import NotifyError
from controlplane.notify.sns import SnsNotifier
from controlplane.notify.sns_setup import Step, Wish, set_up, wish
from tests.controlplane.notify.notes import note
from tests.support.clients import StubClients, stubbed

REGION, TOPIC = "eu-west-1", "towpath-shop"
MAIL, PHONE, HOOK = ("email", "anne@example.com"), ("sms", "+4915112345678"), "https://a.example/h"
EVERYBODY = [MAIL, PHONE, ("https", HOOK)]


@pytest.fixture
def sns() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sns", region_name=REGION)


@pytest.fixture
def where() -> Place:
    return Place("tools", REGION, f"arn:aws:sns:{REGION}:123456789012")


def states(sns: Any, asked: Wish, where: Place, *, dry_run: bool = False) -> list[str]:
    return [one.state for one in set_up(sns, asked, where.root, dry_run=dry_run)]


def subscribed(sns: Any) -> set[tuple[str, str]]:
    found = sns.list_subscriptions()["Subscriptions"]
    return {(one["Protocol"], one["Endpoint"]) for one in found}


def test_what_is_missing_is_made_and_the_second_time_it_is_there(sns: Any, where: Place) -> None:
    asked = wish(TOPIC, EVERYBODY, key="alias/towpath")
    assert states(sns, asked, where) == ["made"] * 5
    assert subscribed(sns) == set(EVERYBODY)
    assert states(sns, asked, where) == ["there"] * 5
    assert len(sns.list_subscriptions()["Subscriptions"]) == 3


def test_one_more_address_leaves_the_others_alone(sns: Any, where: Place) -> None:
    states(sns, wish(TOPIC, [MAIL]), where)
    assert states(sns, wish(TOPIC, [MAIL, PHONE]), where) == ["there", "there", "made"]


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(sns: Any, where: Place) -> None:
    asked = wish(TOPIC, EVERYBODY, key="alias/towpath")
    assert states(sns, asked, where, dry_run=True) == ["would make"] * 5
    assert sns.list_topics()["Topics"] == [] and subscribed(sns) == set()


def test_what_a_person_must_still_do_is_said(sns: Any, where: Place) -> None:
    steps: list[Step] = list(set_up(sns, wish(TOPIC, [MAIL]), where.root))
    assert "press Confirm subscription" in steps[-1].to_do and MAIL[1] in steps[-1].to_do


@pytest.mark.parametrize(
    ("protocol", "address", "mend"),
    [
        ("email", "anne", "releases@example.com"),
        ("email", "a b@example.com", "releases@example.com"),
        ("sms", "0151 1234567", "with its country"),
        ("https", "http://a.example/h", "https://example.com/hook"),
        ("https", "https://user:secret@a.example/h", "without a password"),
        ("https", "https://[broken", "https://example.com/hook"),
    ],
)
def test_a_bad_address_is_refused_with_the_mend(protocol: str, address: str, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        wish(TOPIC, [(protocol, address)])


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("{", "give JSON such as"),
        ("[" * 2_000, "give JSON such as"),
        ('{"colour": ["red"]}', "no message has 'colour'"),
        ('{"severity": "page"}', "a list of texts"),
    ],
)
def test_a_bad_filter_is_refused_with_the_mend(text: str, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        wish(TOPIC, [MAIL], filter_text=text)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"--topic.*\n.*--email.*\n.*--filter"):
        wish("releases", [("email", "x")], filter_text="{")


def test_another_filter_than_there_is_is_said_and_not_overwritten(where: Place) -> None:
    arn = f"{where.root}:{TOPIC}"
    there = {"Protocol": MAIL[0], "Endpoint": MAIL[1], "SubscriptionArn": f"{arn}:1"}
    with stubbed("sns") as (client, stub):
        stub.add_response("get_topic_attributes", {"Attributes": {}})
        stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [there]})
        stub.add_client_error(
            "subscribe", "InvalidParameter", "Subscription already exists with different attributes"
        )
        asked = wish(TOPIC, [MAIL], filter_text='{"severity": ["page"]}')
        with pytest.raises(NotifyError, match="another filter policy: unsubscribe it"):
            list(set_up(client, asked, where.root))


def test_a_role_without_the_statement_is_told_which_one(where: Place) -> None:
    with stubbed("sns") as (client, stub):
        stub.add_client_error("get_topic_attributes", "AuthorizationError", "not authorized")
        with pytest.raises(NotifyError, match="needs SetUpNotices"):
            list(set_up(client, wish(TOPIC, []), where.root))


def test_it_is_made_by_the_accounts_deploy_role_narrowed_to_the_topic(sns: Any) -> None:
    clients = StubClients(sns=sns)
    there = place(clients, "tools", "")
    assert there.root == f"arn:aws:sns:{REGION}:111111111111"
    with pytest.raises(NotifyError, match="is registered for eu-west-1"):
        place(clients, "tools", "us-east-1")
    make(clients, wish(TOPIC, []), there, dry_run=True)
    assert clients.asked[-1].scope.resources == (f"{there.root}:{TOPIC}",)


class Heard:
    """A queue behind the topic, with a filter policy."""

    def __init__(self, sns: Any, topic: str, policy: dict[str, list[str]]) -> None:
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._url = self._sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:123456789012:heard"
        attributes = {"FilterPolicy": json.dumps(policy)}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def ids(self) -> list[str]:
        found = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        bodies = [json.loads(one["Body"]) for one in found.get("Messages", [])]
        return sorted(json.loads(body["Message"])["id"] for body in bodies)


@pytest.mark.parametrize(
    "policy",
    [
        {"account": ["prod"]},
        {"event": ["codepipeline-pipeline-stage-execution-failed"], "stage": ["Prod"]},
        {"severity": ["page"]},
    ],
)
def test_a_filter_policy_lets_through_what_it_asks_for(
    sns: Any, where: Place, policy: dict[str, list[str]]
) -> None:
    states(sns, wish(TOPIC, []), where)
    topic = f"{where.root}:{TOPIC}"
    heard = Heard(sns, topic, policy)
    wanted = {
        "accounts": ("test", "prod"),
        "notice": "codepipeline-pipeline-stage-execution-failed",
        "stage": "Prod",
        "severity": "page",
    }
    for told in (note(id="other", stage="Dev", accounts=("dev",)), note(id="wanted", **wanted)):
        SnsNotifier(StubClients(sns=sns)).send(told, {"TopicArn": topic, "Account": "tools"}, "")
    assert heard.ids() == ["wanted"]


def test_a_test_message_arrives_and_says_that_nothing_happened(sns: Any, where: Place) -> None:
    states(sns, wish(TOPIC, []), where)
    heard = Heard(sns, f"{where.root}:{TOPIC}", {"kind": ["notify.test"]})
    sent = tell(StubClients(sns=sns), TOPIC, where, ManualClock())
    assert heard.ids() == [sent]


def test_a_test_of_a_topic_that_is_not_there_is_refused(sns: Any, where: Place) -> None:
    with pytest.raises(NotifyError, match="Create the topic"):
        tell(StubClients(sns=sns), TOPIC, where, ManualClock())
    with pytest.raises(ClientError):
        sns.get_topic_attributes(TopicArn=f"{where.root}:{TOPIC}")
