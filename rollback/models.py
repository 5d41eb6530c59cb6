"""The words of deciding: why a stage ended badly, what was on which target, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CauseKind(StrEnum):
    """Why a stage ended badly."""

    FAILED_DEPLOY = "failed deploy"
    FAILED_CHECK = "failed check"
    BAD_SIGNAL = "bad signal"
    REQUESTED = "rollback asked for by a person"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a stage ended badly, by which action or rule, in a sentence."""

    kind: CauseKind
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Good:
    """The last known good of a target: its digest, and the copy of it that was deployed."""

    digest: str
    location: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """One deployment of the bad release that was begun: on which target, and where back is.

    token, handle: how the deployment is found at the vendor; handle may be "" after a crash.
    ended: the deployment is known to have ended well, so there is nothing of it to stop.
    configuration: the deploy action's own, so that the way back acts where the way there did.
    """

    action: str
    provider: str
    target: str
    region: str
    token: str
    handle: str
    configuration: Mapping[str, str] = field(default_factory=dict)
    good: Good | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Which causes roll a stage back by themselves."""

    on: frozenset[CauseKind] = frozenset()


class Act(StrEnum):
    """What to do about a stage that ended badly."""

    NOTHING = "nothing"
    ROLL_BACK = "roll back"
    ROLL_BACK_AND_PAGE = "roll back what can be, hold and page for the rest"
    HOLD_AND_PAGE = "hold and page"


ROLLS_BACK = frozenset({Act.ROLL_BACK, Act.ROLL_BACK_AND_PAGE})
PAGES = frozenset({Act.ROLL_BACK_AND_PAGE, Act.HOLD_AND_PAGE})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and why."""

    act: Act
    reason: str
