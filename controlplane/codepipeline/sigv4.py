"""AWS's Signature Version 4: is this request what the holder of the secret signed? Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Stricter than AWS where that costs a client nothing: every X-Amz header must be signed, and the body's
hash is always taken of the body itself.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from controlplane.codepipeline.faults import WireError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "codepipeline"
SKEW = 15 * 60.0
"""Seconds by which a signature's time may differ from our clock."""
LONGEST = 4_096
AUTHORIZATION = re.compile(
    ALGORITHM
    + r" +Credential=(?P<credential>[^, ]+), *SignedHeaders=(?P<headers>[a-z0-9;!#$%&'*+.^_`|~-]+), *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
CREDENTIAL = re.compile(r"([A-Z0-9]{16,128})/([0-9]{8})/([a-z0-9-]{1,40})/([a-z0-9]+)/aws4_request")
STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Signed:
    """What the Authorization header says. at: seconds since the epoch."""

    key_id: str
    region: str
    stamp: str
    at: float
    headers: tuple[str, ...]
    signature: str


def read(headers: Mapping[str, str]) -> Signed:
    """Read who claims to have signed, when and what; WireError where that is not a signature we take.

    headers: by lower-case name.
    """
    said = headers.get("authorization", "")
    if not said:
        raise WireError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    found = AUTHORIZATION.fullmatch(said) if len(said) <= LONGEST else None
    scope = CREDENTIAL.fullmatch(found["credential"]) if found else None
    if found is None or scope is None:
        raise WireError(
            "IncompleteSignatureException", f"Authorization must be an {ALGORITHM} header."
        )
    key_id, day, region, service = scope.groups()
    if service != SERVICE:
        raise _wrong(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if "x-amz-security-token" in headers:
        raise WireError(
            "UnrecognizedClientException",
            "The security token included in the request is invalid: Towpath's access keys have no "
            "session token. Sign with a key that `towpath token create --aws` made.",
        )
    names = tuple(found["headers"].split(";"))
    stamp = headers.get("x-amz-date", "")
    _check_scope(headers, names, stamp, day)
    return Signed(key_id, region, stamp, _seconds(stamp), names, found["signature"])


def check_time(signed: Signed, now: float) -> None:
    """Raise WireError where it was signed too long ago, or for a time to come."""
    at = _stamp(now)
    if signed.at < now - SKEW:
        least = _stamp(now - SKEW)
        raise _wrong(
            f"Signature expired: {signed.stamp} is now earlier than {least} ({at} - 15 min.)"
        )
    if signed.at > now + SKEW:
        most = _stamp(now + SKEW)
        raise _wrong(
            f"Signature not yet current: {signed.stamp} is still later than {most} ({at} + 15 min.)"
        )


def check(signed: Signed, headers: Mapping[str, str], path: str, body: bytes, secret: str) -> None:
    """Raise WireError unless the holder of the secret signed exactly this POST."""
    if not hmac.compare_digest(signature(signed, headers, path, body, secret), signed.signature):
        raise _wrong(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def signature(
    signed: Signed, headers: Mapping[str, str], path: str, body: bytes, secret: str
) -> str:
    """Answer what the signature must be."""
    values = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed.headers)
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", path, "", values, ";".join(signed.headers), digest])
    day = signed.stamp[:8]
    scope = f"{day}/{signed.region}/{SERVICE}/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (day, signed.region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = f"{ALGORITHM}\n{signed.stamp}\n{scope}\n{hashed}"
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _check_scope(headers: Mapping[str, str], names: tuple[str, ...], stamp: str, day: str) -> None:
    missing = [name for name in names if name not in headers]
    needed = {"host", *(name for name in headers if name.startswith("x-amz-"))} - set(names)
    if missing or needed or list(names) != sorted(set(names)):
        wrong = ", ".join(missing or sorted(needed)) or "the list of signed headers"
        raise _wrong(f"The request must hold and sign host and every X-Amz header: see {wrong}.")
    if not STAMP.fullmatch(stamp) or not stamp.startswith(day):
        raise _wrong("X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z', of the day in the credential scope.")


def _seconds(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _wrong("X-Amz-Date is no time.") from None


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def _wrong(message: str) -> WireError:
    return WireError("InvalidSignatureException", message)
