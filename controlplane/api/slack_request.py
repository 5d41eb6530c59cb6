"""The door for Slack's button presses: authenticated and bounded first, read only then.

https://docs.slack.dev/authentication/verifying-requests-from-slack
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BODY = 64 * 1024
MAX_AGE = timedelta(minutes=5)


class Refused(Exception):  # noqa: N818 it is the answer, not a fault of ours
    """The request is not taken; status is HTTP's, the message is a sentence for the log."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Press(BaseModel):
    """A press of one button. action is its action_id; value is signed (notify.buttons.read)."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    user_name: str
    action: str
    value: str
    channel: str
    message_ts: str
    response_url: str
    action_ts: str


class ReplayGuard(Protocol):
    """Remembers what came before."""

    def first_time(self, key: str, now: datetime) -> bool:
        """Answer whether the key is new, and remember it for twice MAX_AGE at least."""
        ...


class MemoryReplayGuard:
    """A guard for one process, bounded: the oldest keys go first. Safe under threads.

    Only requests that Slack signed get this far, so nobody else can push keys out.
    """

    def __init__(self, size: int = 10_000) -> None:
        """Remember at most so many keys."""
        self._size, self._seen = size, OrderedDict[str, datetime]()
        self._lock = threading.Lock()

    def first_time(self, key: str, now: datetime) -> bool:
        """Answer whether the key is new, and remember it."""
        with self._lock:
            while self._seen and next(iter(self._seen.values())) < now - 2 * MAX_AGE:
                self._seen.popitem(last=False)
            if key in self._seen:
                return False
            self._seen[key] = now
            if len(self._seen) > self._size:
                self._seen.popitem(last=False)
            return True


def accept(
    headers: Mapping[str, str], body: bytes, signing_secret: str, now: datetime, guard: ReplayGuard
) -> Press:
    """Verify, refuse what came before, and read: all that a route has to call. Raises Refused."""
    verify(headers, body, signing_secret, now)
    if not guard.first_time(replay_key(headers), now):
        raise Refused(409, "This press was received before.")
    return parse_press(body)


def verify(headers: Mapping[str, str], body: bytes, signing_secret: str, now: datetime) -> None:
    """Raise Refused unless Slack signed this body within five minutes of now."""
    if len(body) > MAX_BODY:
        raise Refused(413, f"The request is over {MAX_BODY} bytes.")
    if not signing_secret:
        raise Refused(503, "No signing secret of Slack is set; set it in the settings.")
    seconds = _header(headers, "x-slack-request-timestamp")
    if not re.fullmatch(r"[0-9]{1,12}", seconds):
        raise Refused(401, "The request has no timestamp of Slack.")
    if abs(now.timestamp() - int(seconds)) > MAX_AGE.total_seconds():
        raise Refused(401, "The request's timestamp is over five minutes away from our clock.")
    signed = b"v0:" + seconds.encode() + b":" + body
    expected = "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(_signature(headers), expected.encode()):
        raise Refused(401, "The request's signature is not Slack's.")


def replay_key(headers: Mapping[str, str]) -> str:
    """Answer the signature of a verified request, which is over its time and all of its body."""
    return _signature(headers).decode()


def parse_press(body: bytes) -> Press:
    """Read a verified body; Refused (400) where it is not one press of one button."""
    try:
        form = parse_qs(body.decode(), max_num_fields=10)
        if len(form.get("payload", [])) != 1:
            raise Refused(400, "The request has no payload.")
        payload = _Payload.model_validate_json(form["payload"][0])
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(
            400, f"The payload is no press of a button: {where}: {first['msg']}."
        ) from None
    except ValueError:
        raise Refused(400, "The request's body can not be read.") from None
    return Press(
        user_id=payload.user.id,
        user_name=payload.user.username or payload.user.name or payload.user.id,
        action=payload.actions[0].action_id,
        value=payload.actions[0].value,
        channel=payload.container.channel_id,
        message_ts=payload.container.message_ts,
        response_url=payload.response_url,
        action_ts=payload.actions[0].action_ts,
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _signature(headers: Mapping[str, str]) -> bytes:
    return _header(headers, "x-slack-signature").encode("ascii", "replace")


_Id = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,30}$")]
_Ts = Annotated[str, Field(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]
_Text = Annotated[str, Field(max_length=255)]


class _User(BaseModel):
    id: _Id
    username: _Text = ""
    name: _Text = ""


class _Container(BaseModel):
    type: Literal["message"]
    channel_id: _Id
    message_ts: _Ts


class _Action(BaseModel):
    type: Literal["button"]
    action_id: Annotated[str, Field(min_length=1, max_length=255)]
    value: Annotated[str, Field(max_length=2_000)] = ""
    action_ts: _Ts


class _Payload(BaseModel):
    type: Literal["block_actions"]
    user: _User
    container: _Container
    actions: Annotated[list[_Action], Field(min_length=1, max_length=1)]
    response_url: Annotated[str, Field(max_length=1_000)] = ""
