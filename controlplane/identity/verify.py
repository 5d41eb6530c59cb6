"""One JWT: is it this issuer's, for us, and of now? Few algorithms only; bounded before it is read."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from controlplane.identity.errors import IdentityError
from controlplane.identity.keys import Issuer, kind_of

MAX_LENGTH = 8 * 1024
LEEWAY = 60
"""Seconds that two clocks may differ."""
ALGORITHMS = ("RS256", "ES256")
"""Those of people's and builds' issuers; whoever else verifies names his own."""
KEYS = {"RS256": "RSA", "ES256": "P-256", "ES384": "P-384"}
"""Which kind of key signs by which algorithm."""
Claims = Mapping[str, Any]


class Shown(NamedTuple):
    """What a JWT says before anybody has verified it: to find out whom to ask, and for nothing else."""

    algorithm: str
    kid: str
    issuer: str


def looks_like_one(token: str) -> bool:
    """Whether it has a JWT's form, which no token of ours has."""
    return token.count(".") == 2  # noqa: PLR2004 - header, claims, signature


def read(token: str, algorithms: Sequence[str] = ALGORITHMS) -> Shown:
    """Read what it claims to be; IdentityError where that can not be."""
    if len(token) > MAX_LENGTH:
        raise IdentityError(f"it is over {MAX_LENGTH} bytes")
    if not looks_like_one(token):
        raise IdentityError("it can not be read as a JWT")
    header, claims = (_part(part) for part in token.split(".")[:2])
    if header.get("alg") not in algorithms:
        raise IdentityError(f"it is not signed by {' or '.join(algorithms)}")
    if "crit" in header:
        raise IdentityError("its header asks for what Towpath does not do (crit)")
    kid, issuer = header.get("kid"), claims.get("iss")
    if not isinstance(kid, str) or not isinstance(issuer, str):
        raise IdentityError("it names no key (kid), or no issuer (iss)")
    return Shown(header["alg"], kid, issuer)


def verify(
    token: str,
    issuer: Issuer,
    audience: str,
    now: float,
    algorithms: Sequence[str] = ALGORITHMS,
) -> Claims:
    """Answer its claims where it is this issuer's, for this audience, and of now."""
    shown = read(token, algorithms)
    if shown.issuer != issuer.issuer:
        raise IdentityError(f"its issuer is not {issuer.issuer}")
    key = issuer.key(shown.kid)
    if KEYS[shown.algorithm] != kind_of(key):
        raise IdentityError("its algorithm is not that of its key")
    wanted = JWTClaimsRegistry(
        now=int(now),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        claims: Claims = jwt.decode(token, key, algorithms=[shown.algorithm]).claims
        wanted.validate(dict(claims))
    except ExpiredTokenError:
        raise IdentityError("it has expired") from None
    except MissingClaimError as error:
        raise IdentityError(f"it lacks a claim: {error.description}") from None
    except JoseError as error:
        raise IdentityError(_said(error, audience)) from None
    except (ValueError, RecursionError, UnicodeError):
        raise IdentityError("it can not be read") from None
    return claims


def _said(error: JoseError, audience: str) -> str:
    claim = getattr(error, "claim", "")
    if claim == "aud":
        return f"its audience (aud) is not {audience!r}"
    if claim in ("nbf", "iat"):
        return f"it is not valid yet ({claim}): do the clocks agree?"
    return f"a claim is not what it must be ({claim})" if claim else "its signature is not genuine"


def _part(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError, UnicodeError):
        found = None
    if not isinstance(found, dict):
        raise IdentityError("it can not be read as a JWT")
    return found
