"""An installation after years: a million finished executions, and how quickly its doors still answer.

    python -m tests.bench.large --executions 1000000

The rows are written in bulk as the engine would have left them, kept lean; then every GET route, every page
and the metrics are asked, in turn, in this process.
"""

import argparse
import json
import sqlite3
import statistics
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from rich.console import Console
from rich.table import Table

from controlplane.engine import retention
from controlplane.engine.retention import Keep
from controlplane.server import warm
from controlplane.store import metrics, migrated, tally
from controlplane.telemetry import FromDatabase, Reading
from tests.bench.parts import Run, folder
from tests.bench.table import Line
from tests.support.doors import Doors, account
from tests.support.house import action, deploying, pipeline, source

BUSY = "shop"
"""One pipeline has a third of everything."""
STAGES = ("Source", "Dev", "Prod")
DAY = 86_400.0
CHUNK = 2_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "execution": (
        "id", "pipeline", "version", "type", "status", "stop", "digest", "trigger", "revisions",
        "plan", "rolls_back", "rollback_state", "dedupe", "reason", "started_at", "ended_at",
    ),
    "stage_execution": (
        "id", "execution_id", "pipeline", "stage", "position", "attempt", "status", "locked",
        "since", "cause", "held", "entered_at", "ended_at",
    ),
    "action_execution": (
        "id", "execution_id", "stage_id", "name", "kind", "run_order", "attempt", "status", "lane",
        "token", "fence", "wake", "starts", "failures", "handle", "summary", "url", "output",
        "answer", "verdict", "started_at", "ended_at",
    ),
    "event": ("at", "kind", "pipeline", "execution_id", "stage", "action", "text", "data"),
    "ledger": (
        "pipeline", "stage", "target", "digest", "artifact", "execution_id", "action_id", "action",
        "token", "handle", "status", "at",
    ),
    "measurement": ("action_id", "at", "verdict", "value", "samples", "reason"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finished:
    """One execution that went through. number: rises with time."""

    number: int
    pipeline: str
    began: float

    def rows(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """(table, values) of everything that it left."""
        # As the engine's ids, which begin with the time; those rise within a process, whatever the time.
        value = int(self.began * 1000) << 80 | 7 << 76 | 2 << 62 | self.number
        id_, ended = str(uuid.UUID(int=value)), self.began + 600
        digest = f"sha256:{self.number:064x}"
        failed = self.number % 50 == 0
        status = "Failed" if failed else "Succeeded"
        yield "execution", (
            id_, self.pipeline, 1, "STANDARD", status, "", digest, '{"type":"event","by":"Upload"}',
            "{}", "", "", "", f"source:{self.pipeline}:Upload:{self.number}", "", self.began, ended,
        )  # fmt: skip
        yield self._event(id_, "execution.started", self.began)
        for position, stage in enumerate(STAGES):
            at = self.began + 200 * (position + 1)
            last = failed and stage == "Prod"
            yield from self._stage(id_, position, stage, at, digest, failed=last)
        yield self._event(id_, f"execution.{status.lower()}", ended)

    def _stage(
        self, id_: str, position: int, stage: str, at: float, digest: str, *, failed: bool
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        stage_id, status = f"{id_}:{position}:1", "Failed" if failed else "Succeeded"
        deploys = position > 0
        yield "stage_execution", (
            stage_id, id_, self.pipeline, stage, position, 1, status, 0,
            at - 190 if deploys else None, "", "", at - 195, at,
        )  # fmt: skip
        deploy = self.number * 6 + position * 2
        for number, (name, kind) in enumerate((("Deploy", "action"), ("Alarm", "rule"))):
            if kind == "action" or deploys:
                yield "action_execution", (
                    deploy + number, id_, stage_id, name, kind, 1 - number, 1,
                    "Succeeded" if kind == "action" else "Abandoned", 1, f"tp-{deploy + number}", 2,
                    0, 1, 0, "d-1", "", "", "{}", "", "" if kind == "action" else "PASS",
                    at - 190, at,
                )  # fmt: skip
        yield self._event(id_, f"stage.{status.lower()}", at, stage)
        if deploys:
            target = f"{stage.lower()}//{self.pipeline}/all"
            yield "ledger", (
                self.pipeline, stage, target, digest, json.dumps({"digest": digest}), id_, deploy,
                "Deploy", f"tp-{deploy}", "d-1", "BAD" if failed else "GOOD", at,
            )  # fmt: skip
            yield "measurement", (deploy + 1, at - 100, "PASS", 0.5, 10, "")

    def _event(
        self, id_: str, kind: str, at: float, stage: str = ""
    ) -> tuple[str, tuple[Any, ...]]:
        return "event", (at, kind, self.pipeline, id_, stage, "", "", "{}")


def fill(doors: Doors, executions: int, pipelines: int) -> None:
    """Declare the pipelines, and write what so many executions of the last year left."""
    named = [BUSY, *(f"p{number:04d}" for number in range(1, pipelines))]
    for name in named:
        doors.house.apply(pipeline(source(), *(_deploying(name, s) for s in STAGES[1:]), name=name))
    _came_over(doors)
    year = 365 * DAY
    began = doors.house.clock().timestamp() - year
    every = (
        Finished(n, BUSY if n % 3 == 0 else named[n % pipelines], began + year * n / executions)
        for n in range(1, executions + 1)
    )
    write(str(doors.house.database.engine.url.database), every)
    done = False
    while not done:
        with doors.house.database.begin() as connection:
            done = tally.fold(connection)


def _came_over(doors: Doors) -> None:
    """The busy one came over from CodePipeline, and the old one was followed for as long as is kept."""
    document = json.dumps({"execution": "e", "status": "Succeeded", "findings": []})
    with doors.house.database.begin() as connection:
        row = {"account": "dev", "region": "eu-west-1", "version": 1, "closed": "[]"}
        migrated.put(
            connection, {"pipeline": BUSY, **row, "migrated_at": 0.0, "migrated_by": "anne"}
        )
        for number in range(100):
            seen = {"started_at": float(number), "differs": False, "document": document}
            migrated.add(
                connection, {"pipeline": BUSY, "execution_id": str(number), **seen, "at": 0.0}
            )


def _deploying(name: str, stage: str) -> dict[str, Any]:
    where = {
        "Account": stage.lower(), "ApplicationName": name, "DeploymentGroupName": "all",
    }  # fmt: skip
    made = deploying(stage)
    deploy = action("Deploy", "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
    return {**made, "actions": [deploy]}


def write(path: str, every: Iterator[Finished]) -> None:
    """In bulk, past everything that makes single writes durable."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    asked = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = connection.execute(asked).fetchall()  # quicker to make at the end than to keep
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    statements = {
        name: f"INSERT INTO {name} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})"
        for name, columns in COLUMNS.items()
    }
    while chunk := list(islice(every, CHUNK)):
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
        for execution in chunk:
            for name, values in execution.rows():
                rows[name].append(values)
        with connection:
            for name, values_ in rows.items():
                connection.executemany(statements[name], values_)
    for _, sql in indexes:
        connection.execute(sql)
    connection.close()


def routes(doors: Doors) -> dict[str, str]:
    """Every GET of the interface and every page, by what it is."""
    rows = doors.house.rows(BUSY)
    newest, half_a_year = rows[0].id, f"{int((rows[0].started_at - 180 * DAY) * 1000):012x}"
    middle = f"{half_a_year[:8]}-{half_a_year[8:]}"  # ids begin with the time
    api = "/api/v1"
    return {
        "pipelines": f"{api}/pipelines",
        "pipelines, last page": f"{api}/pipelines?after=p0950",
        "pipeline": f"{api}/pipelines/{BUSY}",
        "state": f"{api}/pipelines/{BUSY}/state",
        "executions": f"{api}/pipelines/{BUSY}/executions?limit=50",
        "executions, far back": f"{api}/pipelines/{BUSY}/executions?before={middle}",
        "execution": f"{api}/executions/{newest}",
        "measurements": f"{api}/executions/{newest}/measurements",
        "explanation": f"{api}/executions/{newest}/explanation",
        "quarantine": f"{api}/quarantine",
        "drills": f"{api}/pipelines/{BUSY}/drills",
        "shadow": f"{api}/pipelines/{BUSY}/shadow",
        "freezes": f"{api}/freezes",
        "incidents": f"{api}/incidents",
        "ledger": f"{api}/ledger/{BUSY}",
        "ledger, far back": f"{api}/ledger/{BUSY}?before=10000",
        "events": f"{api}/events",
        "audit": f"{api}/audit",
        "audit of a pipeline": f"{api}/audit?pipeline={BUSY}",
        "events of a pipeline": f"{api}/events?pipeline={BUSY}",
        "events of a small pipeline": f"{api}/events?pipeline=p0001&after=10000",
        "events of an execution": f"{api}/events?execution={newest}",
        "accounts": f"{api}/accounts",
        "account": f"{api}/accounts/dev",
        "tokens": f"{api}/tokens",
        "sessions": f"{api}/sessions",
        "schema": f"{api}/schema",
        "openapi": f"{api}/openapi.json",
        "doctor": f"{api}/doctor",
        "doctor of a pipeline": f"{api}/doctor/{BUSY}",
        "console: all pipelines": "/console/",
        "console: last page": "/console/?after=p0950",
        "console: the busy pipeline": f"/console/pipelines/{BUSY}",
        "console: a small pipeline": "/console/pipelines/p0001",
        "console: why it went so": f"/console/executions/{newest}",
        "console: freezes": "/console/freezes",
        "console: what a freeze would do": f"/console/freezes?say=1&pipeline={BUSY}",
        "console: quarantine": "/console/quarantine",
        "console: accounts": "/console/accounts",
        "console: audit": "/console/audit",
        "console: audit of a pipeline": f"/console/audit?pipeline={BUSY}",
        "console: sign in": "/console/login",
        "ready": "/readyz",
        "metrics": "/metrics",
    }


class Took(NamedTuple):
    """Milliseconds that an answer took: by the clock on the wall, and of a processor."""

    wall: float
    processor: float


def measure(doors: Doors, rounds: int) -> dict[str, list[Took]]:
    """What each answer took, by what was asked. The routes take turns."""
    asked = routes(doors)
    took: dict[str, list[Took]] = {name: [] for name in asked}
    browser, client = doors.browser(), doors.client()
    for _ in range(rounds):
        for name, url in asked.items():
            by: httpx.Client = browser if url.startswith("/console") else client
            began, used = time.perf_counter(), time.process_time()
            answer = by.get(f"http://towpath{url}")
            wall, processor = time.perf_counter() - began, time.process_time() - used
            took[name].append(Took(wall * 1000, processor * 1000))
            assert answer.status_code == 200, (name, answer.status_code, answer.text[:300])
    return took


class Archived(NamedTuple):
    """How many executions went to the archive, how many a second, and how long a step took (median, ms)."""

    executions: int
    rate: float
    step: float


def archiving(doors: Doors, folder: Path, most: int) -> Archived:
    """Archive the oldest executions."""
    began = last = time.perf_counter()
    steps: list[float] = []

    def stepped(_: float) -> None:
        nonlocal last
        steps.append(time.perf_counter() - last)
        last = time.perf_counter()

    now = doors.house.clock().timestamp()
    keep = Keep(90, folder)
    gone = retention.run_once(doors.house.database, keep, now, most=most, pause=stepped)
    rate = gone / (time.perf_counter() - began)
    return Archived(gone, rate, statistics.median(steps) * 1000)


def with_metrics(folder: Path) -> Doors:
    """Doors whose metrics are the product's own."""
    doors = Doors(folder)

    def read() -> Iterator[Reading]:
        with doors.house.database.read() as connection:
            for found in metrics.read(connection, doors.house.clock().timestamp()):
                yield Reading(*found)

    doors.metrics.register(FromDatabase(read))
    return doors


def figures(
    folder: Path, executions: int, pipelines: int, rounds: int
) -> tuple[dict[str, list[Took]], Archived]:
    """Fill, and measure: for the table of all benches."""
    doors = with_metrics(folder)
    for name in ("dev", "prod"):
        doors.registry.put(account(name))
    fill(doors, executions, pipelines)
    warm(doors.app)  # as `towpath serve` does before its port opens
    took = measure(doors, rounds)
    archived = archiving(doors, folder / "archive", most=executions // 100)
    doors.house.database.close()
    return took, archived


def quantile(values: Iterable[float], share: float) -> float:
    """Of the measured values themselves: the worst, where there are few."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def worst(took: Mapping[str, Sequence[Took]]) -> float:
    """The p99 of what is answered slowest, in milliseconds."""
    return max(quantile((one.wall for one in values), 0.99) for values in took.values())


def lines(_run: Run) -> list[Line]:
    """For the table of all benches."""
    with folder() as place:
        took, archived = figures(place, 1_000_000, 1_000, rounds=30)
    slowest = max(took, key=lambda name: quantile((one.wall for one in took[name]), 0.99))
    said = f"{worst(took):.0f} ms ({slowest})"
    return [
        Line("1,000,000 finished executions: p99 of what is answered slowest", said, "≤ 100 ms"),
        Line("executions archived a second", f"{archived.rate:,.0f}"),
    ]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--pipelines", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    with folder() as place:
        took, archived = figures(place, args.executions, args.pipelines, args.rounds)
    table = Table("asked", "p50 ms", "p99 ms", "of a processor, p50 ms")
    for name, values in took.items():
        wall, processor = zip(*values, strict=True)
        cells = (statistics.median(wall), quantile(wall, 0.99), statistics.median(processor))
        table.add_row(name, *(f"{cell:.1f}" for cell in cells))
    table.add_row(f"worst, {args.executions:,} executions (goal: <= 100)", "", f"{worst(took):.1f}")
    said = f"{archived.rate:,.0f}/s, {archived.step:.0f} ms a step (median)"
    table.add_row(f"archived, {archived.executions:,} executions", said, "", "")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
