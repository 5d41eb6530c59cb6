"""Slack's door: nothing is read that Slack did not sign, and nothing twice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.slack_request import (
    MAX_BODY,
    MemoryReplayGuard,
    Press,
    Refused,
    accept,
    parse_press,
    replay_key,
    verify,
)
from controlplane.notify.buttons import read
from controlplane.notify.slack import SlackNotifier
from controlplane.sandbox.slack import FakeSlack, serve_slack
from controlplane.sandbox.slack_signing import SIGNING_SECRET, signed
from tests.controlplane.notify.notes import NOW, SECRET, huge, note

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


def test_a_press_in_slack_comes_out_as_the_move_it_was_signed_for(slack: FakeSlack) -> None:
    thread = SlackNotifier("xoxb-sandbox", slack.url).send(note(), {"Channel": "C1"}, "")
    headers, pressed = slack.press(thread.partition(":")[2], "approve", user="U7")
    press = accept(headers, pressed, SIGNING_SECRET, NOW, MemoryReplayGuard())
    assert (press.user_id, press.action, press.channel) == ("U7", "approve", "C1")
    assert thread == f"{press.channel}:{press.message_ts}"
    assert read(press.value, SECRET).token == "t1"


def test_a_press_of_the_longest_message_is_within_the_size(slack: FakeSlack) -> None:
    thread = SlackNotifier("xoxb-sandbox", slack.url).send(huge(), {"Channel": "C1"}, "")
    headers, pressed = slack.press(thread.partition(":")[2], "approve")
    assert accept(headers, pressed, SIGNING_SECRET, NOW, MemoryReplayGuard()).action == "approve"


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


def test_a_replay_is_refused() -> None:
    guard, headers = MemoryReplayGuard(), signed(body(), NOW)
    accept(headers, body(), SIGNING_SECRET, NOW, guard)
    with refusal(409, "received before"):
        accept(headers, body(), SIGNING_SECRET, NOW + timedelta(minutes=4), guard)


def test_a_forged_request_does_not_use_up_the_real_ones_key() -> None:
    guard, headers = MemoryReplayGuard(), signed(body(), NOW)
    with refusal(401, "signature"):
        accept(headers, b"other", SIGNING_SECRET, NOW, guard)
    assert guard.first_time(replay_key(headers), NOW)


def test_the_guard_is_bounded_and_forgets_what_is_too_old_to_verify() -> None:
    guard = MemoryReplayGuard(size=2)
    assert [guard.first_time(key, NOW) for key in "aabca"] == [True, False, True, True, True]
    assert guard.first_time("c", NOW + timedelta(minutes=11))
    assert len(guard._seen) == 1


def test_a_press_is_read() -> None:
    assert parse_press(body()) == Press(
        user_id="U1",
        user_name="ada",
        action="approve",
        value="v",
        channel="C1",
        message_ts="1.000001",
        response_url="https://hooks.slack.com/actions/T1/1",
        action_ts="2.5",
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"type": "view_submission"}, "type"),
        ({"user": {"id": "<@U1>"}}, "user.id"),
        ({"actions": []}, "actions"),
        ({"actions": PAYLOAD["actions"] * 2}, "actions"),
        ({"actions": [PAYLOAD["actions"][0] | {"value": "v" * 2_001}]}, "actions.0.value"),
        ({"actions": [PAYLOAD["actions"][0] | {"type": "static_select"}]}, "actions.0.type"),
        ({"container": {"type": "view", "view_id": "V1"}}, "container.type"),
    ],
)
def test_what_is_not_one_press_of_one_button_is_refused(
    changes: dict[str, Any], match: str
) -> None:
    with refusal(400, f"no press of a button: {match}"):
        parse_press(body(**changes))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"payload=",
        b"payload=%5B" + b"%5B" * 20_000,
        b"payload=1&payload=2",
        b"\xff\xfe",
        b"&".join([b"a=1"] * 50),
        b"payload=" + b"9" * 10_000,
    ],
)
def test_what_can_not_be_read_is_refused(raw: bytes) -> None:
    with refusal(400, r"payload|can not be read"):
        parse_press(raw)


@pytest.mark.parametrize("name", sorted(path.name for path in (DATA / "slack").glob("*.json")))
def test_other_things_that_slack_sends_are_refused_not_misread(name: str) -> None:
    raw = (DATA / "slack" / name).read_text()
    with refusal(400, "no press of a button"):
        parse_press(urlencode({"payload": raw}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list(PAYLOAD)), inner)
    ),
)


@given(
    st.binary()
    | JSON.map(lambda value: urlencode({"payload": json.dumps(value)}).encode())
    | st.dictionaries(st.sampled_from(list(PAYLOAD)), JSON).map(lambda changes: body(**changes))
)
def test_no_body_raises_anything_but_refused(raw: bytes) -> None:
    try:
        press = parse_press(raw)
    except Refused as refused:
        assert refused.status == 400  # noqa: PT017 it may also be a press
    else:
        assert isinstance(press, Press)


@given(st.dictionaries(st.sampled_from(list(signed(b"", NOW))), st.text()), st.binary())
def test_no_headers_raise_anything_but_refused(headers: dict[str, str], raw: bytes) -> None:
    with refusal(401, "timestamp|signature"):
        verify(headers, raw, SIGNING_SECRET, NOW)


def test_the_vendors_data_is_there() -> None:
    assert (DATA / "slack").is_dir()
