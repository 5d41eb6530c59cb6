"""What the rooms above ask of this one: a registry, and clients that act in an account."""

from dataclasses import dataclass
from typing import Any, Protocol

from accounts.models import Account, Purpose


class AccountError(Exception):
    """We may not, or can not, act in an account; the message is a sentence for a person.

    permanent: trying again cannot help (unknown account, refused role).
    retry_after: seconds until trying again makes sense, where we know.
    postponed: nobody was asked, for we hold our own calls back: it says nothing of the vendor.
    refused: AWS knows us and says no, or does not know us: a person may be at work on our rights.
    """

    postponed = False
    refused = False

    def __init__(self, message: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Scope:
    """On whose behalf: becomes session tags, SourceIdentity, and the narrowing session policy.

    An empty scope (sources, the doctor) is not narrowed.
    resources: ARNs that the session policy is narrowed to, beside the account's own bucket and key.
    buckets: names of further buckets that artifacts lie in (a pipeline's store). key: the ARN of their
    KMS key; "" where it is not known by its ARN: the role says which keys it may use.
    """

    pipeline: str = ""
    stage: str = ""
    execution: str = ""
    requester: str = "towpath"
    resources: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    key: str = ""


class Registry(Protocol):
    """The accounts we know."""

    def get(self, name: str) -> Account:
        """Answer the account of that name; if none, AccountError (permanent) names those known."""
        ...

    def all(self) -> list[Account]:
        """All accounts, by name."""
        ...


class Clients(Protocol):
    """boto3 clients that act in an account: throttled, refreshed in time, safe under threads."""

    registry: Registry

    def client(
        self, service: str, account: str, region: str, purpose: Purpose, scope: Scope = ...
    ) -> Any:
        """Answer a client of one service; AccountError where the role cannot be assumed.

        Its calls raise botocore's ClientError; `accounts.errors.explain` turns one into a sentence.
        """
        ...
