"""What the doors are given. The application is made of these and reaches for nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from accounts.breaker import Key
from accounts.lending import Lender
from accounts.registry import StaticRegistry
from controlplane.actions.git.base import Hosts
from controlplane.actions.github_hooks import Hooks
from controlplane.api.changes import Changes
from controlplane.api.documents import Documents
from controlplane.clock import Clock
from controlplane.engine import environments
from controlplane.engine.commands import Commands
from controlplane.engine.drills import Drills
from controlplane.engine.git_intake import GitIntake
from controlplane.engine.git_late import LateDeliveries
from controlplane.engine.structures import Structures
from controlplane.iam.presigned import Presigned
from controlplane.iam.web_identity import WebIdentity
from controlplane.identity.builds import Builds
from controlplane.identity.oidc import Login
from controlplane.migration.moving import Migration
from controlplane.settings import Settings
from controlplane.store import queries
from controlplane.store.database import Database
from controlplane.store.grants import Goes


@dataclass(frozen=True)
class Parts:
    """health: what keeps this process from being ready, by name; empty means ready.

    degraded: what is wrong while the rest goes on. installation: the doctor's findings about Towpath itself.
    breakers: who did not answer this process its last call, and whether it is left alone.
    git, intake, late: the Git hosts, what takes their webhooks, and what keeps those that cannot be taken yet.
    doctor: pipeline -> its findings, one a hop; None where this process has none. migration: None too.
    lender: who lends credentials for the artifacts of jobs. hooks: who makes webhooks at GitHub.
    iam, iam_tokens: ask who has signed a decision, and whose token is of one.
    login: signs people in by a provider. builds: knows whose JWTs are taken.
    """

    database: Database
    structures: Structures
    commands: Commands
    settings: Settings
    registry: StaticRegistry
    clock: Clock
    health: Callable[[], dict[str, str]]
    metrics: CollectorRegistry
    degraded: Callable[[], dict[str, str]]
    installation: Callable[[], list[dict[str, Any]]]
    drills: Drills
    breakers: Callable[[], Mapping[Key, bool]]
    intake: GitIntake
    late: LateDeliveries
    git: Hosts
    doctor: Callable[[str], list[dict[str, Any]]] | None = None
    lender: Lender | None = None
    hooks: Hooks | None = None
    migration: Migration | None = None
    iam: Presigned | None = None
    iam_tokens: WebIdentity | None = None
    login: Login | None = None
    builds: Builds | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock().timestamp()

    @cached_property
    def goes(self) -> Goes:
        """Which environments a pipeline's stage leads into."""
        return environments.goes_of(self.database, self.structures, self.registry.all)

    def newest_event(self) -> int:
        """Answer what waiting doors wait for."""
        with self.database.read() as connection:
            return queries.last_event(connection)


def parts_of(request: Request) -> Parts:
    """Answer the parts of the application that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


def documents_of(request: Request) -> Documents:
    """Answer the writer of documents."""
    return Documents(parts_of(request).structures)


def changes_of(request: Request) -> Changes:
    """Answer the one poll that all who wait share."""
    changes: Changes = request.app.state.changes
    return changes


GivenParts = Annotated[Parts, Depends(parts_of)]
GivenDocuments = Annotated[Documents, Depends(documents_of)]
GivenChanges = Annotated[Changes, Depends(changes_of)]
