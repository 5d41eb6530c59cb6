"""An OpenID provider that signs everybody in as whoever it is told: metadata, codes, tokens, keys.

https://openid.net/specs/openid-connect-core-1_0.html
It holds a client to the code flow with PKCE: a code counts once, for the client and the callback it was
made for, and with the verifier that its challenge was made from.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from controlplane.clock import Clock

LIFETIME = 300
BITS = 2048


class _Code(NamedTuple):
    client: str
    callback: str
    challenge: str
    nonce: str


class Provider:
    """person: the claims of whoever signs in now; changed by a test, or by a demo."""

    def __init__(self, issuer: str, clock: Clock, clients: Mapping[str, str]) -> None:
        """clients: their ids to their secrets, "" for a public one."""
        self.issuer = issuer.rstrip("/")
        self.person: dict[str, Any] = {"sub": "u1", "preferred_username": "anne", "groups": []}
        self.refuses = ""
        """What it answers in place of a code: access_denied, say."""
        self.ill = False
        """Whether it answers 503 where a code is shown, and where its keys are asked for."""
        self.after: frozenset[str] = frozenset()
        """Where browsers may go that have signed out; those that were signed out are in signed_out."""
        self.signed_out: list[str] = []
        self.ends_sessions = True
        self._clock, self._clients = clock, clients
        self._codes: dict[str, _Code] = {}
        self._keys: list[tuple[str, RSAKey]] = []
        self.asked_for_keys = 0
        self.rotate()
        self.app = self._create()

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish that only."""
        self._keys = [(secrets.token_hex(4), RSAKey.generate_key(BITS))]

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A JWT of these claims, of this issuer and of now unless they say otherwise."""
        kid, key = self._keys[-1]
        now = int(self._clock().timestamp())
        of_now = {"iss": self.issuer, "iat": now, "exp": now + LIFETIME}
        return jwt.encode({"alg": "RS256", "kid": kid, **header}, {**of_now, **claims}, key)

    def _create(self) -> FastAPI:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

        @app.get("/.well-known/openid-configuration")
        def metadata() -> dict[str, Any]:
            ends = {"end_session_endpoint": f"{self.issuer}/end?from=towpath"}
            return {
                **(ends if self.ends_sessions else {}),
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }

        @app.get("/jwks")
        def jwks() -> Response:
            self.asked_for_keys += 1
            if self.ill:
                return JSONResponse({}, 503)
            public = [{**key.as_dict(private=False), "kid": kid} for kid, key in self._keys]
            keys = [{**one, "use": "sig", "alg": "RS256"} for one in public]
            return JSONResponse({"keys": keys})

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            return self._authorize(dict(request.query_params))

        @app.get("/end")
        def end(request: Request) -> Response:
            return self._end(dict(request.query_params))

        @app.post("/token")
        async def token(request: Request) -> Response:
            if self.ill:
                return JSONResponse({"error": "temporarily_unavailable"}, 503)
            form = {name: str(value) for name, value in (await request.form()).items()}
            return self._token(form, request.headers.get("authorization", ""))

        return app

    def _authorize(self, asked: Mapping[str, str]) -> Response:
        if asked.get("client_id") not in self._clients or "redirect_uri" not in asked:
            return JSONResponse({"error": "invalid_request"}, 400)
        back = {"state": asked.get("state", "")}
        is_right = (
            asked.get("response_type") == "code"
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
            and asked.get("code_challenge")
        )
        if self.refuses or not is_right:
            back["error"] = self.refuses or "invalid_request"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._codes[back["code"]] = _Code(
                asked["client_id"],
                asked["redirect_uri"],
                asked["code_challenge"],
                asked.get("nonce", ""),
            )
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    def _end(self, asked: Mapping[str, str]) -> Response:
        """Sign out whom the hint is of; back only to where that was registered."""
        try:
            _, key = self._keys[-1]
            claims = jwt.decode(asked["id_token_hint"], key, algorithms=["RS256"]).claims
        except (KeyError, JoseError, ValueError):
            return JSONResponse({"error": "invalid_request"}, 400)
        self.signed_out.append(str(claims["sub"]))
        back = asked.get("post_logout_redirect_uri", "")
        known = back in self.after and claims["aud"] == asked.get("client_id")
        return RedirectResponse(back, 302) if known else JSONResponse({"signed": "out"})

    def _token(self, form: Mapping[str, str], authorization: str) -> Response:
        code = self._codes.pop(form.get("code", ""), None)
        client = form.get("client_id", "")
        if not self._is_client(client, authorization):
            return JSONResponse({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        shown = (client, form.get("redirect_uri", ""), challenge)
        if form.get("grant_type") != "authorization_code" or code is None or code[:3] != shown:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"aud": client, "nonce": code.nonce, **self.person}
        answer = {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer"}
        return JSONResponse({**answer, "expires_in": LIFETIME, "id_token": self.sign(claims)})

    def _is_client(self, client: str, authorization: str) -> bool:
        secret = self._clients.get(client)
        if not secret:
            return secret == ""
        said = base64.b64encode(f"{client}:{secret}".encode()).decode()
        return hmac.compare_digest(authorization.encode(), f"Basic {said}".encode())
