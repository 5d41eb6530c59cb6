"""The sandbox's Slack holds to the real one's limits."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.clock import ManualClock
from controlplane.sandbox.slack import FakeSlack, serve_slack
from controlplane.sandbox.slack_rules import NotEmulatedError, complaint
from controlplane.sandbox.slack_signing import signed
from controlplane.sandbox.slack_workspace import MAX_MESSAGES, Workspace

TEXT = {"type": "mrkdwn", "text": "hello"}
SECTION = {"type": "section", "text": TEXT}
BUTTON = {
    "type": "button",
    "action_id": "approve",
    "value": "v",
    "text": {"type": "plain_text", "text": "Approve"},
}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = serve_slack()
    yield fake
    fake.stop()


def call(slack: FakeSlack, method: str, **arguments: object) -> Any:
    headers = {"Authorization": f"Bearer {arguments.pop('token', 'xoxb-sandbox')}"}
    return httpx.post(slack.url + method, json=arguments, headers=headers).json()


def test_a_message_is_posted_by_name_and_edited_by_id(slack: FakeSlack) -> None:
    posted = call(slack, "chat.postMessage", channel="#releases", text="one")
    edited = call(slack, "chat.update", channel=posted["channel"], ts=posted["ts"], text="two")
    assert (posted["channel"], edited["ok"]) == ("C1", True)
    assert [(m["text"], m["edits"]) for m in slack.messages()] == [("two", 1)]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C1", "text": "x", "token": "bad"}, "invalid_auth"),
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"channel": "C1", "text": "x" * 40_001}, "msg_too_long"),
        ("chat.update", {"channel": "C1", "ts": "1.1", "text": "x"}, "message_not_found"),
        ("chat.update", {"channel": "#releases", "ts": "1.1", "text": "x"}, "channel_not_found"),
        ("chat.invent", {}, "unknown_method"),
    ],
)
def test_the_errors_are_slacks(
    slack: FakeSlack, method: str, arguments: dict[str, str], error: str
) -> None:
    assert call(slack, method, **arguments)["error"] == error


@pytest.mark.parametrize(
    "blocks",
    [
        [SECTION] * 51,
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [{"type": "section", "fields": [TEXT] * 11}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2_001}]}],
        [{"type": "section"}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": TEXT}],
        [{"type": "actions", "elements": [BUTTON, BUTTON]}],
        [{"type": "actions", "elements": [BUTTON | {"value": "v" * 2_001}]}],
        [{"type": "actions", "elements": [BUTTON | {"style": "loud"}]}],
        [{"type": "actions", "elements": [BUTTON | {"confirm": {}}]}],
        [SECTION | {"block_id": "a"}, SECTION | {"block_id": "a"}],
    ],
)
def test_blocks_past_a_limit_are_invalid(blocks: list[dict[str, object]]) -> None:
    found = complaint("chat.postMessage", {"blocks": blocks})
    assert found is not None
    assert (found.error, bool(found.messages)) == ("invalid_blocks", True)


def test_a_message_as_a_whole_is_bounded() -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}
    assert complaint("chat.postMessage", {"blocks": [block] * 4}) is None
    found = complaint("chat.postMessage", {"blocks": [block] * 5})
    assert found is not None
    assert found.error == "msg_blocks_too_long"


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "text", "fields", "elements", "block_id"]),
            st.sampled_from([None, "section", "actions", "header", 7, [], [[]], [{}], {}, TEXT]),
        )
    )
)
def test_no_block_breaks_the_rules_themselves(blocks: list[dict[str, object]]) -> None:
    with suppress(NotEmulatedError):
        complaint("chat.postMessage", {"blocks": blocks})


def test_what_is_not_emulated_is_refused_with_400(slack: FakeSlack) -> None:
    body = {"channel": "C1", "blocks": [{"type": "video"}]}
    headers = {"Authorization": "Bearer xoxb-sandbox"}
    answer = httpx.post(slack.url + "chat.postMessage", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "not_emulated")


def test_a_rate_limit_ends_by_itself(slack: FakeSlack) -> None:
    slack.rate_limit("auth.test", times=1, retry_after=7)
    limited = httpx.post(slack.url + "auth.test")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert call(slack, "auth.test")["ok"] is True


def test_the_oldest_messages_go_when_there_are_too_many() -> None:
    workspace = Workspace({"C1": "releases"}, ManualClock())
    for number in range(MAX_MESSAGES + 1):
        posted = {"channel": "C1", "text": str(number)}
        workspace.call("chat.postMessage", "xoxb-sandbox", posted)
    assert [m["text"] for m in workspace.messages.values()][0 :: MAX_MESSAGES - 1] == ["1", "2000"]


def test_only_a_button_that_is_there_can_be_pressed(slack: FakeSlack) -> None:
    actions = {"type": "actions", "block_id": "b", "elements": [BUTTON]}
    ts = call(slack, "chat.postMessage", channel="C1", text="x", blocks=[actions])["ts"]
    _, body = slack.press(ts, "approve", user="U7")
    assert b"U7" in body
    with pytest.raises(LookupError, match="no button 'rollback'"):
        slack.press(ts, "rollback")


def test_the_signature_is_that_of_slacks_own_example() -> None:
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    secret, at = "8f742231b10e8888abcd99yyyzzz85a5", datetime.fromtimestamp(1531420618, UTC)
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    given_by_slack = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signed(body, at, secret)["X-Slack-Signature"] == given_by_slack
