"""What a signed decision says, what it is bound by, and whom AWS names as who signed it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

AUDIENCE_HEADER, BINDING_HEADER = "x-towpath-audience", "x-towpath-approval"
ASSUMED = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([A-Za-z0-9+=,.@_-]+)/(.+)")
ROLE = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:[^/]+/)*([A-Za-z0-9+=,.@_-]+)")


class IamError(Exception):
    """It is not signed as it must be. away: AWS could not be asked; ask again later."""

    def __init__(self, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.away = away


@dataclass(frozen=True, slots=True)
class Decision:
    """What is signed. No part but the comment can hold a colon or a slash, so no two decisions sign alike.

    evidence: the hash of what was looked at, "" for what there is now. nonce: makes each signature another.
    """

    execution: str
    stage: str
    action: str
    verdict: str
    evidence: str
    comment: str
    nonce: str

    @property
    def approval(self) -> str:
        """Names the approval, and what was looked at."""
        return f"{self.execution}/{self.stage}/{self.action}/{self.evidence}"

    @property
    def binding(self) -> str:
        """The header's value: everything that the signature is good for."""
        return f"{self.approval}:{self.verdict}:{self.nonce}:{self._said()}"

    def audience(self, ours: str, pipeline: str) -> str:
        """Whom and what a token is for: this installation, and this decision alone.

        From the wide to the narrow, so that a policy of IAM (sts:IdentityTokenAudience) can bound who may
        ask for which: `https://towpath.example/iam-approvals/shop/Prod/*`.
        """
        bound = (pipeline, self.stage, self.action, self.verdict, self.execution, self.evidence)
        return "/".join((ours, "iam-approvals", *bound, self.nonce, self._said()))

    def _said(self) -> str:
        return hashlib.sha256(self.comment.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed. signature: what counts once; at: when it was signed (seconds since the epoch).

    tags: those of the role or user; asked: those that the call gave itself. Only tokens tell them.
    """

    arn: str
    account: str
    signature: str
    at: float
    tags: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)


def principal(arn: str) -> str:
    """The role or user behind an ARN, as the map of approvers names it; roles without their path.

    What an assumed role is called by STS has lost the role's path; a session's name is its caller's to choose,
    and says nothing of who he is.
    """
    assumed, role = ASSUMED.fullmatch(arn), ROLE.fullmatch(arn)
    found = assumed or role
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn
