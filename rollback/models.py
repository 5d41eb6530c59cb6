"""The words of deciding: why a stage ended badly, what was on which target, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
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
    wave: what was released together goes back together; "" where it was released by itself.
    configuration: the deploy action's own, so that the way back acts where the way there did.
    overtaken: the execution that put something else on the target since, "" where none did.
    quarantined: the copies in quarantine that were on this target once: the vendor must not put one back.
    since: the deployment began no sooner (ISO 8601); "" where nobody knows.
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
    overtaken: str = ""
    quarantined: tuple[Good, ...] = ()
    wave: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker of a stage: the `most`-th rollback within `window` holds the whole pipeline.

    Counted are the releases that were rolled back in the stage, by a verdict or by a person; going back
    from one release twice counts once.
    """

    most: int = 3
    window: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which causes roll a stage back by themselves.

    one_way: what was deployed must not be undone by itself (a migration that cannot go back).
    """

    on: frozenset[CauseKind] = frozenset()
    one_way: bool = False
    breaker: Breaker = Breaker()


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
    """What was decided, and why. tripped: the circuit breaker did, so no release is let in."""

    act: Act
    reason: str
    tripped: bool = False
