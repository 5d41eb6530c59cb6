"""What a signed decision says, what it is bound by, and who may decide by which role."""

import hashlib
import re
from dataclasses import dataclass

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
        said = hashlib.sha256(self.comment.encode()).hexdigest()
        return f"{self.approval}:{self.verdict}:{self.nonce}:{said}"


def principal(arn: str) -> str:
    """The role or user behind an ARN, as the map of approvers names it; roles without their path.

    What an assumed role is called by STS has lost the role's path; a session's name is its caller's to choose,
    and says nothing of who he is.
    """
    assumed, role = ASSUMED.fullmatch(arn), ROLE.fullmatch(arn)
    found = assumed or role
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn
