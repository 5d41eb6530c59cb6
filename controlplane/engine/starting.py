"""What whoever starts an execution may say of it: which revisions, and which values of variables.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineVariable.html
"""

from collections.abc import Mapping

from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import CommandError, Problem

LONGEST = 1_000
"""Characters of a value, as at CodePipeline."""
PEOPLE = frozenset({"api", "console", "codepipeline", "slack"})
"""Doors of those who can give a value. By any other, the action that needs one fails and says so."""


def check_sources(declared: PipelineDeclaration, revisions: Mapping[str, str]) -> None:
    """Refuse a revision that is pinned to nothing: it would silently not be what is released."""
    known = [action.name for action in declared.stages[0].actions]
    for name in revisions:
        if name not in known:
            said = f"{declared.name} has no source action {name!r}; it has {', '.join(known)}"
            raise CommandError(Problem.INVALID, said)


def check_variables(declared: PipelineDeclaration, given: Mapping[str, str], door: str) -> None:
    """Refuse values that nothing reads, that are none, and those that are missing."""
    known = [one.name for one in declared.variables]
    for name, value in given.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            said = f"{declared.name} has no variable {name!r}; {has}"
            raise CommandError(Problem.INVALID, said)
        if not 0 < len(value) <= LONGEST:
            said = f"the value of variable {name!r} must have 1 to {LONGEST:,} characters"
            raise CommandError(Problem.INVALID, said)
    missing = [v.name for v in declared.variables if not v.default_value and v.name not in given]
    if missing and door in PEOPLE:
        said = f"{declared.name} has no default for {', '.join(missing)}: give a value"
        raise CommandError(Problem.INVALID, said)
