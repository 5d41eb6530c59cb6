"""explain: why an execution went as it did."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.text import Text

from controlplane.cli.output import Form, FormOption, show
from controlplane.client.api import Api
from controlplane.client.sparks import scale, sparkline
from controlplane.client.words import COLOURS, short

VERDICTS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "NO_DATA": "yellow"}
LOUD = {"failed": "red", "paged": "red", "quarantined": "red", "done": "green", "held": "yellow"}
"""By the last word of an event's kind."""


def register(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(explain)


def explain(
    execution: Annotated[str, typer.Argument(help="the execution's id")],
    output: FormOption = Form.TABLE,
) -> None:
    """Why an execution went as it did: measurements, verdicts, decision, and the series it was drawn from."""
    document = Api().get(f"/executions/{execution}/explanation")
    if output is Form.TABLE:  # a line stays a line: the terminal folds it, a pipe does not
        Console().print(told(document), soft_wrap=True)
    else:
        show(output, document, told(document))


def told(document: Mapping[str, Any]) -> RenderableType:
    """The explanation as lines; what comes from outside is text, never markup."""
    return Group(*_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[Text]:
    head = f"{document['pipeline']}  {document['executionId']}  {short(document['digest'])}  "
    status = document["status"]
    yield Text.assemble(head, (status, COLOURS.get(status, "")), f"  by {document['by']}")
    yield Text(document["outcome"], style="bold")
    for stage in document["stages"]:
        yield from _stage(stage)
    if document["steps"]:
        yield Text("\nof the whole execution", style="bold")
        yield from (_step(step) for step in document["steps"])


def _stage(stage: Mapping[str, Any]) -> Iterator[Text]:
    again = f" (attempt {stage['attempt']})" if stage["attempt"] > 1 else ""
    yield Text.assemble(
        (f"\n{stage['stage']}{again}  ", "bold"),
        (stage["status"], COLOURS.get(stage["status"], "")),
    )
    for one in stage["deployments"]:
        line = f"  {short(one['digest'])} on {one['target']}, by {one['deployment'] or 'nobody knows what'}: "
        yield Text.assemble(line, (one["fared"], COLOURS.get(one["fared"], "")))
    yield from (_step(step) for step in stage["steps"])
    for rule in stage["rules"]:
        yield from _rule(rule)
    if stage["decision"]:
        decided = stage["decision"]
        by = f" by {decided['by']}" if decided["by"] else ""
        yield Text(f"  decided: {decided['cause']}{by} → {decided['act']}", style="bold")


def _step(step: Mapping[str, Any]) -> Text:
    style = VERDICTS.get(step["verdict"]) or LOUD.get(step["kind"].rpartition(".")[2], "")
    return Text.assemble((f"  {step['at'][11:23]}  ", "dim"), (step["text"], style))


def _rule(rule: Mapping[str, Any]) -> Iterator[Text]:
    verdict = rule["verdict"] or "not judged yet"
    looks = f"  {rule['looks']} looks" if rule["looks"] else ""
    yield Text.assemble(f"  {rule['name']}: ", (verdict, VERDICTS.get(verdict, "")), looks)
    if rule["chart"]:
        line = sparkline(rule["chart"])
        yield Text.assemble("    ", (line, VERDICTS.get(verdict, "")), f"  {scale(rule['chart'])}")
    for run in rule["runs"]:
        span = run["from"][11:19] + ("" if run["looks"] == 1 else f" to {run['to'][11:19]}")
        said = f"{run['verdict']} × {run['looks']}, {span}: {run['reason']}{_certainty(run)}"  # noqa: RUF001
        yield Text(f"    {said}", style="dim")


def _certainty(run: Mapping[str, Any]) -> str:
    """By chance alone it would look as bad so often; so likely a regression that matters had been seen."""
    chance = "" if run["chance"] is None else f"; by chance {run['chance']:.2g}"
    return chance + ("" if run["power"] is None else f"; power {run['power']:.0%}")
