"""A JWT by sts:GetWebIdentityToken: AWS signs who asked for it, and what for.

Which account's issuer is believed is our setting's word, never the token's. The audience is the decision
itself, so that a token is good for nothing else; it counts once and for two minutes, as a signature does.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from controlplane.clock import Clock
from controlplane.iam.base import Caller, Decision, IamError, principal
from controlplane.iam.presigned import MAX_AGE, SKEW
from controlplane.identity.asking import is_safe
from controlplane.identity.errors import IdentityError
from controlplane.identity.keys import Issuer
from controlplane.identity.verify import read, verify
from controlplane.settings import IamIssuer, SettingError

ALGORITHMS = ("RS256", "ES384")
OF_AWS = "https://sts.amazonaws.com/"
"""The claim under which AWS tells of the account and the principal."""


class WebIdentity:
    """Knows the issuers of TOWPATH_IAM_ISSUERS, and nobody else."""

    def __init__(
        self, http: httpx.Client, clock: Clock, audience: str, issuers: Mapping[str, IamIssuer]
    ) -> None:
        """audience: what this installation is called. issuers: by the account whose tokens they sign."""
        self._clock = clock
        self._audience = audience
        self._known = {
            one.issuer: (account, one.org, Issuer(http, one.issuer, self._now))
            for account, one in issuers.items()
        }

    def caller(self, token: str, decision: Decision, pipeline: str) -> Caller:
        """Who has asked AWS for a token for this decision just now; IamError where nobody has."""
        audience = decision.audience(self._audience, pipeline)
        try:
            known = self._known.get(read(token, ALGORITHMS).issuer)
            if known is None:
                raise IamError("the token's issuer is not in TOWPATH_IAM_ISSUERS")
            account, org, issuer = known
            claims = verify(token, issuer, audience, self._now(), ALGORITHMS)
        except IdentityError as error:
            away = error.status == httpx.codes.SERVICE_UNAVAILABLE
            raise IamError(f"the token is refused: {error}", away=away) from error
        if claims["aud"] not in (audience, [audience]):
            raise IamError("the token is for others, too: ask for one with this audience alone")
        said = _of_aws(claims, account, org)
        return Caller(
            str(claims["sub"]),
            account,
            # not the token's own text, which can be written in several ways
            hashlib.sha256(f"{claims['sub']} {audience}".encode()).hexdigest(),
            self._fresh(claims["iat"]),
            _tags(said.get("principal_tags")),
            _tags(said.get("request_tags")),
        )

    def _now(self) -> float:
        return self._clock().timestamp()

    def _fresh(self, at: Any) -> float:
        if not isinstance(at, int | float) or not -SKEW <= self._now() - at <= MAX_AGE:
            said = f"the token was not made in the last {MAX_AGE:.0f} s: ask for another one"
            raise IamError(said)
        return float(at)


def check_settings(issuers: Mapping[str, IamIssuer]) -> None:
    """SettingError where an issuer is not safe to ask, or signs for two accounts."""
    named = [one.issuer for one in issuers.values()]
    for account, one in issuers.items():
        where = f"TOWPATH_IAM_ISSUERS: {account}"
        if not is_safe(one.issuer):
            raise SettingError(f"{where}: issuer must begin with https://")
        if named.count(one.issuer) > 1:
            raise SettingError(
                f"{where}: each account has an issuer of its own, this is there twice"
            )


# --- inside -------------------------------------------------------------------------------------


def _of_aws(claims: Mapping[str, Any], account: str, org: str) -> Mapping[str, Any]:
    """What AWS says of the principal; IamError where that is of another account or organization."""
    said = claims.get(OF_AWS)
    if not isinstance(said, dict) or said.get("aws_account") != account:
        raise IamError(f"the token is not of account {account}, whose issuer has signed it")
    parts = principal(str(claims["sub"])).split(":")
    if len(parts) < _PARTS or parts[0] != "arn" or parts[4] != account:
        raise IamError(f"the token's subject is no IAM role or user of account {account}")
    if org and said.get("org_id") != org:
        raise IamError(f"the token is not of organization {org}")
    return said


_PARTS = 6
"""An ARN has so many."""


def _tags(said: Any) -> Mapping[str, str]:
    found: Sequence[tuple[Any, Any]] = tuple(said.items()) if isinstance(said, dict) else ()
    return {key: value for key, value in found if isinstance(value, str)}
