"""What watching costs: 1,000 deployments in flight over 20 accounts x 2 regions, as AWS counts the calls.

The drivers of CodeDeploy and of the alarm rule are the product's; AWS is in memory, takes a tenth of a
second to answer, and counts. Alone: `python -m tests.bench.watching`.
"""

import argparse
import json
import random
import statistics
import threading
import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from accounts.base import Registry, Scope
from accounts.models import Purpose
from controlplane.actions.base import ActionDriver
from controlplane.actions.codedeploy import CodeDeploy
from controlplane.actions.codedeploy_stop import CodeDeployStop
from controlplane.actions.watch import WatchDriver
from controlplane.clock import system_clock
from controlplane.engine.loop import Engine
from controlplane.engine.tasks import Key
from controlplane.ledger import target_of
from controlplane.sandbox.scripted import Scripted, after
from controlplane.store import ledger
from monitors.base import Artifact, Outcome, Progress, Task
from monitors.heard import Heard
from monitors.signals.cloudwatch_alarm import CloudWatchAlarm
from tests.bench.parts import Run, folder
from tests.bench.table import Line
from tests.support.clients import FakeRegistry, account
from tests.support.house import ANNE, BAD, GOOD, KEYS, House, deploying, pipeline, source

REGIONS = ("eu-west-1", "us-east-1")
LATENCY = 0.1
"""Seconds that a call takes."""
AGE = timedelta(minutes=30)
"""How long the deployments have been going on: long enough to be looked at as rarely as any is."""
EVERY = 10
"""Seconds between two looks."""
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE = 60.0


class Cloud:
    """`accounts.base.Clients` of an AWS in memory that counts its calls."""

    def __init__(self, accounts: int) -> None:
        ids = {f"a{n:02}": f"{n + 1:012}" for n in range(accounts)}
        made = [account(name, id_) for name, id_ in ids.items()]
        regions = {"regions": list(REGIONS)}
        self.registry: Registry = FakeRegistry(*(one.model_copy(update=regions) for one in made))
        self.calls: Counter[str] = Counter()
        self.bad: dict[str, datetime] = {}
        self.readable: dict[str, float] = {}
        self.stopped: dict[str, float] = {}
        self.deployments: dict[str, str] = {}
        self.lock = threading.Lock()

    def client(
        self,
        service: str,
        account: str,  # noqa: ARG002 - a client of any account answers for all
        region: str,  # noqa: ARG002
        purpose: Purpose,  # noqa: ARG002
        scope: Scope = Scope(),  # noqa: ARG002, B008 - frozen
    ) -> Any:
        return FakeCodeDeploy(self) if service == "codedeploy" else FakeCloudWatch(self)

    def count(self, operation: str) -> None:
        with self.lock:
            self.calls[operation] += 1
        threading.Event().wait(LATENCY)


class FakeCodeDeploy:
    """Deployments that go on until they are stopped; a group's name is its deployment's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create_deployment(self, **asked: Any) -> dict[str, Any]:
        self._cloud.count("CreateDeployment")
        deployment = f"d-{asked['deploymentGroupName']}"
        self._cloud.deployments[deployment] = asked["description"]
        return {"deploymentId": deployment}

    def batch_get_deployments(self, *, deploymentIds: list[str]) -> dict[str, Any]:  # noqa: N803
        self._cloud.count("BatchGetDeployments")
        return {"deploymentsInfo": [self._info(one) for one in deploymentIds]}

    def stop_deployment(self, **asked: Any) -> dict[str, Any]:
        self._cloud.stopped.setdefault(asked["deploymentId"], time.perf_counter())
        self._cloud.count("StopDeployment")
        return {"status": "Succeeded"}

    def _info(self, deployment: str) -> dict[str, Any]:
        stopped = deployment in self._cloud.stopped
        return {
            "deploymentId": deployment,
            "status": "Stopped" if stopped else "InProgress",
            "createTime": system_clock() - AGE,
            "description": self._cloud.deployments.get(deployment, ""),
            "deploymentOverview": {"Pending": 8, "InProgress": 2},
        }


class FakeCloudWatch:
    """Alarms that are well until they are told to be bad."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        self._cloud.count("DescribeAlarms")
        return {"MetricAlarms": [self._alarm(name) for name in asked["AlarmNames"]]}

    def describe_alarm_history(self, **asked: Any) -> dict[str, Any]:
        self._cloud.count("DescribeAlarmHistory")
        data = {"oldState": {"stateValue": "OK"}, "newState": {"stateValue": "ALARM"}}
        at = self._cloud.bad[asked["AlarmName"]]
        return {"AlarmHistoryItems": [{"Timestamp": at, "HistoryData": json.dumps(data)}]}

    def _alarm(self, name: str) -> dict[str, Any]:
        bad = self._cloud.bad.get(name)
        state = "ALARM" if bad else "OK"
        changed = bad or LONG_AGO
        return {"AlarmName": name, "StateValue": state, "StateTransitionedTimestamp": changed}


@dataclass
class Figures:
    """What was measured. calls: a minute, by operation; busy: per cent of a core."""

    deployments: int
    calls: Mapping[str, float] = field(default_factory=dict)
    busy: float = 0.0
    reactions: Sequence[float] = ()

    @property
    def calls_a_minute(self) -> float:
        return sum(self.calls.values())

    @property
    def reaction(self) -> float:
        """Seconds from a breach that is readable to StopDeployment, at the 99th percentile."""
        return statistics.quantiles(self.reactions, n=100, method="inclusive")[98]


class Fleet:
    """So many pipelines that deploy, and the engine that watches them."""

    def __init__(self, folder: Path, cloud: Cloud, deployments: int, *, told: bool) -> None:
        """told: every account tells of its deployments' ends over EventBridge."""
        self.cloud = cloud
        self.names = [f"shop{n}" for n in range(deployments)]
        self._house = House(folder, durable=True)
        self._house.clock = system_clock  # type: ignore[assignment]
        heard = Heard(system_clock)
        places = [(one.name, region) for one in cloud.registry.all() for region in REGIONS]
        for place in places if told else ():
            heard.note(*place)
        for number, name in enumerate(self.names):
            self._apply(name, *places[number % len(places)])
        self.engine = Engine(
            self._house.database, self._house.structures, self._drivers(heard), system_clock
        )

    def _drivers(self, heard: Heard) -> dict[Key, ActionDriver]:
        return {
            KEYS["S3"]: Scripted(released),
            KEYS["CodeDeploy"]: CodeDeploy(self.cloud, heard),
            KEYS["CodeDeployStop"]: CodeDeployStop(self.cloud),
            KEYS["CodeDeployRestore"]: Scripted(after(1_000_000)),
            KEYS["CloudWatchAlarm"]: WatchDriver(CloudWatchAlarm(self.cloud, system_clock)),
        }

    def _apply(self, name: str, account: str, region: str) -> None:
        stage = deploying("Prod", bake="1h")
        (action,) = stage["actions"]
        where = {"Account": account, "ApplicationName": "shop", "DeploymentGroupName": name}
        action |= {"configuration": where, "region": region}
        (rule,) = stage["onSuccess"]["conditions"][0]["rules"]
        rule["configuration"] |= {"Account": account, "AlarmName": name, "Interval": f"{EVERY}s"}
        rule["region"] = region
        self._house.apply(pipeline(source(), stage, name=name))
        target = target_of("CodeDeploy", region, where)
        with self._house.database.begin() as connection:
            ledger.put(connection, good(name, target))

    def start(self) -> threading.Thread:
        """Start every execution, and wait until all are deploying and watched."""
        for name in self.names:
            self._house.commands.start(name, ANNE)
        thread = threading.Thread(target=self.engine.run, daemon=True)
        thread.start()
        until = time.perf_counter() + PATIENCE
        while len(self.cloud.deployments) < len(self.names):
            if time.perf_counter() > until:
                raise TimeoutError(f"only {len(self.cloud.deployments)} were started")
            threading.Event().wait(0.5)
        threading.Event().wait(2 * EVERY)  # the first looks, which come sooner than later ones
        return thread

    def watch(self, seconds: float) -> tuple[dict[str, float], float]:
        """(calls a minute by operation, per cent of a core) while nothing happens."""
        before, used, began = self.cloud.calls.copy(), time.process_time(), time.perf_counter()
        threading.Event().wait(seconds)
        wall = time.perf_counter() - began
        busy = (time.process_time() - used) / wall * 100
        made = self.cloud.calls - before
        return {name: count / wall * 60 for name, count in made.items()}, busy

    def breach(self, breaches: int) -> list[float]:
        """Seconds from breach to stop, of deployments that go bad within four intervals."""
        dice = random.Random(1)
        bad = dice.sample(self.names, breaches)
        for name in bad:
            self.cloud.readable[name] = time.perf_counter()
            self.cloud.bad[name] = system_clock()
            threading.Event().wait(dice.uniform(0, 8 * EVERY / breaches))
        until = time.perf_counter() + PATIENCE
        while len(self.cloud.stopped) < breaches and time.perf_counter() < until:
            threading.Event().wait(0.1)
        stopped = self.cloud.stopped
        return [
            stopped.get(f"d-{name}", float("inf")) - at for name, at in self.cloud.readable.items()
        ]


def good(pipeline_name: str, target: str) -> dict[str, Any]:
    """A ledger's row: the last known good, so that there is somewhere to go back to."""
    artifact = {"digest": GOOD, "location": "s3://b/k.zip", "version": "v", "name": "App"}
    return {
        "pipeline": pipeline_name,
        "stage": "Prod",
        "target": target,
        "digest": GOOD,
        "artifact": json.dumps(artifact),
        "execution_id": "earlier",
        "action_id": -zlib.crc32(pipeline_name.encode()),
        "action": "Deploy",
        "token": "tp-earlier",
        "handle": "d-1",
        "status": "GOOD",
        "at": 0.0,
    }


def released(task: Task, _asked: int) -> Progress:
    """A release that lies where its deployment may take it from."""
    made = tuple(Artifact(name, BAD, "s3://releases/shop.zip", "v1") for name in task.outputs)
    return Progress(Outcome.SUCCEEDED, handle="source", artifacts=made)


def watching(
    folder: Path,
    *,
    told: bool,
    deployments: int = 1000,
    accounts: int = 20,
    seconds: float = 60,
    breaches: int = 100,
) -> Figures:
    """Watch so many deployments, then let some go bad. told: their ends come over EventBridge."""
    fleet = Fleet(folder, Cloud(accounts), deployments, told=told)
    thread = fleet.start()
    calls, busy = fleet.watch(seconds)
    reactions = fleet.breach(breaches)
    fleet.engine.stop()
    thread.join(30)
    return Figures(deployments, calls, busy, reactions)


def rows(figures: Figures, *, told: bool) -> list[tuple[str, str, str]]:
    """(what, here, goal) for a table."""
    looks = figures.calls.get("BatchGetDeployments", 0)
    alarms = figures.calls_a_minute - looks
    how = "ends pushed" if told else "ends polled"
    what = f"{figures.deployments:,} deployments in flight, {how}"
    naive = f"<= 300 (naive: {figures.deployments * 60 // EVERY:,} + as many for alarms)"
    said = f"{figures.calls_a_minute:,.0f} ({looks:,.0f} deployments, {alarms:,.0f} alarms)"
    return [
        (f"{what}: AWS calls a minute", said, naive),
        (f"{what}: CPU", f"{figures.busy:.1f} %", "<= 50 % of a core"),
        (
            "breach readable -> StopDeployment, p99 / median",
            f"{figures.reaction:.1f} s / {statistics.median(figures.reactions):.1f} s",
            f"<= {EVERY + 1} s",
        ),
    ]


def lines(_run: Run) -> list[Line]:
    """For the table of all benches: a minute each, pushed and polled."""
    found = []
    for told in (True, False):
        with folder() as place:
            figures = watching(place, told=told)
        found += [Line(*row) for row in rows(figures, told=told)]
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--deployments", type=int, default=1000)
    args = parser.parse_args()
    table = Table("what", "here", "goal")
    for told in (True, False):
        with folder() as place:
            figures = watching(place, told=told, seconds=args.seconds, deployments=args.deployments)
        for row in rows(figures, told=told):
            table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
