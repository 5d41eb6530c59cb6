"""Which environments a stage leads into: those of the accounts that its actions act in, as they are registered.

A stage that deploys nothing leads into the next one that does: whoever lets a release pass there lets it go
that far, so the environments of all that lies between count. Where an approval comes after what the stage
deploys, whoever gives it lets the release go on to the next one that does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlalchemy import Connection

from accounts.models import Account
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine.gate_facts import accounts_of
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.view import deploys
from controlplane.store import executions, pipelines, queries
from controlplane.store.database import Database
from controlplane.store.grants import Goes
from controlplane.store.roles import Permission

UNKNOWN = ""
"""The environment of an account that is not registered or not named, or of a structure that cannot be read."""


def goes_of(
    database: Database, structures: Structures, accounts: Callable[[], Iterable[Account]]
) -> Goes:
    """A function that answers the environments of a pipeline's stage; of all its stages for "".

    Besides the structure that counts now, those of executions that have not ended count, and of who was in
    the stage last: what is decided may be about one of them. Nothing is answered where there is no such stage,
    or it leads nowhere.
    """

    def goes(pipeline: str, stage: str, to: Permission = Permission.RUN, /) -> frozenset[str]:
        known = {account.name: account.environment for account in accounts()}
        with database.read() as connection:
            names = set(_accounts(connection, structures, pipeline, stage, to))
        return frozenset(known.get(name, UNKNOWN) for name in names)

    return goes


def into(
    stages: Sequence[StageDeclaration], stage: str, *, approves: bool = False
) -> list[StageDeclaration]:
    """The stages that a decision in one opens the way to: up to the first that deploys, that one included.

    approves: the decision is an approval that the stage asks for, maybe after it has deployed.
    """
    found: list[StageDeclaration] = []
    for one in stages:
        if found or one.name == stage:
            asks_last = approves and not found and _asks_last(one)
            found.append(one)
            if any(deploys(action) for action in one.actions) and not asks_last:
                break
    return found


# --- inside -------------------------------------------------------------------------------------


def _versions(connection: Connection, pipeline: str, stage: str) -> set[int]:
    """Of which structures something may be decided: who was in a stage last may be retried or rolled back."""
    now = pipelines.version(connection, pipeline)
    found = {*executions.open_versions(connection, pipeline), *([] if now is None else [now])}
    for last in (queries.latest_in_stage, queries.last_in_stage) if stage else ():
        row = last(connection, pipeline, stage)
        execution = None if row is None else executions.by_id(connection, row.execution_id)
        found |= set() if execution is None else {execution.version}
    return found


def _asks_last(stage: StageDeclaration) -> bool:
    """Whether an approval comes after all that a stage deploys, or beside the last of it."""
    deployed = [action.run_order for action in stage.actions if deploys(action)]
    asked = (
        action.run_order for action in stage.actions if action.action_type_id.category == "Approval"
    )
    return max(asked, default=0) >= max(deployed, default=0)


def _deploys_somewhere(action: ActionDeclaration) -> bool:
    """Whether it deploys, and does not say into which account: a worker of somebody's does."""
    named = action.configuration.get("Account", "")
    return action.action_type_id.category == "Deploy" and not named


def _accounts(
    connection: Connection, structures: Structures, pipeline: str, stage: str, to: Permission
) -> Iterator[str]:
    for version in _versions(connection, pipeline, stage):
        try:
            stages = structures.pipeline(connection, pipeline, version).stages
        except (KeyError, BrokenStructureError):
            yield UNKNOWN
            continue
        for one in into(stages, stage, approves=to is Permission.APPROVE) if stage else stages:
            yield from accounts_of(one)
            if any(_deploys_somewhere(action) for action in one.actions):
                yield UNKNOWN
