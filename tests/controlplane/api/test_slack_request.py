"""Slack's door: nothing is read that Slack did not sign, and nothing twice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from controlplane.api.slack_request import MAX_BODY, Refused, verify
from controlplane.notify.slack import SlackNotifier
from controlplane.sandbox.slack import FakeSlack, serve_slack
from controlplane.sandbox.slack_signing import SIGNING_SECRET, signed
from tests.controlplane.notify.notes import NOW, huge

DATA = Path(__file__).parents[4] / "shared" / "data" / "webhooks"

PAYLOAD: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1", "username": "ada"},
    "container": {"type": "message", "message_ts": "1.000001", "channel_id": "C1"},
    "response_url": "https://hooks.slack.com/actions/T1/1",
    "actions": [{"type": "button", "action_id": "approve", "value": "v", "action_ts": "2.5"}],
}


def body(**changes: Any) -> bytes:
    return urlencode({"payload": json.dumps(PAYLOAD | changes)}).encode()


def refusal(status: int, match: str) -> Any:
    return pytest.raises(Refused, match=match, check=lambda error: error.status == status)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = serve_slack(now=lambda: NOW)
    yield fake
    fake.stop()


def test_a_press_of_the_longest_message_is_within_the_size(slack: FakeSlack) -> None:
    thread = SlackNotifier("xoxb-sandbox", slack.url).send(huge(), {"Channel": "C1"}, "")
    headers, pressed = slack.press(thread.partition(":")[2], "approve")
    verify(headers, pressed, SIGNING_SECRET, NOW)


def test_slacks_own_example_is_verified_in_its_time_and_refused_by_age() -> None:
    vectors = json.loads((DATA / "signatures.json").read_text())
    [vector] = [one for one in vectors if one["scheme"].startswith("slack v0")]
    at = datetime.fromtimestamp(int(vector["headers"]["X-Slack-Request-Timestamp"]), UTC)
    verify(vector["headers"], vector["body"].encode(), vector["secret"], at)
    with refusal(401, "five minutes"):
        verify(vector["headers"], vector["body"].encode(), vector["secret"], NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_request_is_fresh_for_five_minutes_both_ways(seconds: int) -> None:
    headers = signed(body(), NOW)
    verify(headers, body(), SIGNING_SECRET, NOW + timedelta(seconds=seconds * 300 / 301))
    with refusal(401, "five minutes"):
        verify(headers, body(), SIGNING_SECRET, NOW + timedelta(seconds=seconds))


def test_one_changed_byte_is_refused() -> None:
    with refusal(401, "signature is not Slack's"):
        verify(signed(body(), NOW), body() + b"&", SIGNING_SECRET, NOW)


def test_a_moved_timestamp_is_refused() -> None:
    headers = signed(body(), NOW) | {"X-Slack-Request-Timestamp": str(int(NOW.timestamp()) + 1)}
    with refusal(401, "signature is not Slack's"):
        verify(headers, body(), SIGNING_SECRET, NOW)


def test_a_forged_press_is_refused() -> None:
    with refusal(401, "signature is not Slack's"):
        verify(signed(body(), NOW, "guessed"), body(), SIGNING_SECRET, NOW)


def test_an_oversize_body_is_refused_before_anything_else() -> None:
    with refusal(413, "over 65536 bytes"):
        verify({}, b"x" * (MAX_BODY + 1), SIGNING_SECRET, NOW)


def test_without_a_signing_secret_nothing_is_taken() -> None:
    with refusal(503, "No signing secret"):
        verify(signed(body(), NOW, " "), body(), "", NOW)


@pytest.mark.parametrize("stamp", ["", "\u0661\u0665", " 1", "1_0", "-1", "1e3", "9" * 5_000])
def test_a_timestamp_is_plain_digits(stamp: str) -> None:
    with refusal(401, "no timestamp"):
        verify({"X-Slack-Request-Timestamp": stamp}, b"", SIGNING_SECRET, NOW)


def test_header_names_are_read_in_any_case() -> None:
    headers = {name.lower(): value for name, value in signed(body(), NOW).items()}
    verify(headers, body(), SIGNING_SECRET, NOW)
