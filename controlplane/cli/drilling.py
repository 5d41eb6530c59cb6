"""drill: try the way back where nobody is hurt."""

from typing import Annotated, Any

import typer

from controlplane.cli.output import Form, FormOption, show, table_of
from controlplane.client.api import Api, Exit

LOOK_SECONDS = 2.0


def register(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(drill)


def drill(
    pipeline: Annotated[str, typer.Argument(help="the pipeline's name")],
    stage: Annotated[str, typer.Argument(help="a stage outside production")],
    wait: Annotated[bool, typer.Option("--wait", help="until it is over")] = False,
    output: FormOption = Form.TABLE,
) -> None:
    """Deploy a stage's good release once more, set its alarm, and time what follows. Exit 3: it failed.

    Nothing is quarantined or held by it. The alarm's own actions are run, as for any change of its state.
    """
    api = Api()
    execution = str(api.send("POST", f"/pipelines/{pipeline}/stages/{stage}/drill")["id"])
    found = _follow(api, pipeline, execution) if wait else _of(api, pipeline, execution)
    rows = [[name, value] for name, value in _facts(found)]
    show(output, found, table_of(["", ""], rows))
    if not wait:
        typer.echo(f"how it went: towpath get drills {pipeline}", err=True)
    if found["state"] == "failed":
        raise typer.Exit(Exit.FAILED)


def _of(api: Api, pipeline: str, execution: str) -> Any:
    every = api.get(f"/pipelines/{pipeline}/drills")
    return next(one for one in every if one["executionId"] == execution)


def _follow(api: Api, pipeline: str, execution: str) -> Any:
    found = _of(api, pipeline, execution)
    while not found["endedAt"]:
        api.pause(LOOK_SECONDS)
        found = _of(api, pipeline, execution)
    return found


def _facts(found: Any) -> list[tuple[str, str]]:
    took = [(part, f"after {seconds:.1f} s") for part, seconds in found["seconds"].items()]
    note = [("note", found["note"])] if found["note"] else []
    return [
        ("execution", found["executionId"]),
        ("alarm", f"{found['alarm']} in {found['account']}, set {found['sets']} times"),
        ("state", found["state"]),
        *took,
        *note,
    ]
