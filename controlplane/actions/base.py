"""What an action driver and a source can do.

An action driver keeps the contract of `monitors.base.Check` (start, look, stop), which is the same
for everything that is started outside and looked at. See there for Task and Progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitors.base import Artifact, Check, MonitorError, Outcome, Progress, Task


class ActionError(MonitorError):
    """An action could not be started or looked at. permanent: trying again cannot help."""


class ActionDriver(Check, Protocol):
    """Starts one piece of outside work, and reports how it stands.

    Its calls in one place (account and region) run one after another, so that an endpoint which
    hangs holds one thread. A driver may say otherwise by attributes of its class:

    * `side_by_side = 4`: its calls last long by nature, or somebody waits for all of them: so many
      may run at once in a place, where the lane has threads to spare;
    * `endpoint = ("Site", "BaseUrl")`: the configuration entries that name where it really calls,
      where that is not AWS: each address is a place of its own;
    * `inline = True`: it calls nothing outside, and is run where the engine stands.
    """


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a source: what an execution is pinned to.

    id: the vendor's own revision id (an S3 VersionId, an image digest).
    at: when the source says that it was made. ref: what it is the newest of, where that may move back.
    """

    id: str
    location: str
    summary: str = ""
    at: datetime | None = None
    ref: str = ""


class Source(ActionDriver, Protocol):
    """Where revisions come from: as an action it resolves the pinned revision into an artifact.

    The pinned revision arrives in task.configuration["RevisionId"]. The Progress of a source's start
    carries its output artifact with the digest of the content.
    """

    def latest(
        self, configuration: Mapping[str, str], account: str, region: str
    ) -> Revision | None:
        """Name the newest revision (polling); None where there is none yet."""
        ...


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """An event that something arrived: matched against the source actions' configuration.

    matches: configuration entries that a source action of `provider` must have (bucket and key).
    receipt: what `EventFeed.done` needs to take it off the queue.
    """

    provider: str
    matches: Mapping[str, str]
    revision: Revision
    receipt: str


@dataclass(frozen=True, slots=True)
class WorkEvent:
    """An event that outside work ended: whoever waits for it looks at once, and believes the look.

    handle: the vendor's id of the work, as a driver hands it out. account, region: where it ran.
    """

    account: str
    region: str
    handle: str
    receipt: str


class EventFeed(Protocol):
    """Events pushed to us through a queue: at least once, in any order."""

    def receive(self) -> Sequence[SourceEvent | WorkEvent]:
        """The next few events; may wait up to its own short long-poll."""
        ...

    def done(self, receipts: Sequence[str]) -> None:
        """Take them off the queue: called after they were committed."""
        ...


__all__ = [
    "ActionDriver",
    "ActionError",
    "Artifact",
    "EventFeed",
    "MonitorError",
    "Outcome",
    "Progress",
    "Revision",
    "Source",
    "SourceEvent",
    "Task",
    "WorkEvent",
]
