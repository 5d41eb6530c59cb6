"""What a Git host is asked, whichever it is; and what its webhooks tell.

A host is named in the settings (TOWPATH_GIT); a ConnectionArn leads to it by its name, or is listed there.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from controlplane.actions.base import ActionError
from controlplane.settings import GitHost


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. date: ISO 8601, as the host says it."""

    id: str
    message: str = ""
    author: str = ""
    email: str = ""
    date: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One change that a webhook tells of.

    ref: "refs/heads/main" or "refs/tags/v1"; of a pull request the branch that it is merged into.
    before: what the ref was, "" where that is not told. files: None where they are not all told.
    event: "" for a push, else OPEN, UPDATED or CLOSED. number, source: of a pull request, and the branch
    that is to be merged. foreign: the commit is of another repository.
    """

    repository: str
    ref: str
    commit: str
    before: str = ""
    default_branch: str = ""
    files: tuple[str, ...] | None = None
    event: str = ""
    number: str = ""
    source: str = ""
    foreign: bool = False


class Host(Protocol):
    """One Git host; every answer is bounded, every refusal an ActionError with the mend."""

    name: str
    settings: GitHost

    def secret(self) -> str:
        """What its webhooks are signed by; "" where the variable is not set."""
        ...

    def head(self, repository: str, branch: str, /) -> Commit | None:
        """Name the newest commit of a branch; None where there is no such branch."""
        ...

    def commit(self, repository: str, sha: str, /) -> Commit:
        """Name a commit."""
        ...

    def files(self, repository: str, base: str, sha: str, /) -> tuple[str, ...] | None:
        """Name what was changed since where both parted; None where the host does not list it all."""
        ...

    def is_behind(self, repository: str, sha: str, other: str, /) -> bool:
        """True where other is sha, or came after it."""
        ...

    def archive(self, repository: str, sha: str, /) -> AbstractContextManager[Iterator[bytes]]:
        """Stream the zip of exactly this commit."""
        ...


class Hosts:
    """The hosts of this installation, by name."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        """Take them; none is no fault until one is asked for."""
        self._hosts = hosts

    def get(self, name: str) -> Host | None:
        """Answer the host of that name."""
        return self._hosts.get(name)

    def name_of(self, connection: str) -> str | None:
        """Name the host that a ConnectionArn leads to; None where it leads to none."""
        return named(connection, {name: host.settings for name, host in self._hosts.items()})

    def of(self, connection: str) -> Host:
        """Answer the host that a ConnectionArn leads to; ActionError names the variable to set."""
        found = self.name_of(connection)
        if found is None:
            raise ActionError(
                f"No Git host is known for the connection {connection!r}: put it into TOWPATH_GIT, "
                f'{{"NAME": {{"kind": "github", "connections": ["{connection}"], ...}}}}.',
                permanent=True,
            )
        return self._hosts[found]


def named(connection: str, hosts: Mapping[str, GitHost]) -> str | None:
    """Find the host of a connection: listed, or of the name that it is, or that its ARN ends with."""
    listed = (name for name, host in hosts.items() if connection in host.connections)
    found = next(listed, None)
    last = connection.rsplit("/", 1)[-1]
    return found or (last if last in hosts else None)
