"""One bounded question to an issuer, by HTTP. Its answer is JSON, or IdentityError says who failed."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from controlplane.identity.errors import IdentityError

MAX_ANSWER = 256 * 1024
"""Bytes; the largest key sets have some dozens of keys."""
MOST_SECONDS = 15.0
"""For all of an answer: one that drips holds a thread."""
LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?")


def is_safe(url: str) -> bool:
    """Whether it is https, or stays on this machine; and names a host and no user."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and bool(LOOPBACK.fullmatch(host)))


def ask(http: httpx.Client, url: str, form: Mapping[str, str] | None = None, **more: Any) -> Any:
    """Get it, or post a form; answers the JSON object."""
    if not is_safe(url):
        raise IdentityError(f"{_host(url)} is not asked: its address must begin with https://", 503)
    method = "GET" if form is None else "POST"
    headers = {"accept": "application/json"}
    try:
        with http.stream(method, url, data=form, headers=headers, **more) as answer:
            body, until = b"", time.monotonic() + MOST_SECONDS
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MAX_ANSWER:
                    raise IdentityError(f"{_host(url)} answers over {MAX_ANSWER} bytes", 503)
                if time.monotonic() > until:
                    raise IdentityError(f"{_host(url)} takes over {MOST_SECONDS:.0f} s", 503)
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IdentityError(f"{_host(url)} cannot be asked: {type(error).__name__}", 503) from error
    return _object(url, status, body)


def _object(url: str, status: int, body: bytes) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if status >= 500 or (status == 200 and not isinstance(found, dict)):  # noqa: PLR2004
        raise IdentityError(f"{_host(url)} answers {status} and nothing that can be read", 503)
    if status != 200:  # noqa: PLR2004
        code = found.get("error") if isinstance(found, dict) else None
        said = code if isinstance(code, str) and re.fullmatch("[a-z_]{1,40}", code) else "no reason"
        raise IdentityError(f"{_host(url)} refuses ({status}, {said})", 400)
    return found


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the issuer"
