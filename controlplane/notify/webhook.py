"""A webhook: the note's document posted as JSON, signed after Standard Webhooks.

Configuration: Url; SecretEnv: the name of the environment variable that holds the secret ("whsec_"
and base64, or any other text, whose bytes are then the key).
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from controlplane.clock import Clock
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.message import cut, encoded

TIMEOUT = 5.0  # seconds
MAX_RETRY_AFTER = 3_600.0  # seconds: a receiver may not silence us for longer

BUSY = {408, 425, 429}


class WebhookNotifier:
    """Posts to an address of the team's own. Has no thread."""

    def __init__(self, http: httpx.Client, now: Clock, environ: Mapping[str, str]) -> None:
        """Take an HTTP client, a clock, and where the secrets are read from."""
        self._http, self._now, self._environ = http, now, environ

    def send(
        self,
        note: Note,
        configuration: Mapping[str, str],
        thread: str,  # noqa: ARG002 the contract's; this channel has none
    ) -> str:
        """Post the document; any 2xx is taken for received. Answers no thread."""
        url = _url(configuration.get("Url", ""))
        key = self._key(configuration.get("SecretEnv", ""))
        body = encoded(note).encode()
        now = self._now()
        headers = {"Content-Type": "application/json"} | signed(note.id, now, body, key)
        try:
            # Streamed and never read: nothing of the answer is needed but its status.
            with self._http.stream(
                "POST", url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
            ) as answer:
                status, after = answer.status_code, answer.headers.get("Retry-After", "")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"The webhook at {url.host} can not be reached ({type(error).__name__})."
            raise NotifyError(message) from None
        if not 200 <= status < 300:  # noqa: PLR2004 the range of success
            raise _told(url.host, status, retry_after(after, now))
        return ""

    def _key(self, name: str) -> bytes:
        secret = self._environ.get(name, "")
        if not secret:
            message = (
                f"The webhook's secret is missing: set the environment variable {cut(name, 60)!r}."
                if name
                else "The webhook needs SecretEnv, the name of the variable with its secret."
            )
            raise NotifyError(message, permanent=True)
        if not secret.startswith("whsec_"):
            return secret.encode()
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            message = f"The secret in {cut(name, 60)!r} is not base64 after whsec_. Correct it."
            raise NotifyError(message, permanent=True) from None


def signed(id: str, at: datetime, body: bytes, key: bytes) -> dict[str, str]:  # noqa: A002 the spec's
    """Answer the three headers of Standard Webhooks."""
    # The receiver splits at full stops, and a header is ASCII.
    safe = (
        id
        if re.fullmatch(r"[A-Za-z0-9_-]{1,128}", id)
        else hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()
    )
    seconds = str(int(at.timestamp()))
    digest = hmac.new(key, f"{safe}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": safe,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def retry_after(value: str, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date, in seconds from now; None where it has none."""
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        wait = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise NotifyError(
            "The webhook's Url can not be read. Correct it.", permanent=True
        ) from None
    if not url.host or url.scheme not in {"http", "https"}:
        raise NotifyError("The webhook's Url must begin with https://.", permanent=True)
    if url.scheme == "http" and not _loopback(url.host):
        message = f"The webhook at {url.host} must use https; only loopback may go without."
        raise NotifyError(message, permanent=True)
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _told(host: str, status: int, after: float | None) -> NotifyError:
    if status in BUSY or status >= 500:  # noqa: PLR2004 the server's own faults
        return NotifyError(f"The webhook at {host} answered {status}.", retry_after=after)
    if 300 <= status < 400:  # noqa: PLR2004 the range of redirects
        message = f"The webhook at {host} redirects ({status}). Set Url to where it leads."
    else:
        message = f"The webhook at {host} refused the message ({status}). Correct Url or receiver."
    return NotifyError(message, permanent=True)
