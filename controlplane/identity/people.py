"""Claims -> who that is here: an id for ever, a name for people, groups, grants."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from controlplane.engine.refusals import SUBJECT
from controlplane.identity.errors import IdentityError
from controlplane.settings import GrantSetting, JwtRule, Oidc, SettingError
from controlplane.store.grants import Grants, bounded, check, listed
from controlplane.store.roles import Role

EVERYBODY = "*"
"""In TOWPATH_GRANTS: whoever the provider signs in, in a group or in none."""
LONGEST = 100
MOST_GROUPS = 500
NAME = re.compile(r"\w[\w .@+'()/:-]{0,99}")
REPOSITORY = ("repository_id", "project_id", "repository", "project_path")
"""Claims that say whose build it is, at GitHub and at GitLab; ids, where there are some, survive a new name."""
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_:/.-]{1,100})\}")


class Somebody(NamedTuple):
    """person: of an issuer and its subject, whatever he is called. groups: as the provider says them."""

    person: str
    name: str
    grants: Grants
    groups: frozenset[str] = frozenset()


def of_login(oidc: Oidc, given: Mapping[str, Sequence[GrantSetting]], claims: Any) -> Somebody:
    """Answer who has signed in; IdentityError where he has no name, or nothing is granted to him."""
    name = claims.get(oidc.name_claim)
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        said = f"The provider tells no name that can be shown (claim {oidc.name_claim!r})."
        raise IdentityError(said, 403)
    if oidc.name_claim == "email" and claims.get("email_verified") in (False, "false"):
        said = "The provider has not verified that your e-mail address is yours (email_verified)."
        raise IdentityError(said, 403)
    groups = _groups(claims.get(oidc.groups_claim))
    grants = tuple(
        dict.fromkeys(
            grant
            for group in (EVERYBODY, *sorted(groups))
            for one in given.get(group, ())
            for grant in grants_of(one)
        )
    )
    if not grants:
        said = (
            f"{name} is in no group that TOWPATH_GRANTS names: "
            "whoever runs Towpath can add one of his groups there."
        )
        raise IdentityError(said, 403)
    return Somebody(_id(SUBJECT, oidc.issuer, claims["sub"]), name, grants, groups)


def of_build(issuer: str, rules: Sequence[JwtRule], claims: Mapping[str, Any]) -> Somebody:
    """Answer what a build may: all that the rules grant whose claims it has; the first names it.

    All builds of a repository are one person, on whatever branch: who can push can make any number of
    subjects. Where no claim says which repository, all builds of the issuer are one.
    """
    fitting = [rule for rule in rules if _fits(rule, claims)]
    if not fitting:
        known = ", ".join(sorted({name for rule in rules for name in rule.claims}))
        raise IdentityError(f"no rule of TOWPATH_JWT_ISSUERS fits its claims ({known})", 403)
    grants = (grant for rule in fitting for one in rule.grants for grant in grants_of(one))
    name = PLACEHOLDER.sub(lambda found: str(claims.get(found[1], "")), fitting[0].name)
    name = re.sub(r"[^\w .@+'()/:-]", "_", name)[:LONGEST]
    said = ((claim, claims.get(claim)) for claim in REPOSITORY)
    whose = next((f"{claim}={value}" for claim, value in said if value), "")
    return Somebody(_id("jwt:", issuer, whose), name, tuple(dict.fromkeys(grants)))


def grants_of(one: GrantSetting) -> Grants:
    """A grant of the settings."""
    return bounded(Role(one.role), [one.pipelines], [one.stages], listed(one.environments))


def check_grants(where: str, given: Sequence[GrantSetting]) -> None:
    """SettingError where a role is none, or a glob."""
    for one in given:
        if one.role not in {str(role) for role in Role}:
            raise SettingError(
                f"{where}: there is no role {one.role!r}; there is: {', '.join(Role)}"
            )
        try:
            check((one.pipelines, one.stages, *listed(one.environments)))
        except ValueError as error:
            raise SettingError(f"{where}: {error}") from None


def _fits(rule: JwtRule, claims: Mapping[str, Any]) -> bool:
    return all(
        isinstance(claims.get(name), str) and fnmatchcase(claims[name], glob)
        for name, glob in rule.claims.items()
    )


def _groups(said: Any) -> frozenset[str]:
    """A list of names; one name alone is a list of one. Anything else is no group."""
    listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    named = [one for one in listed if isinstance(one, str) and one != EVERYBODY]
    return frozenset(one for one in named[:MOST_GROUPS] if 0 < len(one) <= LONGEST)


def _id(kind: str, issuer: str, subject: str) -> str:
    of = f"{issuer} {subject}".encode("utf-8", "surrogatepass")  # no issuer has a space
    return f"{kind}{hashlib.sha256(of).hexdigest()[:32]}"
