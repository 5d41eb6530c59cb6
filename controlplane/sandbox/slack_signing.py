"""How Slack signs what it sends, and the press of a button as it sends it.

https://docs.slack.dev/authentication/verifying-requests-from-slack
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

TOKEN = "xoxb-sandbox"  # noqa: S105 the sandbox's own, known to everyone
APP_TOKEN = "xapp-sandbox"  # noqa: S105 likewise
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 likewise
PEOPLE = {"U1": {"name": "demo", "role": "release-manager"}}
"""Who presses in this Slack, as TOWPATH_SLACK_PEOPLE has it."""


def signed(body: bytes, at: datetime, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Answer the headers that Slack sends with a body: its time, and the signature over both."""
    seconds = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), b"v0:" + seconds.encode() + b":" + body, hashlib.sha256)
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": seconds,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }


def form(payload: Mapping[str, Any]) -> bytes:
    """The body of a request with a payload."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def press_payload(
    message: Mapping[str, Any], block: str, button: Mapping[str, Any], user: str, at: datetime
) -> dict[str, Any]:
    """What Slack tells of a press of a button of a message."""
    channel, ts = message["channel"], message["ts"]
    return {
        "type": "block_actions",
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": "T1"},
        "api_app_id": "A1",
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel,
            "is_ephemeral": False,
        },
        "trigger_id": message["trigger_id"],
        "team": {"id": "T1", "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": message["channel_name"]},
        "message": {name: message[name] for name in ("ts", "text", "blocks")},
        "state": {"values": {}},
        "response_url": message["response_url"],
        "actions": [
            {
                "type": "button",
                "block_id": block,
                "action_ts": f"{at.timestamp():.6f}",
                **{k: button[k] for k in ("action_id", "text", "value", "style") if k in button},
            }
        ],
    }


def submission_payload(view: Mapping[str, Any], comment: str, user: str) -> dict[str, Any]:
    """What Slack tells of a modal that was sent off.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
    """
    typed = {"type": "plain_text_input", "value": comment or None}
    return {
        "type": "view_submission",
        "team": {"id": "T1", "domain": "sandbox"},
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": "T1"},
        "api_app_id": "A1",
        "trigger_id": "0.0.sandbox",
        "view": {
            "private_metadata": "",
            **view,
            "state": {"values": {"comment": {"comment": typed}}},
        },
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }


def command_payload(text: str, user: str, trigger: str, response_url: str) -> dict[str, str]:
    """What Slack tells of a slash command."""
    return {
        "token": "unused",
        "team_id": "T1",
        "team_domain": "sandbox",
        "channel_id": "C1",
        "channel_name": "releases",
        "user_id": user,
        "user_name": user.lower(),
        "command": "/towpath",
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }
