"""Whom TOWPATH_IAM_APPROVERS makes of an IAM role or user, and where he may decide."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from controlplane.iam.base import Caller, principal
from controlplane.identity.people import check_grants, grants_of
from controlplane.settings import IamApprover, SettingError
from controlplane.store.grants import Grants

LONGEST = 100
OWN = "{name}"
"""In a name: the last part of the ARN, for a pattern that fits several."""


class Approver(NamedTuple):
    """arn: of the role or user, a role's without its path."""

    arn: str
    name: str
    groups: frozenset[str]
    grants: Grants


def of(approvers: Mapping[str, IamApprover], caller: Caller) -> Approver | None:
    """Who signed, as this installation knows him: all that fits grants; who is named in full, or first, names.

    None where nothing fits: neither his ARN, nor the tags that are asked for.
    """
    arn = principal(caller.arn)
    fitting = [one for pattern, one in _ordered(approvers) if _fits(pattern, one, arn, caller)]
    if not fitting:
        return None
    own = re.sub(r"[^A-Za-z0-9._@-]", "_", arn.rpartition("/")[2])
    grants = (grant for one in fitting for given in one.grants for grant in grants_of(given))
    return Approver(
        arn,
        fitting[0].name.replace(OWN, own)[:LONGEST],
        frozenset(group for one in fitting for group in one.groups),
        tuple(dict.fromkeys(grants)),
    )


def check_settings(approvers: Mapping[str, IamApprover]) -> None:
    """SettingError where a grant is none, or where several that one pattern fits would be called alike."""
    for pattern, one in approvers.items():
        where = f"TOWPATH_IAM_APPROVERS: {pattern}"
        check_grants(where, one.grants)
        if _is_glob(pattern) and OWN not in one.name:
            said = f"several may fit it, so its name needs {OWN}, such as {OWN}-iam"
            raise SettingError(f"{where}: {said}")


# --- inside -------------------------------------------------------------------------------------


def _ordered(approvers: Mapping[str, IamApprover]) -> list[tuple[str, IamApprover]]:
    return sorted(approvers.items(), key=lambda item: _is_glob(item[0]))


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _fits(pattern: str, one: IamApprover, arn: str, caller: Caller) -> bool:
    return (
        fnmatchcase(arn, pattern)
        and _tagged(one.tags, caller.tags)
        and _tagged(one.request_tags, caller.asked)
    )


def _tagged(wanted: Mapping[str, str], there: Mapping[str, str]) -> bool:
    return all(name in there and fnmatchcase(there[name], glob) for name, glob in wanted.items())
