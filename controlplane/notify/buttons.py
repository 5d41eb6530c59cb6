"""The value of a button: which move it asks for, signed so that no other can be asked for with it.

Slack gives the value back with the press. It is bound to the execution, the stage, the action and
the approval token, so that a press of an old message can not approve anything newer.
"""

import base64
import hashlib
import hmac
import json
from typing import NamedTuple

MAX_VALUE = 2_000
"""Slack's limit: https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

EXTENSION = 30
"""Minutes that the button adds to a bake."""

_PURPOSE = (
    b"towpath button v1:"  # so that no other thing signed with the secret passes for a button
)


class Press(NamedTuple):
    """The move that a button asks for."""

    action: str  # "approve", "reject", "pass", "extend", "rollback", "hold", "resume"
    execution: str
    stage: str
    action_name: str
    token: str
    evidence: str = ""  # the hash of what there was to see; "" for a button of a version before


def sign(  # noqa: PLR0913 - what a button is bound to
    action: str,
    execution: str,
    stage: str,
    action_name: str,
    token: str,
    secret: str,
    evidence: str = "",
) -> str:
    """Make the value of a button, at most 2,000 ASCII characters; ValueError where it is longer."""
    bound = [action, execution, stage, action_name, token, *([evidence] if evidence else [])]
    fields = json.dumps(bound, separators=(",", ":"))
    payload = base64.urlsafe_b64encode(fields.encode()).decode()
    value = f"{payload}.{_mac(payload, secret)}"
    if len(value) > MAX_VALUE:
        raise ValueError(f"The value of the button {action!r} is longer than {MAX_VALUE}.")
    return value


def read(value: str, secret: str) -> Press:
    """Answer the move that a button's value asks for; ValueError where we did not sign it."""
    payload, _, mac = value.partition(".")
    if not hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(payload, secret).encode()):
        raise ValueError("The button was not signed by this Towpath, or it was changed.")
    return Press(*json.loads(base64.urlsafe_b64decode(payload)))


def _mac(payload: str, secret: str) -> str:
    if not secret:
        raise ValueError("There is no secret to sign buttons with; set one in the settings.")
    signed = _PURPOSE + payload.encode("utf-8", "replace")
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()
