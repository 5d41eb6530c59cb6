"""The public keys of an issuer: discovered, kept for a while, and asked for again when a key is new.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from controlplane.identity.asking import ask
from controlplane.identity.errors import IdentityError

log = logging.getLogger(__name__)
KEPT = 3600.0
"""Seconds after which keys are asked for again: one that was withdrawn does not count for ever."""
CALM = 60.0
"""Seconds between two questions, whatever is shown: an unknown key id must not make us a hammer."""
PAUSE = 5.0
"""Seconds after which metadata that failed is asked for again: anybody can begin a sign-in."""
MOST = 100
RSA_BITS = 2048

Key = RSAKey | ECKey
CURVES = ("P-256", "P-384")


class Issuer:
    """One issuer, its metadata and its keys. Safe under threads."""

    def __init__(
        self, http: httpx.Client, issuer: str, now: Callable[[], float], jwks_url: str = ""
    ) -> None:
        """jwks_url: where its keys are; "" asks its metadata."""
        self.issuer = issuer
        self._http, self._now, self._jwks_url = http, now, jwks_url
        self._metadata: Mapping[str, Any] | None = None
        self._keys: Mapping[str, Mapping[str, Any]] = {}
        self._asked_at = self._known_at = float("-inf")
        self._lock, self._discovering = threading.Lock(), threading.Lock()
        self._failure, self._failed_at = ("", 503), float("-inf")

    def metadata(self) -> Mapping[str, Any]:
        """Its discovery document; asked for once. IdentityError where it is another's."""
        with self._discovering:
            if self._metadata is None:
                self._metadata = self._discover()
            return self._metadata

    def _discover(self) -> Mapping[str, Any]:
        if self._now() - self._failed_at < PAUSE:
            raise IdentityError(*self._failure)
        try:
            return self._discovered()
        except IdentityError as error:
            self._failure, self._failed_at = (str(error), error.status), self._now()
            raise

    def _discovered(self) -> Mapping[str, Any]:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: Mapping[str, Any] = ask(self._http, url)
        if found.get("issuer") != self.issuer:
            raise IdentityError(f"the metadata of {self.issuer} names another issuer", 503)
        return found

    def endpoint(self, name: str) -> str:
        """An address of its metadata."""
        found = self.metadata().get(name)
        if not isinstance(found, str):
            raise IdentityError(f"the metadata of {self.issuer} has no {name}", 503)
        return found

    def key(self, kid: str) -> Key:
        """The key of this id; IdentityError where the issuer has none, or cannot be asked."""
        if not self._fresh(kid):
            with self._lock:
                now = self._now()
                if not self._fresh(kid) and now - self._asked_at >= CALM:
                    self._asked_at = now
                    self._refresh(now)
        found = self._keys.get(kid)
        if found is not None:
            return _usable(found)
        if not self._keys:
            said = f"the keys of {self.issuer} are not known: ask again in a minute"
            raise IdentityError(said, 503)
        raise IdentityError(f"it is signed by a key that {self.issuer} does not publish")

    def _fresh(self, kid: str) -> bool:
        return kid in self._keys and self._now() - self._known_at < KEPT

    def _refresh(self, now: float) -> None:
        """Ask anew. Where the issuer does not answer, the keys that are known count for another while."""
        try:
            url = self._jwks_url or self.endpoint("jwks_uri")
            listed = ask(self._http, url).get("keys")
        except IdentityError as error:
            if not self._keys or now - self._known_at > 24 * KEPT:
                self._keys = {}
                raise IdentityError(str(error), 503) from error
            log.warning("the keys of %s are not renewed: %s", self.issuer, error)
            return
        found = listed if isinstance(listed, list) else []
        self._keys = {
            one["kid"]: one
            for one in found[:MOST]
            if isinstance(one, dict) and isinstance(one.get("kid"), str)
        }
        self._known_at = now


def kind_of(key: Key) -> str:
    """RSA, or the name of its curve."""
    return "RSA" if isinstance(key, RSAKey) else str(key.curve_name)


def _usable(found: Mapping[str, Any]) -> Key:
    """Read a key; IdentityError for one that signs nothing that we accept."""
    try:
        key = _read(found) if found.get("use", "sig") == "sig" else None
    except (JoseError, ValueError, KeyError, TypeError):
        key = None
    if key is None or (isinstance(key, RSAKey) and key.raw_value.key_size < RSA_BITS):
        said = "its key is none that counts: RSA of 2048 bits and more, P-256 or P-384, to sign"
        raise IdentityError(said)
    return key


def _read(found: Mapping[str, Any]) -> Key | None:
    if found.get("kty") == "RSA":
        return RSAKey.import_key({name: found[name] for name in ("kty", "n", "e")})
    if found.get("kty") == "EC" and found.get("crv") in CURVES:
        return ECKey.import_key({name: found[name] for name in ("kty", "crv", "x", "y")})
    return None
