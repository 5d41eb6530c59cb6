"""What follows in a stage where an action fails, in words for a person: the plan before it starts. Pure."""

from collections.abc import Iterator

from controlplane.declarations.model import Result, StageDeclaration
from controlplane.declarations.retries import retry_of, wants_retry

FOLLOWS = {
    Result.ROLLBACK: "it is rolled back",
    Result.FAIL: "the stage fails",
}


def failure_lines(stage: StageDeclaration) -> Iterator[str]:
    """Nothing where a failed action is just a failed stage."""
    failure = stage.on_failure
    if failure is None:
        return
    retry = retry_of(stage)
    which = "all actions" if retry.all_actions else "what failed"
    times = "once" if retry.attempts == 1 else f"up to {retry.attempts} times"
    again = {Result.RETRY: f"{which} is tried again by itself, {times}"}
    for condition in failure.conditions:
        names = ", ".join(rule.name for rule in condition.rules)
        said = (FOLLOWS | again).get(condition.result, condition.result)
        yield f"an action fails and {names} does not hold: {said}"
    if failure.result is not None and (failure.conditions or wants_retry(stage)):
        yield f"an action fails: {(FOLLOWS | again).get(failure.result, failure.result)}"
    if wants_retry(stage):
        yield f"no try helps: {FOLLOWS[retry.after]}"
