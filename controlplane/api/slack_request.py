"""What Slack sends by HTTP is authenticated and bounded first, and read only then.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

MAX_BODY = 64 * 1024
MAX_AGE = timedelta(minutes=5)


class Refused(Exception):  # noqa: N818 it is the answer, not a fault of ours
    """The request is not taken; status is HTTP's, the message is a sentence for the log."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


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


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _signature(headers: Mapping[str, str]) -> bytes:
    return _header(headers, "x-slack-signature").encode("ascii", "replace")
