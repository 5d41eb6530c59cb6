"""get, status, events: what there is, how it stands, what happened."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from controlplane.cli.completing import pipelines, things
from controlplane.cli.drawing import tree
from controlplane.cli.following import (
    ExitStatusOption,
    Terms,
    TimeoutOption,
    Until,
    UntilOption,
    code_of,
    follow,
    is_id,
    newest,
    seconds_of,
)
from controlplane.cli.hints import decide_on
from controlplane.cli.output import Form, FormOption, fail, show, table_of
from controlplane.client.api import Api, ApiError, Exit
from controlplane.client.words import line, short

PAGE = 100
PARTS = ("detected", "stopped", "restored")
"""Of a drill: after how many seconds."""


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(get)
    app.command()(status)
    app.command()(events)


def _pipelines(api: Api, _of: str) -> tuple[Any, Any]:
    found = _every(api, "/pipelines", PAGE)
    rows = (
        [p["name"], p["version"], (p["latest"] or {}).get("status", ""),
         p["broken"] or ", ".join(_stage_in_words(s) for s in p["stages"])]
        for p in found
    )  # fmt: skip
    return found, table_of(["pipeline", "version", "latest", "stages"], rows)


def _every(api: Api, path: str, limit: int) -> list[Any]:
    """All pages of a listing, by name."""
    found: list[Any] = []
    page = api.get(path, limit=limit)
    while page:
        found += page
        page = api.get(path, limit=limit, after=page[-1]["name"]) if len(page) == limit else []
    return found


def _stage_in_words(stage: Mapping[str, Any]) -> str:
    held = "" if stage["transition"]["enabled"] else " (held)"
    return f"{stage['name']}: {stage['status'] or '-'}{held}"


def _executions(api: Api, of: str) -> tuple[Any, Any]:
    found = api.get(f"/pipelines/{of}/executions")
    rows = (
        [e["id"], e["type"], e["status"], short(e["digest"]), e["startedAt"], e["reason"]]
        for e in found
    )
    return found, table_of(["execution", "type", "status", "digest", "started", "reason"], rows)


def _ledger(api: Api, of: str) -> tuple[Any, Any]:
    found = api.get(f"/ledger/{of}")
    rows = ([e["target"], short(e["digest"]), e["status"], e["at"]] for e in found)
    return found, table_of(["target", "digest", "fared", "at"], rows)


def _drills(api: Api, of: str) -> tuple[Any, Any]:
    found = api.get(f"/pipelines/{of}/drills")
    rows = (
        [d["requestedAt"], d["stage"], d["state"], *map(d["seconds"].get, PARTS), d["note"]]
        for d in found
    )
    return found, table_of(["requested", "stage", "state", *PARTS, "note"], rows)


def _quarantine(api: Api, _of: str) -> tuple[Any, Any]:
    found = api.get("/quarantine")
    rows = ([q["digest"], q["pipeline"], q["reason"], q["at"]] for q in found)
    return found, table_of(["digest", "pipeline", "reason", "since"], rows)


def _freezes(api: Api, _of: str) -> tuple[Any, Any]:
    found = api.get("/freezes")
    rows = (
        [f["id"], f["pipeline"] or "all", f["stage"] or "all", f["account"] or "all",
         f["until"] or "lifted by hand", f["by"], f["reason"]]
        for f in found
    )  # fmt: skip
    return found, table_of(
        ["freeze", "pipeline", "stage", "account", "until", "by", "reason"], rows
    )


def _incidents(api: Api, _of: str) -> tuple[Any, Any]:
    found = api.get("/incidents")
    rows = ([i["key"], i["name"], i["labels"].get("severity", ""), i["since"]] for i in found)
    return found, table_of(["incident", "name", "severity", "since"], rows)


def _accounts(api: Api, _of: str) -> tuple[Any, Any]:
    found = api.get("/accounts")
    rows = ([a["name"], a["id"], a["environment"], ", ".join(a["regions"])] for a in found)
    return found, table_of(["account", "id", "environment", "regions"], rows)


KINDS: Mapping[str, Callable[[Api, str], tuple[Any, Any]]] = {
    "pipelines": _pipelines,
    "executions": _executions,
    "ledger": _ledger,
    "quarantine": _quarantine,
    "accounts": _accounts,
    "drills": _drills,
    "freezes": _freezes,
    "incidents": _incidents,
}
OF_A_PIPELINE = frozenset({"executions", "ledger", "drills"})


def get(
    kind: Annotated[
        str, typer.Argument(help=" | ".join(KINDS), autocompletion=lambda: list(KINDS))
    ],
    pipeline: Annotated[
        str, typer.Argument(help="for executions, ledger and drills", autocompletion=pipelines)
    ] = "",
    output: FormOption = Form.TABLE,
) -> None:
    """List pipelines, executions, the ledger, the quarantine, accounts, drills, freezes or incidents."""
    if kind not in KINDS:
        fail(f"there is nothing called {kind!r}; there is: {', '.join(KINDS)}", Exit.USAGE)
    if kind in OF_A_PIPELINE and not pipeline:
        fail(f"say of which pipeline: towpath get {kind} PIPELINE", Exit.USAGE)
    show(output, *KINDS[kind](Api(), pipeline))


def status(
    what: Annotated[
        str,
        typer.Argument(help="a pipeline's name, or an execution's id", autocompletion=things),
    ],
    output: FormOption = Form.TABLE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="follow it as it goes")] = False,
    until: UntilOption = Until.OVER,
    timeout: TimeoutOption = "",
    exit_status: ExitStatusOption = True,
) -> None:
    """How an execution stands (of a pipeline: its newest), and its exit code says it, too."""
    api = Api()
    execution = what if is_id(what) else newest(api, what)
    if watch:
        follow(api, execution, Terms(output, until, seconds_of(timeout), tells=exit_status))
    document = api.get(f"/executions/{execution}")
    show(output, document, tree(document))
    if output is Form.TABLE:
        for said in _asked(api, document):
            typer.echo(said)
    raise typer.Exit(code_of(document) if exit_status else Exit.WELL)


def _asked(api: Api, document: Mapping[str, Any]) -> Iterator[str]:
    """For each approval that is open: how to decide on what there is to see now."""
    for stage in document["stages"]:
        for action in stage["actions"]:
            if action["category"] != "Approval" or action["status"] != "InProgress":
                continue
            path = f"/executions/{document['id']}/stages/{stage['stage']}/approval"
            try:
                there = api.get(path, action=action["name"])
            except ApiError:  # decided meanwhile, or a server that cannot show it
                continue
            yield from decide_on(there)


def events(
    pipeline: Annotated[
        str, typer.Argument(help="the pipeline's name", autocompletion=pipelines)
    ] = "",
    after: Annotated[int, typer.Option(help="an event's id to go on from")] = 0,
    output: FormOption = Form.TABLE,
) -> None:
    """What happened, oldest first."""
    api = Api()
    if pipeline:
        api.get(f"/pipelines/{pipeline}")  # says so where there is none of that name
    found = api.get("/events", after=after, pipeline=pipeline)["events"]
    if output is Form.TABLE:
        for event in found:
            typer.echo(line(event))
    else:
        show(output, found, table_of([], []))
