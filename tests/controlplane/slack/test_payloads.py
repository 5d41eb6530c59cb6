"""What Slack sends is read strictly, and nothing else is taken for a press."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from controlplane.slack import payloads
from controlplane.slack.payloads import Asked, UnreadableError

DATA = Path(__file__).parents[4] / "shared" / "data" / "webhooks" / "slack"

PAYLOAD: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1", "username": "ada"},
    "container": {"type": "message", "message_ts": "1.000001", "channel_id": "C1"},
    "response_url": "https://hooks.slack.com/actions/T1/1",
    "trigger_id": "1.1.x",
    "actions": [{"type": "button", "action_id": "approve", "value": "v", "action_ts": "2.5"}],
}


def test_a_press_is_read() -> None:
    assert payloads.press(PAYLOAD)[1] == Asked(
        user="U1",
        text="v",
        channel="C1",
        message_ts="1.000001",
        response_url="https://hooks.slack.com/actions/T1/1",
        trigger_id="1.1.x",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"user": {"id": "U2"}},
        {"actions": [PAYLOAD["actions"][0] | {"action_ts": "2.6"}]},
        {"actions": [PAYLOAD["actions"][0] | {"value": "w"}]},
        {"container": PAYLOAD["container"] | {"message_ts": "1.000002"}},
    ],
)
def test_another_press_has_another_key(changes: dict[str, Any]) -> None:
    assert payloads.press(PAYLOAD)[0] == payloads.press(PAYLOAD | {"trigger_id": "2.2.x"})[0]
    assert payloads.press(PAYLOAD)[0] != payloads.press(PAYLOAD | changes)[0]


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
    with pytest.raises(UnreadableError, match=f"^{match}"):
        payloads.press(PAYLOAD | changes)


@pytest.mark.parametrize("read", [payloads.press, payloads.command, payloads.submitted])
@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.json")))
def test_other_things_that_slack_sends_are_refused_not_misread(
    name: str, read: Callable[[Mapping[str, Any]], Any]
) -> None:
    with pytest.raises(UnreadableError):
        read(json.loads((DATA / name).read_text()))
