"""Session credentials that are lent to somebody else: to read and write named objects, and nothing more.

Unlike our own sessions (`policies`) there is no wider rung: what does not fit is refused.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from accounts.assume import Ask, assume_with
from accounts.base import AccountError, Scope
from accounts.models import Account, Purpose

LIMIT = 2048
"""Characters of a session policy."""


@dataclass(frozen=True, slots=True)
class Lent:
    """Credentials for an hour. Never logged: what is secret does not show in a repr."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: str
    """ISO 8601."""


@dataclass(frozen=True, slots=True)
class Objects:
    """ARNs of objects in S3: those to read, and those to write.

    key: the ARN of the KMS key of those to write; "" for the account's own, "*" for what the role may use.
    """

    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    key: str = ""


class Lender(Protocol):
    """Whoever may lend credentials of an account."""

    def lend(self, account: str, region: str, objects: Objects, scope: Scope) -> Lent:
        """Assume the account's deploy role for these objects; AccountError where that cannot be."""
        ...


def policy(account: Account, objects: Objects) -> str:
    """The session policy; AccountError where it is too long for STS."""
    key = objects.key or account.artifact_key or "*"
    statements = []
    if objects.reads:
        statements += [
            _allow(("s3:GetObject", "s3:GetObjectVersion"), objects.reads),
            # A source's key is not known here; which keys the role may use, the role says.
            _allow(("kms:Decrypt",), ("*",)),
        ]
    if objects.writes:
        statements += [
            _allow(("s3:AbortMultipartUpload", "s3:PutObject"), objects.writes),
            _allow(("kms:GenerateDataKey", "kms:Decrypt"), (key,)),
        ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(document) > LIMIT:
        raise AccountError(
            f"The session policy for the artifacts in {account.name} does not fit into {LIMIT} "
            "characters: give the action fewer artifacts, or shorter names.",
            permanent=True,
        )
    return document


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": sorted(set(resources))}


def lend(ask: Ask, account: Account, objects: Objects, scope: Scope) -> Lent:
    """Assume the deploy role under that policy alone."""
    found = assume_with(ask, account, Purpose.DEPLOY, scope, [policy(account, objects)])
    return Lent(found["access_key"], found["secret_key"], found["token"], found["expiry_time"])
