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


def press_body(
    message: Mapping[str, Any], block: str, button: Mapping[str, Any], user: str, at: datetime
) -> bytes:
    """Write the body of a press of a button of a message."""
    channel, ts = message["channel"], message["ts"]
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": "T1"},
        "api_app_id": "A1",
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel,
            "is_ephemeral": False,
        },
        "trigger_id": f"{int(at.timestamp())}.1.sandbox",
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
    return urlencode({"payload": json.dumps(payload)}).encode()
