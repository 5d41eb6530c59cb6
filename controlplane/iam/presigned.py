"""A pre-signed sts:GetCallerIdentity: AWS checks the signature, and says whose it is.

The URL comes from whoever wants to be somebody, so nothing in it is believed: it must be exactly that call at
exactly such a host, our own values of the signed headers are sent, and it counts once and for two minutes.
What others got wrong here: CVE-2020-16250 (any host, any action), CVE-2022-2385 (a parameter twice), and a
signature that binds no audience, which serves whoever it was shown to.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx

from controlplane.clock import Clock
from controlplane.iam.base import AUDIENCE_HEADER, BINDING_HEADER, Caller, Decision, IamError

LONGEST, MOST_ANSWER = 8_192, 16_384
"""Characters of a URL, bytes of an answer."""
MAX_AGE, SKEW = 120.0, 30.0
"""Seconds. AWS itself takes a signature for 15 minutes, whatever X-Amz-Expires says."""
AT_ONCE = 4
TIMEOUT = 5.0
FIXED = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
}
NEEDED = frozenset(
    {*FIXED, "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"}
)
ALLOWED = NEEDED | {"X-Amz-Expires", "X-Amz-Security-Token"}
SIGNED = frozenset({"host", AUDIENCE_HEADER, BINDING_HEADER})
CREDENTIAL = re.compile(r"[A-Z0-9]{16,128}/([0-9]{8})/([a-z0-9-]{1,40})/sts/aws4_request")
STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
SIGNATURE = re.compile(r"[0-9a-f]{64}")


def host_of(region: str) -> str:
    """STS's own host in a region."""
    return f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


class Presigned:
    """Asks AWS who signed a decision."""

    def __init__(
        self,
        http: httpx.Client,
        clock: Clock,
        audience: str,
        regions: Callable[[], Collection[str]],
    ) -> None:
        """audience: what this installation is called in signatures. regions: those of registered accounts."""
        self._http = http
        self._clock = clock
        self._audience = audience
        self._regions = regions
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def caller(self, url: str, decision: Decision) -> Caller:
        """Who signed this decision for us just now; IamError where nobody has."""
        given = self._read(url)
        at = self._fresh(given["X-Amz-Date"])
        if not self._room.acquire(blocking=False):
            raise IamError("too many signatures are being checked: try again", away=True)
        try:
            answer = self._ask(urlsplit(url).netloc, given, decision)
        finally:
            self._room.release()
        return Caller(answer["Arn"], answer["Account"], given["X-Amz-Signature"], at)

    def _read(self, url: str) -> Mapping[str, str]:
        if len(url) > LONGEST or not url.isascii() or not url.isprintable():
            raise IamError("the signed URL is too long, or holds what no URL holds")
        hosts = {host_of(region): region for region in self._regions()}
        try:
            parts = urlsplit(url)
            pairs = parse_qsl(
                parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=12
            )
        except ValueError:
            raise IamError("the signed URL cannot be read") from None
        if parts.scheme != "https" or parts.netloc not in hosts:
            raise IamError(f"sign for one of these hosts, by https: {', '.join(sorted(hosts))}")
        if parts.path != "/" or parts.fragment:
            raise IamError("the signed URL must have the path / and nothing behind its parameters")
        _check_parameters(pairs)
        given = dict(pairs)
        _check_values(given, hosts[parts.netloc])
        return given

    def _fresh(self, stamp: str) -> float:
        now = self._clock().timestamp()
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise IamError("X-Amz-Date is no time") from None
        if not -SKEW <= now - at <= MAX_AGE:
            raise IamError(f"it was not signed in the last {MAX_AGE:.0f} s: sign it again")
        return at

    def _ask(self, host: str, given: Mapping[str, str], decision: Decision) -> Mapping[str, str]:
        query = urlencode(sorted(given.items()), quote_via=quote, safe="~")
        headers = {  # ours, whatever the caller said of them
            AUDIENCE_HEADER: self._audience,
            BINDING_HEADER: decision.binding,
            "Accept": "application/json",
        }
        try:
            with self._http.stream(
                "GET",
                f"https://{host}/?{query}",
                headers=headers,
                follow_redirects=False,
                timeout=TIMEOUT,
            ) as answer:
                return _identity(answer)
        except httpx.HTTPError as error:
            said = f"{host} does not answer ({type(error).__name__}): approve by another door"
            raise IamError(said, away=True) from error


# --- inside -------------------------------------------------------------------------------------


def _check_parameters(pairs: list[tuple[str, str]]) -> None:
    names = [name for name, _ in pairs]
    if len({name.lower() for name in names}) != len(names):
        raise IamError("a parameter of the signed URL is there twice")
    strange = sorted(set(names) - ALLOWED)
    if strange:
        raise IamError(f"the signed URL has a parameter that is not taken: {strange[0][:40]!r}")
    missing = sorted(NEEDED - set(names))
    if missing:
        raise IamError(f"the signed URL lacks {missing[0]}")


def _check_values(given: Mapping[str, str], region: str) -> None:
    for name, wanted in FIXED.items():
        if given[name] != wanted:
            raise IamError(f"{name} of the signed URL must be {wanted}")
    headers = given["X-Amz-SignedHeaders"].split(";")
    if len(headers) != len(SIGNED) or set(headers) != SIGNED:
        raise IamError(f"exactly these headers must be signed: {', '.join(sorted(SIGNED))}")
    scope = CREDENTIAL.fullmatch(given["X-Amz-Credential"])
    stamp = given["X-Amz-Date"]
    if scope is None or scope[2] != region or not STAMP.fullmatch(stamp):
        raise IamError(f"it must be signed for sts in {region}, with a time")
    if scope[1] != stamp[:8] or not SIGNATURE.fullmatch(given["X-Amz-Signature"]):
        raise IamError("the signature, or the day in its scope, is none")


def _identity(answer: httpx.Response) -> Mapping[str, str]:
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise IamError(f"AWS answers {answer.status_code}: approve by another door", away=True)
    if answer.status_code != httpx.codes.OK:
        raise IamError(
            f"AWS does not know this signature of this decision ({answer.status_code}): the audience, "
            "the approval, the verdict or the comment is another than was signed"
        )
    if not answer.headers.get("content-type", "").startswith("application/json"):
        raise IamError("AWS did not answer with JSON")
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MOST_ANSWER:
            raise IamError("AWS answered too much")
    return _named(body)


def _named(body: bytes) -> Mapping[str, str]:
    try:
        found: Any = json.loads(body)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
        named = {key: found[key] for key in ("Arn", "Account")}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IamError("AWS did not answer who it is") from None
    if not all(isinstance(value, str) for value in named.values()):
        raise IamError("AWS did not answer who it is")
    return named
