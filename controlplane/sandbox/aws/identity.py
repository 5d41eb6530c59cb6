"""Who calls: the account's root (for seeding), an IAM user, or the session of an assumed role."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.iam.models import iam_backends

from controlplane.sandbox.aws.policy import Document, parse

PARTITION = "aws"
ROOT_KEY = "AKIAROOT"


def root_key(account: str) -> str:
    """Answer the access key id that may do everything in an account: for seeding it."""
    return ROOT_KEY + account


@dataclass(frozen=True, slots=True)
class Session:
    """What AssumeRole gave. policies are the session's own: they only narrow.

    issued: by our own clock, so that a jump of AWS's does not undo a revocation.
    """

    account: str
    arn: str
    role: str
    key: str
    token: str
    expires: datetime
    issued: datetime
    policies: tuple[Document, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive: tuple[str, ...] = ()
    source_identity: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller. identity are the user's or role's documents; root needs none."""

    account: str
    arn: str
    user_id: str
    root: bool = False
    identity: tuple[Document, ...] = ()
    session: Session | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def principals(self) -> frozenset[str]:
        """Every name under which a resource's policy may call this caller."""
        names = {"*", self.account, f"arn:{PARTITION}:iam::{self.account}:root", self.arn}
        return frozenset(names | ({self.session.role} if self.session else set()))


sessions: dict[str, Session] = {}
"""Every session given, by its access key id; expired ones stay, to be told apart from unknown."""


def find(key: str) -> Caller | None:
    """Answer who owns an access key id; None where nobody does."""
    if found := re.fullmatch(rf"{ROOT_KEY}(\d{{12}})", key):
        return root(found[1])
    if session := sessions.get(key):
        return _of_session(session)
    for account in list(iam_backends):
        user = iam_backends[account][PARTITION].get_user_from_access_key_id(key)
        if user is not None and _active(user, key):
            return _of_user(account, user)
    return None


def root(account: str) -> Caller:
    """Answer an account's root."""
    return Caller(account, f"arn:{PARTITION}:iam::{account}:root", account, root=True)


def _active(user: Any, key: str) -> bool:
    return any(k.access_key_id == key and k.status == "Active" for k in user.access_keys)


def _of_user(account: str, user: Any) -> Caller:
    backend = iam_backends[account][PARTITION]
    groups = backend.get_groups_for_user(user.name)
    documents = [document for owner in (user, *groups) for document in _documents(owner)]
    return Caller(account, user.arn, user.id, identity=tuple(documents))


def _of_session(session: Session) -> Caller:
    backend = iam_backends[session.account][PARTITION]
    role = next((r for r in backend.roles.values() if r.arn == session.role), None)
    # A role that is deleted leaves its sessions without permissions.
    documents = tuple(_documents(role)) if role else ()
    tags = {tag["Key"]: tag["Value"] for tag in _tags(role)} | dict(session.tags)
    name = session.arn.rpartition("/")[2]
    user_id = f"{role.id if role else 'AROADELETED'}:{name}"
    return Caller(
        session.account,
        session.arn,
        user_id,
        identity=documents,
        session=session,
        tags=tuple(sorted(tags.items())),
    )


def _tags(role: Any) -> Iterable[dict[str, str]]:
    tags = getattr(role, "tags", None) or ()
    return tags.values() if isinstance(tags, dict) else tags


def _documents(owner: Any) -> Iterable[Document]:
    for document in owner.policies.values():
        yield parse(document)
    for managed in owner.managed_policies.values():
        yield parse(managed_document(managed))


def managed_document(managed: Any) -> str:
    """Answer the default version's document of one of moto's managed policies."""
    version = next(v for v in managed.versions if v.version_id == managed.default_version_id)
    return str(version.document)
