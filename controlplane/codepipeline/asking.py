"""One request that was let in, and what every handler needs of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from accounts.lending import Lender
from accounts.registry import StaticRegistry
from controlplane.actions.github_hooks import Hooks
from controlplane.clock import Clock
from controlplane.codepipeline import faults
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.commands import Commands
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.notify import state_changes
from controlplane.store import executions, pipelines
from controlplane.store.database import Database
from controlplane.store.grants import Goes, nowhere

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """What the door is made of. secret: TOWPATH_SECRET; public_url: where webhooks are sent to.

    lender: who lends credentials for the artifacts of jobs. hooks: who makes webhooks at third parties;
    parties: the client tokens of third parties, by the provider of their action types. goes: which environments
    a stage leads into.
    """

    database: Database
    structures: Structures
    commands: Commands
    registry: StaticRegistry
    clock: Clock
    secret: str
    public_url: str = ""
    lender: Lender | None = None
    hooks: Hooks | None = None
    parties: Mapping[str, str] = field(default_factory=dict, repr=False)
    goes: Goes = nowhere


@dataclass(frozen=True)
class Ask:
    """given: the input, checked against its shape. region: the one that it was signed for.

    seen: which pipelines whoever asks may read; None: all. account: the AWS account that his key counts as.
    """

    desk: Desk
    person: Person
    region: str
    now: float
    given: Mapping[str, Any]
    seen: Callable[[str], bool] | None = None
    account: str = ""

    def read(self) -> AbstractContextManager[Connection]:
        return self.desk.database.read()

    def arn(self, resource: str) -> str:
        """Write the ARN of a resource, in CodePipeline's form."""
        return state_changes.arn(self.region, resource)


Handler = Callable[[Ask], Answer]


def declared(ask: Ask, connection: Connection, name: str) -> tuple[PipelineDeclaration, int]:
    """Answer a pipeline's structure and its version; PipelineNotFoundException where there is none."""
    version = pipelines.version(connection, name)
    if version is None:
        raise faults.no_pipeline(name)
    return ask.desk.structures.pipeline(connection, name, version), version


def known_stage(ask: Ask, connection: Connection, pipeline: str, stage: str) -> PipelineDeclaration:
    """Answer the structure that has the stage; StageNotFoundException where it has not."""
    found, _ = declared(ask, connection, pipeline)
    if stage not in [one.name for one in found.stages]:
        raise faults.no_stage(pipeline, stage)
    return found


def execution_of(connection: Connection, pipeline: str, execution_id: str) -> Any:
    """Answer an execution of that pipeline; PipelineExecutionNotFoundException for any other."""
    row = executions.by_id(connection, execution_id)
    if row is None or row.pipeline != pipeline:
        raise faults.no_execution(execution_id)
    return row
