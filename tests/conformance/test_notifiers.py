"""What every channel of the registry holds to, each against its own fake.

A new channel adds a line to PLACES; without one the suite fails.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import boto3
import httpx
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from controlplane.clock import ManualClock
from controlplane.notify.base import Notifier, NotifyError
from controlplane.notify.registry import NOTIFIERS, Parts
from controlplane.sandbox.slack import serve_slack
from tests.controlplane.notify.notes import huge, note
from tests.support.clients import StubClients, client
from tests.support.loopback import Answer, loopback

SECRETS = ("xoxb-sandbox", "a-secret-of-the-team", "made-up-for-tests")


@dataclass
class Place:
    """One channel with its fake. received: what arrived, as text, oldest first."""

    notifier: Notifier
    configuration: Mapping[str, str]
    received: Callable[[], list[str]]
    fail_once: Callable[[], None]
    wrong: Mapping[str, str]
    threaded: bool


def parts(
    clients: StubClients | None = None, slack_url: str = "", http: httpx.Client | None = None
) -> Parts:
    return Parts(
        clients=clients or StubClients(),
        now=ManualClock(),
        slack_token="xoxb-sandbox",
        slack_url=slack_url,
        http=http or httpx.Client(),
        environ={"HOOK": "a-secret-of-the-team"},
    )


@contextmanager
def slack_place() -> Iterator[Place]:
    slack = serve_slack()
    yield Place(
        notifier=NOTIFIERS["Slack"](parts(slack_url=slack.url)),
        configuration={"Channel": "#releases"},
        received=lambda: [str(message) for message in slack.messages()],
        fail_once=lambda: slack.rate_limit("chat.postMessage", retry_after=3),
        wrong={"Channel": "#nowhere"},
        threaded=True,
    )
    slack.stop()


@contextmanager
def eventbridge_place() -> Iterator[Place]:
    with mock_aws():
        working = boto3.client("events", region_name="eu-west-1")
        taken: list[str] = []
        working.meta.events.register(
            "provide-client-params.events.PutEvents", lambda params, **_: taken.append(str(params))
        )
        throttled = client("events")
        stub = Stubber(throttled)
        stub.add_client_error("put_events", "ThrottlingException", http_status_code=400)
        stub.activate()
        clients = StubClients(events=working)
        yield Place(
            notifier=NOTIFIERS["EventBridge"](parts(clients)),
            configuration={"Account": "tools", "Region": "eu-west-1"},
            received=lambda: taken,
            fail_once=lambda: clients.by_name.update({"events": throttled}),
            wrong={"Source": "aws.codepipeline"},
            threaded=False,
        )


@contextmanager
def sns_place() -> Iterator[Place]:
    with mock_aws():
        working = boto3.client("sns", region_name="eu-west-1")
        arn = working.create_topic(Name="towpath-releases")["TopicArn"]
        topic = sns_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].topics[arn]
        throttled = client("sns")
        stub = Stubber(throttled)
        stub.add_client_error("publish", "Throttled", "Rate exceeded", http_status_code=429)
        stub.activate()
        clients = StubClients(sns=working)
        yield Place(
            notifier=NOTIFIERS["SNS"](parts(clients)),
            configuration={"TopicArn": arn, "Account": "tools", "Region": "eu-west-1"},
            received=lambda: [str(sent) for sent in topic.sent_notifications],
            fail_once=lambda: clients.by_name.update({"sns": throttled}),
            wrong={"TopicArn": f"{arn}-other"},
            threaded=False,
        )


@contextmanager
def webhook_place() -> Iterator[Place]:
    failures: list[Answer] = []
    with (
        httpx.Client() as http,
        loopback(lambda _: failures.pop() if failures else Answer(200)) as working,
        loopback(lambda _: Answer(404)) as missing,
    ):
        yield Place(
            notifier=NOTIFIERS["Webhook"](parts(http=http)),
            configuration={"Url": f"{working.url}/hook", "SecretEnv": "HOOK"},
            received=lambda: [request.body.decode() for request in working.requests],
            fail_once=lambda: failures.append(Answer(503, headers={"Retry-After": "3"})),
            wrong={"Url": missing.url},
            threaded=False,
        )


PLACES: Mapping[str, Callable[[], AbstractContextManager[Place]]] = {
    "EventBridge": eventbridge_place,
    "SNS": sns_place,
    "Slack": slack_place,
    "Webhook": webhook_place,
}


@pytest.fixture(params=NOTIFIERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with PLACES[request.param]() as made:
        yield made


def test_a_note_arrives(place: Place) -> None:
    place.notifier.send(note(), place.configuration, "")
    [arrived] = place.received()
    for part in ("shop", "prod failed", "ex-42", "The alarm shop-prod-errors"):
        assert part in arrived


def test_the_thread_is_handed_back_where_the_channel_has_one(place: Place) -> None:
    thread = place.notifier.send(note(), place.configuration, "")
    assert bool(thread) is place.threaded
    assert place.notifier.send(note(id="evt_2"), place.configuration, thread) == thread


def test_a_fault_that_passes_is_not_permanent(place: Place) -> None:
    place.fail_once()
    with pytest.raises(NotifyError) as caught:
        place.notifier.send(note(), place.configuration, "")
    assert not caught.value.permanent


def test_a_place_that_is_not_there_is_permanent_and_the_mend_is_said(place: Place) -> None:
    with pytest.raises(NotifyError, match=r"[Cc]orrect \w+") as caught:
        place.notifier.send(note(), {**place.configuration, **place.wrong}, "")
    assert caught.value.permanent


def test_an_empty_configuration_is_permanent(place: Place) -> None:
    with pytest.raises(NotifyError) as caught:
        place.notifier.send(note(), {}, "")
    assert caught.value.permanent


def test_no_error_has_a_secret_in_it(place: Place) -> None:
    place.fail_once()
    for configuration in ({}, place.configuration, {**place.configuration, **place.wrong}):
        with pytest.raises(NotifyError) as caught:
            place.notifier.send(note(), configuration, "")
        assert not [secret for secret in SECRETS if secret in repr(caught.value)]


def test_a_huge_note_full_of_markup_arrives_cut(place: Place) -> None:
    thread = place.notifier.send(huge(), place.configuration, "")
    place.notifier.send(huge(), place.configuration, thread)
    assert len(place.received()) == 2
    assert all("…" in one or "\\u2026" in one for one in place.received())


def test_nothing_secret_shows_where_the_parts_are_printed() -> None:
    with httpx.Client() as http:
        printed = repr(parts(http=http))
    assert not [secret for secret in SECRETS if secret in printed]
