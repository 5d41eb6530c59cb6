"""JWTs of builds and other machines: GitHub Actions, GitLab, whoever signs what it runs.

https://docs.github.com/en/actions/concepts/security/openid-connect
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import httpx

from controlplane.identity.asking import is_safe
from controlplane.identity.errors import IdentityError
from controlplane.identity.keys import Issuer
from controlplane.identity.people import Somebody, check_grants, of_build
from controlplane.identity.verify import looks_like_one, read, verify
from controlplane.settings import JwtIssuer, SettingError

REMEMBERED = 10_000
"""JWTs that were shown."""
OF_ALL = ("iss", "aud")
"""Claims that are the same in all JWTs that are taken of an issuer."""


class Builds:
    """Knows the issuers of TOWPATH_JWT_ISSUERS, and nobody else."""

    def __init__(
        self, http: httpx.Client, issuers: Sequence[JwtIssuer], now: Callable[[], float]
    ) -> None:
        """No issuer is asked before a JWT of it is shown."""
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._known = {
            one.issuer: (one, Issuer(http, one.issuer, now, one.jwks)) for one in issuers
        }

    def takes(self, token: str) -> bool:
        """Whether it has a JWT's form, and JWTs are taken at all."""
        return bool(self._known) and looks_like_one(token)

    def whose(self, token: str) -> Somebody:
        """Answer who shows it; IdentityError says why it is refused."""
        known = self._known.get(read(token).issuer)
        if known is None:
            raise IdentityError("its issuer is not in TOWPATH_JWT_ISSUERS")
        setting, issuer = known
        claims = verify(token, issuer, setting.audience, self._now())
        return of_build(setting.issuer, setting.rules, claims)

    def is_new(self, token: str) -> bool:
        """Whether this one was not shown to this process before: one use of each is written down."""
        key = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            new = key not in self._seen
            self._seen[key] = None
            self._seen.move_to_end(key)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return new


def check_settings(issuers: Sequence[JwtIssuer]) -> None:
    """SettingError where one is named twice, is not safe to ask, or lets in whoever it signs for."""
    for one in issuers:
        where = f"TOWPATH_JWT_ISSUERS: {one.issuer}"
        if [other.issuer for other in issuers].count(one.issuer) > 1:
            raise SettingError(f"{where} is there twice: put its rules together")
        if not all(is_safe(url) for url in (one.issuer, one.jwks or one.issuer)):
            raise SettingError(f"{where}: its addresses must begin with https://")
        for rule in one.rules:
            check_grants(where, rule.grants)
            if all(name in OF_ALL or not glob.strip("*?") for name, glob in rule.claims.items()):
                said = "a rule must ask for something: such as repository: my-org/shop"
                raise SettingError(f"{where}: {said}")
