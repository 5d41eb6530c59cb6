"""An STS that answers pre-signed GetCallerIdentity and really checks the signature, as a transport of httpx."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

import httpx


class SignedSts(httpx.BaseTransport):
    """keys: access key id -> (secret, the ARN that it is). asked: the requests that came, as URLs."""

    def __init__(self, keys: Mapping[str, tuple[str, str]]) -> None:
        self.keys = keys
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer who signed, or 403."""
        self.asked.append(str(request.url))
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        given = dict(pairs)
        key, scope = given["X-Amz-Credential"].split("/", 1)
        secret, arn = self.keys.get(key, ("", ""))
        if not secret or not hmac.compare_digest(
            _signature(request, pairs, secret, scope), given["X-Amz-Signature"]
        ):
            return httpx.Response(403, json={"Error": {"Code": "SignatureDoesNotMatch"}})
        result = {"Arn": arn, "Account": arn.split(":")[4], "UserId": f"AROA:{key}"}
        return httpx.Response(
            200, json={"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}
        )


def _signature(
    request: httpx.Request, pairs: list[tuple[str, str]], secret: str, scope: str
) -> str:
    given = dict(pairs)
    query = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}"
        for k, v in sorted(pairs)
        if k != "X-Amz-Signature"
    )
    names = given["X-Amz-SignedHeaders"]
    headers = "".join(f"{n}:{request.headers.get(n, '').strip()}\n" for n in names.split(";"))
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n{request.url.path}\n{query}\n{headers}\n{names}\n{nothing}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", given["X-Amz-Date"], scope, hashed])
    signing = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    return hmac.digest(signing, to_sign.encode(), "sha256").hex()
