"""An engine on a database of its own, with scripted drivers and a clock that moves when told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from accounts.breaker import Breakers
from controlplane.actions.job_worker import JobWorker
from controlplane.actions.wave_bake import WaveBake
from controlplane.clock import ManualClock
from controlplane.declarations.model import PipelineDeclaration, StageDeclaration
from controlplane.engine import ids
from controlplane.engine.commands import Commands
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Key
from controlplane.gates.deployment_window import Calendars, DeploymentWindow
from controlplane.gates.expression import expression_rule
from controlplane.gates.freeze import freeze_rule
from controlplane.gates.open_incident import Alertmanager, OpenIncident
from controlplane.gates.pipeline_state import pipeline_state_rule
from controlplane.gates.variable_check import VariableCheck
from controlplane.sandbox.scripted import AtOnce, Scripted, judging, source_of
from controlplane.store import executions, queries
from controlplane.store.database import Database
from monitors.base import Verdict
from tests.support import tables

ANNE = Person("anne", "api")
GOOD, BAD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
KEYS: Mapping[str, Key] = {
    "S3": ("Source", "AWS", "S3"),
    "NoOp": ("Test", "Custom", "NoOp"),
    "CodeBuild": ("Build", "AWS", "CodeBuild"),
    "Commands": ("Compute", "AWS", "Commands"),
    "CodeDeploy": ("Deploy", "AWS", "CodeDeploy"),
    "CodeDeployStop": ("Deploy", "Custom", "CodeDeployStop"),
    "CodeDeployRestore": ("Deploy", "Custom", "CodeDeployRestore"),
    "CloudFormation": ("Deploy", "AWS", "CloudFormation"),
    "CloudFormationStop": ("Deploy", "Custom", "CloudFormationStop"),
    "CloudFormationRestore": ("Deploy", "Custom", "CloudFormationRestore"),
    "ECS": ("Deploy", "AWS", "ECS"),
    "ECSStop": ("Deploy", "Custom", "ECSStop"),
    "ECSRestore": ("Deploy", "Custom", "ECSRestore"),
    "ElasticBeanstalk": ("Deploy", "AWS", "ElasticBeanstalk"),
    "ElasticBeanstalkStop": ("Deploy", "Custom", "ElasticBeanstalkStop"),
    "ElasticBeanstalkRestore": ("Deploy", "Custom", "ElasticBeanstalkRestore"),
    "Manual": ("Approval", "AWS", "Manual"),
    "CloudWatchAlarm": ("Rule", "AWS", "CloudWatchAlarm"),
    "CloudWatchMetric": ("Rule", "Custom", "CloudWatchMetric"),
    "AlarmAtGate": ("Gate", "AWS", "CloudWatchAlarm"),
    "LambdaAtGate": ("Gate", "AWS", "LambdaInvoke"),
    "CloudWatchAlarmRecovered": ("Test", "Custom", "CloudWatchAlarmRecovered"),
}


def action(name: str, provider: str, order: int = 1, **more: Any) -> dict[str, Any]:
    """An action as CodePipeline spells it."""
    category, owner, _ = KEYS[provider]
    kind = {"category": category, "owner": owner, "provider": provider}
    return {"name": name, "actionTypeId": kind, "runOrder": order, "configuration": {}, **more}


def source(name: str = "Upload") -> dict[str, Any]:
    """A stage with one source."""
    return {"name": "Source", "actions": [action(name, "S3", outputArtifacts=[{"name": "App"}])]}


def deploying(name: str, *, bake: str = "10s", watched: bool = True, **said: str) -> dict[str, Any]:
    """A stage that deploys App and bakes it under one alarm. said: what else its rule is told."""
    where = {"Account": name.lower(), "ApplicationName": "shop", "DeploymentGroupName": "all"}
    deploy = action("Deploy", "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
    rule = {
        "name": "Alarm",
        "ruleTypeId": {"provider": "CloudWatchAlarm"},
        "configuration": {"AlarmName": "errors", "BakeTime": bake, "Interval": "1s", **said},
    }
    stage: dict[str, Any] = {
        "name": name,
        "actions": [deploy],
        "onFailure": {"result": "ROLLBACK"},
    }
    if watched:
        stage["onSuccess"] = {"conditions": [{"result": "ROLLBACK", "rules": [rule]}]}
    return stage


def pipeline(
    *stages: dict[str, Any], name: str = "shop", mode: str = "SUPERSEDED"
) -> PipelineDeclaration:
    """A pipeline of these stages."""
    return PipelineDeclaration.model_validate(
        {
            "name": name,
            "executionMode": mode,
            "stages": [StageDeclaration.model_validate(stage) for stage in stages],
        }
    )


def gated(stage: dict[str, Any], *rules: dict[str, Any], result: str = "FAIL") -> dict[str, Any]:
    """A stage with a gate in front of it."""
    return {**stage, "beforeEntry": {"conditions": [{"result": result, "rules": list(rules)}]}}


def rule(name: str, provider: str, owner: str = "AWS", **more: Any) -> dict[str, Any]:
    """A rule as CodePipeline spells it."""
    return {"name": name, "ruleTypeId": {"owner": owner, "provider": provider}, **more}


def _nobody(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nothing listens here")


HTTP = httpx.Client(transport=httpx.MockTransport(_nobody))
"""One for all: where a client has a network, making it reads every authority that is trusted."""


class House:
    """Everything a test of the engine needs."""

    def __init__(self, folder: Path, url: str = "", *, durable: bool = False) -> None:
        """url: a database with its tables; left out: one in the folder. durable: commits wait for the disk."""
        self.clock = ManualClock()
        database = Database(url or tables.in_folder(folder), self._now)
        self.database = database if durable else tables.careless(database)
        self.structures = Structures()
        self.drivers = {name: Scripted() for name in KEYS}
        self.drivers["S3"].default = source_of(GOOD)
        self.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS)
        self.drivers["AlarmAtGate"].default = judging(Verdict.PASS)
        self.others: dict[Key, Any] = {}
        self.commands = Commands(self.database, self.structures, self._now)
        self.engine = self.new_engine()

    def new_engine(self, limits: Limits | None = None) -> Engine:
        """Another replica on the same database, with the same vendors."""
        drivers: dict[Key, Any] = {KEYS[name]: driver for name, driver in self.drivers.items()}
        drivers["Test", "Custom", "WaveBake"] = WaveBake()
        drivers["Job", "Towpath", "Worker"] = JobWorker()
        drivers |= self.others
        calendars = Calendars(HTTP, self.clock, {})
        drivers |= {
            ("Gate", "AWS", "DeploymentWindow"): DeploymentWindow(calendars),
            ("Gate", "AWS", "VariableCheck"): VariableCheck(),
            ("Gate", "Custom", "Expression"): expression_rule(),
            ("Gate", "Custom", "Freeze"): freeze_rule(),
            ("Gate", "Custom", "OpenIncident"): OpenIncident(
                Alertmanager(HTTP, self.clock, {}, {}, Breakers(self.clock))
            ),
            ("Gate", "Custom", "PipelineState"): pipeline_state_rule(),
        }
        pools = (AtOnce(), AtOnce())
        return Engine(
            self.database, self.structures, drivers, self.clock, limits or Limits(), pools
        )

    def _now(self) -> float:
        return self.clock().timestamp()

    def apply(self, declared: PipelineDeclaration) -> None:
        """Store it."""
        self.commands.apply_pipeline(declared, ANNE)

    def start(self, name: str = "shop") -> str:
        """Start an execution and let it go as far as it can now."""
        execution = self.commands.start(name, ANNE)
        self.settle()
        return execution

    def settle(self, turns: int = 50) -> None:
        """Turn until nothing is due at this time."""
        while turns and self.engine.turn():
            turns -= 1

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, turning on the way."""
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            self.settle()

    def in_step_with_ids(self) -> None:
        """Ids rise within a process, and clocks of other tests may have been years ahead."""
        made = ids.execution_id(0)
        ahead = int(made[:8] + made[9:13], 16) / 1000 - self.clock().timestamp()
        self.clock.advance(max(0.0, ahead))

    def execution(self, execution_id: str) -> Any:
        """Its row."""
        with self.database.read() as connection:
            return executions.by_id(connection, execution_id)

    def stages(self, execution_id: str) -> dict[str, str]:
        """Stage -> status."""
        with self.database.read() as connection:
            return {s.stage: s.status for s in executions.of_execution(connection, execution_id)}

    def rows(self, name: str = "shop") -> Sequence[Any]:
        """The pipeline's executions, newest first."""
        with self.database.read() as connection:
            return queries.executions_of(connection, name)

    def kinds(self, execution_id: str = "") -> list[str]:
        """The kinds of the events, in order."""
        with self.database.read() as connection:
            found = queries.events_after(connection, 0, execution=execution_id, limit=5000)
            return [event.kind for event in found]

    def texts(self, kind: str, execution_id: str = "") -> list[str]:
        """What events of a kind say, in order."""
        with self.database.read() as connection:
            found = queries.events_after(connection, 0, execution=execution_id, limit=5000)
            return [event.text for event in found if event.kind == kind]
