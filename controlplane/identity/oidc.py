"""Signing in by an OpenID provider: code flow, with PKCE (S256), a nonce and a state.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
What a login must remember until the browser comes back is kept by the browser (`Pending`), signed by the
door: so any replica can finish what another began.
"""

import hmac
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from controlplane.identity.asking import ask, is_safe
from controlplane.identity.errors import IdentityError
from controlplane.identity.keys import Issuer
from controlplane.identity.people import Somebody, check_grants, of_login
from controlplane.identity.verify import verify
from controlplane.settings import GrantSetting, Oidc, SettingError

PATH = "/console/login/callback"
AFTER = "/console/login"
"""Where the provider sends a browser that has signed out there."""
LONGEST_HINT = 2_900
"""Characters of an ID token that still fits into an address, and, sealed, into a cookie."""


class Pending(NamedTuple):
    """A login that has begun: what the provider must send back, and prove."""

    state: str
    nonce: str
    verifier: str


class Returned(NamedTuple):
    """What the browser brings back from the provider."""

    state: str
    code: str
    error: str = ""


class Finished(NamedTuple):
    """Who has signed in, and the ID token by which he signs out; "" where it is too long for that."""

    who: Somebody
    id_token: str


class Login:
    """Signs people in by one provider, and out."""

    def __init__(
        self,
        http: httpx.Client,
        oidc: Oidc,
        grants: Mapping[str, Sequence[GrantSetting]],
        public_url: str,
        now: Callable[[], float],
    ) -> None:
        """public_url: ours, under which the provider knows us."""
        self.called = oidc.called
        self._http, self._oidc, self._grants, self._now = http, oidc, grants, now
        self._issuer = Issuer(http, oidc.issuer, now)
        self._callback, self._after = (public_url.rstrip("/") + path for path in (PATH, AFTER))

    def begin(self) -> tuple[str, Pending]:
        """Answer where the browser goes, and what must be remembered until it is back."""
        pending = Pending(*(secrets.token_urlsafe(32) for _ in Pending._fields))
        url = prepare_grant_uri(
            self._issuer.endpoint("authorization_endpoint"),
            self._oidc.client_id,
            "code",
            redirect_uri=self._callback,
            scope=self._oidc.scopes,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        if not is_safe(url):
            raise IdentityError("the provider's page is not at an address with https://", 503)
        return str(url), pending

    def end(self, id_token: str) -> str:
        """Answer where the browser signs out at the provider, too; "" where that has no such page.

        Whoever signs out here is signed out here, whatever the provider says or does not.
        https://openid.net/specs/openid-connect-rpinitiated-1_0.html
        """
        try:
            there = self._issuer.metadata().get("end_session_endpoint")
        except IdentityError:
            return ""
        if not isinstance(there, str) or not is_safe(there):
            return ""
        given = {"post_logout_redirect_uri": self._after, "client_id": self._oidc.client_id}
        given |= {"id_token_hint": id_token} if id_token else {}
        return str(add_params_to_uri(there, list(given.items())))

    def finish(self, pending: Pending, back: Returned) -> Finished:
        """Answer who has signed in; IdentityError where it is not proven."""
        if not hmac.compare_digest(pending.state.encode(), back.state.encode()):
            raise IdentityError("This answer belongs to another sign-in: begin again.", 400)
        if back.error or not back.code:
            raise IdentityError("The provider has not signed you in: begin again.", 400)
        answer = ask(
            self._http,
            self._issuer.endpoint("token_endpoint"),
            {
                "grant_type": "authorization_code",
                "code": back.code,
                "redirect_uri": self._callback,
                "client_id": self._oidc.client_id,
                "code_verifier": pending.verifier,
            },
            **self._secret(),
        )
        token = answer.get("id_token")
        claims = self._verified(token, pending.nonce)
        who = of_login(self._oidc, self._grants, claims)
        return Finished(who, token if len(token) <= LONGEST_HINT else "")

    def _secret(self) -> dict[str, Any]:
        if not self._oidc.client_secret_env:
            return {}
        secret = os.environ.get(self._oidc.client_secret_env, "")
        return {"auth": httpx.BasicAuth(self._oidc.client_id, secret)}

    def _verified(self, token: Any, nonce: str) -> Mapping[str, Any]:
        if not isinstance(token, str):
            raise IdentityError("The provider answers no ID token: ask for the scope openid.", 503)
        try:
            claims = verify(token, self._issuer, self._oidc.client_id, self._now())
        except IdentityError as error:
            status = 503 if error.status == 503 else 400  # noqa: PLR2004 - theirs, or the token's
            raise IdentityError(f"The provider's ID token is refused: {error}.", status) from error
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise IdentityError("The ID token is of another sign-in (nonce): begin again.", 400)
        alone = claims["aud"] in (self._oidc.client_id, [self._oidc.client_id])
        if claims.get("azp", self._oidc.client_id if alone else "") != self._oidc.client_id:
            raise IdentityError("The ID token was made for another client (azp).", 400)
        return claims


def check_settings(oidc: Oidc | None, grants: Mapping[str, Sequence[GrantSetting]]) -> None:
    """SettingError where nobody could sign in like that."""
    for group, given in grants.items():
        check_grants(f"TOWPATH_GRANTS: {group}", given)
    if oidc is None:
        return
    if not is_safe(oidc.issuer):
        raise SettingError("TOWPATH_OIDC: issuer must begin with https:// (or be on this machine)")
    if "openid" not in oidc.scopes.split():
        raise SettingError("TOWPATH_OIDC: scopes must have openid among them")
    if oidc.client_secret_env and not os.environ.get(oidc.client_secret_env):
        said = f"TOWPATH_OIDC: clientSecretEnv names {oidc.client_secret_env}, which is not set"
        raise SettingError(said)
    if not grants:
        raise SettingError(
            "TOWPATH_OIDC: nobody would be let in: say who may what in TOWPATH_GRANTS, "
            'such as {"*": [{"role": "viewer"}]}'
        )
