"""Outbound identity federation: an account's issuer, and the tokens that its STS signs of whoever asks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
The issuer is served below the control API, as its documents and its keys are all that others ask for.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from moto.core.responses import ActionResult, EmptyResult
from moto.iam import responses, urls

from controlplane.sandbox.aws import clock, control, hooks
from controlplane.sandbox.aws.auth import context_of
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.identity import Caller
from controlplane.sandbox.aws.policy import Effect, Request, decide

PATH = "/_sandbox/issuers"
OF_AWS = "https://sts.amazonaws.com/"
Key = RSAKey | ECKey
KEYS: Mapping[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "ES384": lambda: ECKey.generate_key("P-384"),
}
DEFAULT_SECONDS, SECONDS, MOST_AUDIENCES, MOST_TAGS = 300, range(60, 3601), 10, 50


@dataclass(frozen=True, slots=True)
class Federation:
    """What an account has once it is enabled. keys: by algorithm: its id, and the key."""

    issuer: str
    keys: Mapping[str, tuple[str, Key]]


_lock = threading.Lock()
_enabled: dict[str, Federation] = {}
_known: dict[str, Federation] = {}
"""Those that were ever enabled: an issuer goes on to publish its keys."""


def enable(account: str, base: str) -> str:
    """Answer the account's issuer. base: where this sandbox listens."""
    issuer = f"{base.rstrip('/')}{PATH}/{account}"
    with _lock:
        there = _enabled.get(account)
        if there is not None and there.issuer == issuer:
            raise Fault("FeatureEnabled", "Outbound identity federation is already enabled.")
        made = {name: (secrets.token_hex(8), make()) for name, make in KEYS.items()}
        _enabled[account] = _known[account] = Federation(issuer, made)
    control.route(f"{PATH}/{account}/.well-known/openid-configuration", lambda _: _metadata(issuer))
    control.route(f"{PATH}/{account}/.well-known/jwks.json", lambda _: _keys(account))
    return issuer


def token(caller: Caller, given: Mapping[str, Any], region: str) -> ActionResult:
    """Sign what is asked for; Fault where the account, the policies or the limits refuse it."""
    federation = _enabled.get(caller.account)
    if federation is None:
        said = "Outbound web identity federation is not enabled for this account."
        raise Fault("OutboundWebIdentityFederationDisabledException", said)
    _check(given)
    tags = {tag["Key"]: tag["Value"] for tag in given["Tags"] or ()}
    if refused := _refused(caller, given, tags, region):
        said = f"User: {caller.arn} is not authorized to perform: {refused}"
        raise Fault("AccessDenied", said)
    algorithm = given["SigningAlgorithm"]
    kid, key = federation.keys[algorithm]
    now = int(clock.now().timestamp())
    seconds = int(given["DurationSeconds"] or DEFAULT_SECONDS)
    if caller.session and now + seconds > caller.session.expires.timestamp():
        said = "The requested token duration would extend the session beyond its expiration time."
        raise Fault("SessionDurationEscalationException", said)
    claims = _claims(caller, federation.issuer, given["Audience"], region, tags)
    claims |= {"iat": now, "exp": now + seconds, "jti": secrets.token_hex(16)}
    signed = jwt.encode(
        {"alg": algorithm, "kid": kid, "typ": "JWT"}, claims, key, algorithms=[algorithm]
    )
    return ActionResult({"WebIdentityToken": signed, "Expiration": now + seconds})


class Response(responses.IamResponse):  # type: ignore[misc]  # moto ships no types
    """IAM, with the three calls of this feature that moto lacks."""

    def enable_outbound_web_identity_federation(self) -> ActionResult:
        base = f"http://{self.normalized_request.environ['HTTP_HOST']}"
        return ActionResult({"IssuerIdentifier": enable(self.current_account, base)})

    def disable_outbound_web_identity_federation(self) -> ActionResult:
        with _lock:
            if _enabled.pop(self.current_account, None) is None:
                raise _disabled()
        return EmptyResult()

    def get_outbound_web_identity_federation_info(self) -> ActionResult:
        there = _enabled.get(self.current_account)
        if there is None:
            raise _disabled()
        return ActionResult({"IssuerIdentifier": there.issuer, "JwtVendingEnabled": True})


def install() -> None:
    """Answer IAM's calls here."""
    hooks.route(urls, Response)


# --- inside -------------------------------------------------------------------------------------


def _disabled() -> Fault:
    return Fault("FeatureDisabled", "Outbound identity federation is disabled.")


def _metadata(issuer: str) -> Mapping[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted(KEYS),
    }


def _keys(account: str) -> Mapping[str, Any]:
    found = _known[account].keys.items()
    return {
        "keys": [
            {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
            for algorithm, (kid, key) in found
        ]
    }


def _check(given: Mapping[str, Any]) -> None:
    seconds = int(given["DurationSeconds"] or DEFAULT_SECONDS)
    if not 1 <= len(given["Audience"] or ()) <= MOST_AUDIENCES:
        raise Fault("ValidationError", "1 to 10 audiences must be given.")
    if given["SigningAlgorithm"] not in KEYS or seconds not in SECONDS:
        said = "SigningAlgorithm must be RS256 or ES384, and DurationSeconds 60 to 3600."
        raise Fault("ValidationError", said)
    if len(given["Tags"] or ()) > MOST_TAGS:
        raise Fault("JWTPayloadSizeExceededException", "There are over 50 tags.")


def _refused(caller: Caller, given: Mapping[str, Any], tags: Mapping[str, str], region: str) -> str:
    """The action that a policy refuses for one of the audiences; the door has asked without them."""
    if caller.root:
        return ""
    known = {
        **context_of(caller, region),
        "sts:durationseconds": str(given["DurationSeconds"] or DEFAULT_SECONDS),
        "sts:signingalgorithm": given["SigningAlgorithm"],
        **{f"aws:requesttag/{key.lower()}": value for key, value in tags.items()},
    }
    actions = ["sts:GetWebIdentityToken", *(["sts:TagGetWebIdentityToken"] if tags else [])]
    for audience in given["Audience"]:
        context = known | {"sts:identitytokenaudience": audience}
        for action in actions:
            request = Request(action, "*", caller.principals, context)
            if decide(caller.identity, request) is not Effect.ALLOW:
                return action
    return ""


def _claims(
    caller: Caller, issuer: str, audience: list[str], region: str, tags: Mapping[str, str]
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "aws_account": caller.account,
        "source_region": region,
        "principal_tags": dict(caller.tags),
        "request_tags": dict(tags),
    }
    return {
        "iss": issuer,
        "aud": audience[0] if len(audience) == 1 else audience,
        "sub": caller.session.role if caller.session else caller.arn,
        OF_AWS: {name: value for name, value in said.items() if value},
    }
