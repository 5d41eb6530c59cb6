"""Answers of HTTP servers, bounded in size and in time before anything reads them."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
HOPS = 5
"""Redirects that are followed; the answer after them is what it is."""
CHUNK = 64 * 1024
METADATA = ipaddress.ip_address("fd00:ec2::254")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. took: from the request to the end of the body."""

    status: int
    body: bytes
    took: timedelta
    encoding: str = "utf-8"

    def text(self) -> str:
        """Read the body as text; what is no text is replaced."""
        try:
            return self.body.decode(self.encoding, "replace")
        except (LookupError, UnicodeError):  # a charset that is none
            return self.body.decode("utf-8", "replace")


class TooLargeError(Exception):
    """The answer is larger than what we read."""


class TooSlowError(Exception):
    """The answer as a whole took longer than it may, though it kept coming."""


def checked(url: str) -> str:
    """Give the URL back; ValueError where we may not ask it.

    The machine's own metadata service answers credentials to whoever asks from here, so the author
    of a pipeline may not point a check at it.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is no address: {error}") from None
    if parsed.userinfo:
        raise ValueError("the address holds a user name or password: leave them out")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError(f"{url!r} is no http or https address")
    if _is_metadata(parsed.host):
        raise ValueError(f"{url!r} is a link-local address: those are not asked")
    return url


def _is_metadata(host: str) -> bool:
    """Say whether a host is the metadata service by number; a name that leads there is not seen."""
    with suppress(OSError, UnicodeError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 2852039166 and 0xa9fea9fe are it too
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped == METADATA or any(mapped in network for network in LINK_LOCAL)


def fetch(
    client: httpx.Client,
    request: httpx.Request,
    now: Callable[[], datetime],
    *,
    limit: int,
    within: timedelta,
    follow: bool = False,
) -> Answer:
    """Send a request and read at most `limit` bytes of its answer, within the time.

    Redirects are followed only where `follow` says so, and each is checked as the first was.
    Raises httpx.HTTPError, TooLargeError, TooSlowError.
    """
    deadline = now() + within
    hops = HOPS if follow else 0
    while True:
        request.extensions["timeout"] = httpx.Timeout(within.total_seconds()).as_dict()
        began = now()
        response = client.send(request, stream=True, follow_redirects=False)
        body = _body(response, now, deadline, limit)
        if not hops or response.next_request is None:
            charset = response.charset_encoding or "utf-8"
            return Answer(response.status_code, body, now() - began, charset)
        request = response.next_request
        request.headers.pop("Cookie", None)  # the client's jar is everybody's
        _checked_hop(request)
        hops -= 1


def _checked_hop(request: httpx.Request) -> None:
    try:
        checked(str(request.url))
    except ValueError as error:
        raise httpx.UnsupportedProtocol(f"a redirect leads astray: {error}") from None


def _body(
    response: httpx.Response, now: Callable[[], datetime], deadline: datetime, limit: int
) -> bytes:
    body = bytearray()
    try:
        for part in response.iter_bytes(CHUNK):
            body += part
            if len(body) > limit:
                raise TooLargeError(f"the answer is larger than {limit} bytes")
            if now() > deadline:
                raise TooSlowError("the answer kept coming for longer than it may")
    finally:
        response.close()
    return bytes(body)
