"""AssumeRole: what we ask STS for, spelled within its character sets and lengths.

Each role is assumed directly from Towpath's own identity, never through another role.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from accounts.base import AccountError, Scope
from accounts.errors import explain
from accounts.models import Account, Purpose
from accounts.policies import session_policies

DURATION = 3600
"""An hour: what a chained session may have at most, so it works wherever Towpath itself runs."""

NAME = 64
TAG_VALUE = 256
NOT_NAME = re.compile(r"[^A-Za-z0-9_+=,.@-]")
IN_TAG = frozenset("_.:/=+-@")
TOO_LARGE = "PackedPolicyTooLarge"

Ask = Callable[..., Any]
"""An STS client's assume_role."""


def name_of(text: str, otherwise: str = "towpath") -> str:
    """Spell a session name or a source identity: 2 to 64 letters, digits and _+=,.@-."""
    name = NOT_NAME.sub("_", text)[:NAME]
    return name if len(name) > 1 else otherwise


def tags_of(scope: Scope) -> list[dict[str, str]]:
    """Session tags, for CloudTrail and for conditions; what the scope leaves empty is left out."""
    named = {"pipeline": scope.pipeline, "stage": scope.stage, "execution": scope.execution}
    return [{"Key": key, "Value": _tag_value(value)} for key, value in named.items() if value]


def _tag_value(text: str) -> str:
    """Letters, spaces and digits of any script, and _.:/=+-@."""
    fit = (c if c in IN_TAG or unicodedata.category(c)[0] in "LZN" else "_" for c in text)
    return "".join(fit)[:TAG_VALUE]


def request(account: Account, purpose: Purpose, scope: Scope, policy: str) -> dict[str, Any]:
    """Build the parameters of AssumeRole."""
    return {
        "RoleArn": account.role(purpose),
        "RoleSessionName": name_of(f"towpath-{purpose}-{scope.execution or scope.requester}"),
        "SourceIdentity": name_of(scope.requester),
        "ExternalId": account.external_id,
        "DurationSeconds": DURATION,
        "Policy": policy,
        "Tags": tags_of(scope),
    }


def assume(ask: Ask, account: Account, purpose: Purpose, scope: Scope) -> dict[str, str]:
    """Assume the account's role; answers what botocore's RefreshableCredentials takes.

    A policy that STS finds too large when packed is followed by the next wider one, never by none.
    AccountError where the role cannot be assumed.
    """
    return assume_with(ask, account, purpose, scope, session_policies(account, purpose, scope))


def assume_with(
    ask: Ask, account: Account, purpose: Purpose, scope: Scope, policies: Sequence[str]
) -> dict[str, str]:
    """Assume the account's role under the first of these policies that fits; errors as above."""
    what = f"assume {account.role(purpose)} for {account.name}"
    try:
        return _first_that_fits(ask, [request(account, purpose, scope, p) for p in policies])
    except (ClientError, BotoCoreError) as error:
        # The cause is cut off: botocore logs it when a refresh fails, and it is not redacted.
        raise explain(error, what) from None
    except (KeyError, TypeError, AttributeError):
        raise AccountError(
            f"Could not {what}: STS answered something else; try again later.", permanent=False
        ) from None


def _first_that_fits(ask: Ask, requests: list[dict[str, Any]]) -> dict[str, str]:
    for one in requests[:-1]:
        try:
            return _credentials(ask(**one))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != TOO_LARGE:
                raise
    return _credentials(ask(**requests[-1]))


def _credentials(answer: Any) -> dict[str, str]:
    found = answer["Credentials"]
    expires: datetime = found["Expiration"]
    return {
        "access_key": found["AccessKeyId"],
        "secret_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expiry_time": expires.isoformat(),
        "account_id": str(answer["AssumedRoleUser"]["Arn"]).split(":")[4],
    }
