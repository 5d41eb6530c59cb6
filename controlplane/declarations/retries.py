"""What a stage says of trying it again by itself, as the engine takes it.

CodePipeline tries once (`retryConfiguration` has a mode and no more). How often, and what follows where no
try helped, is said in its own idiom: entries of a `configuration`, of any action of the stage.
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.model import Result, StageDeclaration

ATTEMPTS, AFTER = "RetryAttempts", "AfterRetries"
MOST = 10

RETRY_KEYS: Mapping[str, Key] = MappingProxyType(
    {
        ATTEMPTS: Key(
            "how often its stage is tried again by itself",
            Kind.INTEGER, least=1, most=MOST, literal=True,
        ),
        AFTER: Key(
            "what follows where no try helped",
            Kind.ENUM, choices=("ROLLBACK", "FAIL"), literal=True,
        ),
    }
)  # fmt: skip
"""What the configuration of every action may hold; the stage's first one is where we write it."""


class Retry(NamedTuple):
    """attempts: tries after the first. after: what follows where they are used up, or may not be made."""

    attempts: int = 1
    all_actions: bool = False
    after: Result = Result.FAIL


def wants_retry(stage: StageDeclaration) -> bool:
    """True where a failed action may lead to another try without a person."""
    failure = stage.on_failure
    if failure is None:
        return False
    return Result.RETRY in (failure.result, *(one.result for one in failure.conditions))


def retry_of(stage: StageDeclaration) -> Retry:
    """How a stage is tried again; what `validate` would refuse counts as not said."""
    failure = stage.on_failure
    mode = failure.retry_configuration if failure else None
    said = [action.configuration for action in stage.actions]
    attempts = [one[ATTEMPTS] for one in said if one.get(ATTEMPTS, "").isdecimal()]
    after = {one[AFTER] for one in said if AFTER in one}
    return Retry(
        attempts=min(int(attempts[0]), MOST) if attempts else 1,
        all_actions=mode is not None and mode.retry_mode == "ALL_ACTIONS",
        after=Result.ROLLBACK if Result.ROLLBACK.value in after else Result.FAIL,
    )
