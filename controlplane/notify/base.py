"""What a notifier can do. The outbox owns order, retries and time; a notifier sends once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable


class NotifyError(Exception):
    """It could not be sent. permanent: trying again cannot help. retry_after: seconds, where told."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage of an execution, as a message shows it."""

    name: str
    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """One legal move, offered as a button. value comes back signed with the press."""

    action: str  # "approve", "reject", "pass", "extend", "rollback", "hold", "resume"
    text: str
    value: str
    style: str = ""  # "primary", "danger" or ""
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """An event as CodePipeline tells it: `detail-type` and `detail`."""

    detail_type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """One event of one execution, and how the execution stands now.

    id: unique for ever (receivers de-duplicate by it). kind: the event's type, "stage.failed".
    severity: "info", "warning" or "page".
    buttons: the legal moves at this moment.
    changes: the events that CodePipeline would tell, for channels that tell those.
    started_by: who started the execution, or the one that it takes back; "" where nobody is known.
    notice: the event type of CodePipeline's notification rules, "" where it has none.
    accounts: the registered accounts that the stage acts in.
    votes: of each open approval that several people must give, who has given it so far.
    """

    id: str
    kind: str
    at: datetime
    pipeline: str
    execution: str
    stage: str
    severity: str
    title: str
    text: str
    digest: str = ""
    status: str = ""
    url: str = ""
    lines: tuple[StageLine, ...] = ()
    buttons: tuple[Button, ...] = ()
    changes: tuple[StateChange, ...] = ()
    started_by: str = ""
    notice: str = ""
    accounts: tuple[str, ...] = ()
    votes: tuple[str, ...] = ()


class Notifier(Protocol):
    """One channel."""

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        """Send it and answer the thread to hand back next time ("" where the channel has none).

        thread is what the last send of the same execution to the same place answered: Slack edits
        that one message and adds the details in its thread. Raises NotifyError.
        """
        ...


@runtime_checkable
class Batching(Notifier, Protocol):
    """A channel without threads that takes several notes by one call. at_once: so many at the most."""

    at_once: int

    def send_many(
        self, notes: Sequence[Note], configuration: Mapping[str, str]
    ) -> Sequence[NotifyError | None]:
        """Send them; answers for each what went wrong, in the same order. Raises nothing."""
        ...
