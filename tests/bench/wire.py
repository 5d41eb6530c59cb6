"""CodePipeline's API with 1,000 pipelines and 100,000 finished executions, and the import of 200 files.

    python -m tests.bench.wire --executions 100000

Each reading operation is signed beforehand, and asked in this process: what is measured is Towpath alone,
the check of the signature and of the input included.
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console

from controlplane.declarations.homes import Homes
from controlplane.declarations.load import DeclarationError
from controlplane.declarations.moved import report
from controlplane.declarations.spellings import import_text
from tests.bench.large import BUSY, Took, fill, quantile, with_metrics, worst
from tests.bench.parts import Run, folder
from tests.bench.table import Line, table
from tests.support.clients import account
from tests.support.doors import Doors
from tests.support.wire import Wire

FILES = 200
DATA = Path("../shared/data")
FOLDERS = ("codepipeline-json", "codepipeline-cfn")


def asked(doors: Doors) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Every reading operation of pipelines and executions, by what it is."""
    newest = doors.house.rows(BUSY)[0].id
    execution = {"pipelineName": BUSY, "pipelineExecutionId": newest}
    of_one = {"pipelineName": BUSY, "filter": {"pipelineExecutionId": newest}}
    arn = f"arn:aws:codepipeline:eu-west-1:000000000000:{BUSY}"
    return {
        "ListPipelines, 100": ("ListPipelines", {"maxResults": 100}),
        "GetPipeline": ("GetPipeline", {"name": BUSY}),
        "GetPipelineState": ("GetPipelineState", {"name": BUSY}),
        "ListPipelineExecutions, 100": ("ListPipelineExecutions", {"pipelineName": BUSY}),
        "GetPipelineExecution": ("GetPipelineExecution", execution),
        "ListActionExecutions, 100": ("ListActionExecutions", {"pipelineName": BUSY}),
        "ListActionExecutions of one": ("ListActionExecutions", of_one),
        "ListRuleExecutions, 100": ("ListRuleExecutions", {"pipelineName": BUSY}),
        "ListTagsForResource": ("ListTagsForResource", {"resourceArn": arn}),
        "ListActionTypes": ("ListActionTypes", {}),
        "ListWebhooks": ("ListWebhooks", {}),
    }


def measure(doors: Doors, rounds: int) -> dict[str, list[Took]]:
    """What each answer took, by what was asked; they take turns, the first turn is not counted."""
    wire, operations = Wire(doors), asked(doors)
    took: dict[str, list[Took]] = {name: [] for name in operations}
    for number in range(rounds + 1):
        for name, (operation, given) in operations.items():
            request = wire.signed(operation, given)
            began, used = time.perf_counter(), time.process_time()
            answer = wire.send(request)
            wall, processor = time.perf_counter() - began, time.process_time() - used
            assert answer.status_code == 200, (name, answer.text[:300])
            if number:
                took[name].append(Took(wall * 1000, processor * 1000))
    return took


def importing(number: int = FILES) -> tuple[Took, int]:
    """What reading so many real files, with the report of each, takes (ms); and how many pipelines."""
    paths = [
        path
        for name in FOLDERS
        for path in sorted((DATA / name).glob("*"))
        if path.name != "index.json"
    ]
    texts = [(path.read_text(encoding="utf-8"), path.name) for path in paths]
    homes, came = Homes([account()]), 0
    began, used = time.perf_counter(), time.process_time()
    for text, name in islice(cycle(texts), number):
        try:
            came += len([report(one.declaration, homes) for one in import_text(text, name)])
        except DeclarationError:
            continue  # a few of the real ones are refused, rightly
    wall, processor = time.perf_counter() - began, time.process_time() - used
    return Took(wall * 1000, processor * 1000), came


def lines(_run: Run) -> list[Line]:
    """For the table of all benches."""
    return figures(100_000, 1_000, rounds=50)


def figures(executions: int, pipelines: int, rounds: int) -> list[Line]:
    """Fill, and measure."""
    with folder() as place:
        doors = with_metrics(place)
        fill(doors, executions, pipelines)
        took = measure(doors, rounds)
        doors.house.database.close()
    slowest = max(took, key=lambda name: quantile((one.wall for one in took[name]), 0.99))
    what = f"CodePipeline's API, {pipelines:,} pipelines, {executions:,} executions: p99 of the slowest read"
    processor = {
        name: statistics.median(one.processor for one in values) for name, values in took.items()
    }
    most = max(processor, key=processor.__getitem__)
    imported, came = importing()
    seconds = [f"{part / 1000:.1f} s" for part in imported]
    return [
        Line(what, f"{worst(took):.0f} ms ({slowest})", "≤ 20 ms"),
        Line("the same, of a processor: the median", f"{processor[most]:.1f} ms ({most})"),
        Line(f"{FILES} files imported ({came} pipelines)", seconds[0], "≤ 5 s"),
        Line("the same, of a processor", seconds[1]),
    ]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--pipelines", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    Console(width=120).print(table(figures(args.executions, args.pipelines, args.rounds)))


if __name__ == "__main__":
    main()
