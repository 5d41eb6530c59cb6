"""What the sandbox's CodeDeploy remembers: groups, deployments, their targets and events."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from controlplane.sandbox.codedeploy.appspec import Shift

ACTIVE = ("Created", "Queued", "InProgress", "Ready")
"""A deployment in one of these has not ended, and no other may start in its group."""

IN_PLACE = (
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
)
BEFORE_TRAFFIC = ("BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic")
AFTER_TRAFFIC = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
"""Lifecycle events in order, as in
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""


class Host(Protocol):
    """An instance, as the agent on it sees it."""

    id: str
    root: Path
    """The instance's own file system."""

    tags: Mapping[str, str]
    busy: threading.Lock
    """Held by the deployment that works on it."""

    lifeline: int
    """A file descriptor that hooks inherit: it reads end-of-file when the sandbox is gone."""

    def environment(self) -> dict[str, str]:
        """Answer what every process on this instance finds in its environment."""
        ...

    def block_traffic(self) -> None:
        """Take it out of the load balancer's rotation."""
        ...

    def allow_traffic(self) -> None:
        """Put it back into the load balancer's rotation."""
        ...


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How one lifecycle event went on one instance; `log_tail` is at most 4 KB."""

    error_code: str = "Success"
    message: str = "Succeeded"
    script: str = ""
    log_tail: str = ""


@dataclass(slots=True)
class LifecycleEvent:
    """One step of a deployment on one instance."""

    name: str
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    diagnostics: Diagnostics | None = None


@dataclass(slots=True)
class Target:
    """A deployment's view of one instance."""

    host: Host
    events: list[LifecycleEvent]
    updated: datetime
    status: str = "Pending"


@dataclass(slots=True)
class ShiftTarget:
    """A Lambda deployment's view of its alias. weight: percent of traffic at the new version.

    wrong: why its AppSpec cannot be used, "" where it can.
    """

    shift: Shift
    events: list[LifecycleEvent]
    updated: datetime
    status: str = "Pending"
    weight: float = 0.0
    wrong: str = ""

    @property
    def id(self) -> str:
        """Its name among the deployment's targets."""
        return f"{self.shift.function}:{self.shift.alias}"


@dataclass(slots=True)
class Group:
    """A deployment group; `settings` holds what it was created with, in CodeDeploy's own words."""

    application: str
    name: str
    id: str
    settings: dict[str, Any]
    platform: str = "Server"


@dataclass(slots=True)
class Deployment:
    """One deployment; `request` holds what it was created with, in CodeDeploy's own words."""

    id: str
    group: Group
    request: dict[str, Any]
    created: datetime
    creator: str = "user"
    status: str = "Created"
    started: datetime | None = None
    completed: datetime | None = None
    previous_revision: dict[str, Any] | None = None
    targets: dict[str, Target] = field(default_factory=dict)
    shift: ShiftTarget | None = None
    """What a Lambda deployment has in the place of targets."""

    error: dict[str, str] | None = None
    rollback: dict[str, str] = field(default_factory=dict)
    stop: tuple[str, str] | None = None
    """Why it must end: an error code and a sentence; None while nobody asked."""

    roll_back_on_stop: bool | None = None
    """What StopDeployment asked for; None leaves it to the group's configuration."""

    done: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """It has not ended yet."""
        return self.status in ACTIVE

    @property
    def revision(self) -> dict[str, Any]:
        """Where its bundle is, as CodeDeploy's RevisionLocation."""
        return dict(self.request["revision"])

    def setting(self, name: str) -> Any:
        """Answer a setting of the deployment, or else of its group."""
        value = self.request.get(name)
        return self.group.settings.get(name) if value is None else value
