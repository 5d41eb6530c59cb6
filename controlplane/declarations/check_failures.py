"""What follows where an action failed: results, conditions and tries that can be run.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from collections.abc import Iterator

from accounts.yaml_text import Path
from controlplane.declarations.findings import Finding
from controlplane.declarations.model import PipelineDeclaration, Result, StageDeclaration
from controlplane.declarations.retries import RETRY_KEYS, wants_retry

SKIPS = "a stage that has failed is not skipped: use rollback, retry or fail"


def check_failures(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what is wrong with onFailure, and with how often a stage is tried again."""
    for i, stage in enumerate(declaration.stages):
        yield from _failure(stage, ("stages", i, "onFailure"))
        yield from _tries(stage, ("stages", i, "actions"))


def _failure(stage: StageDeclaration, path: Path) -> Iterator[Finding]:
    failure = stage.on_failure
    if failure is None:
        return
    if failure.result is Result.SKIP:
        yield Finding((*path, "result"), SKIPS)
    if failure.retry_configuration is not None and not wants_retry(stage):
        message = "nothing here leads to another try: say `result: RETRY`, or take it out"
        yield Finding((*path, "retryConfiguration"), message, True)
    for number, condition in enumerate(failure.conditions):
        where = (*path, "conditions", number)
        if condition.result is Result.SKIP:
            yield Finding((*where, "result"), SKIPS)
        if not condition.rules:
            message = "a condition without rules is always met: give at least one"
            yield Finding((*where, "rules"), message)


def _tries(stage: StageDeclaration, path: Path) -> Iterator[Finding]:
    said: dict[str, str] = {}
    for j, action in enumerate(stage.actions):
        for key in RETRY_KEYS:
            value = action.configuration.get(key)
            where = (*path, j, "configuration", key)
            if value is None:
                continue
            if not wants_retry(stage):
                message = "the stage is not tried again: say `retry`, or `onFailure: retry`"
                yield Finding(where, message, True)
            elif said.setdefault(key, value) != value:
                yield Finding(where, f"another action of the stage says {said[key]}: keep one")
