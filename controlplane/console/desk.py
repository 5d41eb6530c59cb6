"""What the console is given: documents to draw, and commands, as every other door is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from sqlalchemy import Connection

from accounts.breaker import Key
from accounts.registry import StaticRegistry
from controlplane.clock import Clock
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.commands import Commands
from controlplane.engine.refusals import Person
from controlplane.identity.attempts import Attempts
from controlplane.identity.oidc import Login
from controlplane.store.database import Database
from controlplane.store.grants import Goes, nowhere

Document = dict[str, Any]


class Documents(Protocol):
    """Rows as documents; the same that the REST door serves."""

    def pipelines(
        self,
        connection: Connection,
        now: float,
        after: str,
        limit: int,
        seen: Callable[[str], bool] | None,
    ) -> list[Document]:
        """The next pipelines by name, and what stands where; seen: which of them, None: all."""
        ...

    def state(self, connection: Connection, name: str) -> Document:
        """All that a pipeline's page shows of its stages; CommandError where there is none."""
        ...

    def declared(self, connection: Connection, name: str) -> tuple[PipelineDeclaration, int]:
        """A pipeline's structure and its version; CommandError where there is none."""
        ...

    def explanation(self, connection: Connection, execution_id: str) -> Document:
        """Why an execution went as it did; CommandError where there is none."""
        ...

    def approval(
        self, connection: Connection, execution_id: str, stage: str, action: str, by: Person
    ) -> Document:
        """Answer what there is to decide on, for whoever looks; CommandError where nothing waits there."""
        ...

    def summary(self, row: Any) -> Document:
        """Answer an execution without its stages."""
        ...


class Changes(Protocol):
    """The one poll that all who wait share."""

    async def after(self, seen: int, seconds: float) -> int:
        """Answer the newest event's id once it is past `seen`; else `seen`, after the time."""
        ...


@dataclass(frozen=True)
class Desk:
    """secret signs sessions. https: cookies are sent by https only.

    breakers: who did not answer this process its last call, and whether it is left alone.
    attempts: failed sign-ins. login: by the OpenID provider, where there is one.
    goes: which environments a stage leads into.
    ready: what keeps this process from working, by name. installation: the doctor's findings about Towpath.
    """

    database: Database
    commands: Commands
    clock: Clock
    secret: str
    https: bool
    documents: Documents
    changes: Changes
    registry: StaticRegistry
    breakers: Callable[[], Mapping[Key, bool]]
    ready: Callable[[], Mapping[str, str]]
    installation: Callable[[], list[Document]]
    attempts: Attempts
    login: Login | None = None
    goes: Goes = nowhere

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock().timestamp()


def desk_of(request: Request) -> Desk:
    """Answer the desk of the console that serves this request."""
    desk: Desk = request.app.state.desk
    return desk


GivenDesk = Annotated[Desk, Depends(desk_of)]
Render = Callable[..., str]
