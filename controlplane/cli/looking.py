"""get, status, events: what there is, how it stands, what happened."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from controlplane.cli.output import Form, FormOption, fail, show, table_of
from controlplane.client.api import Api, Exit
from controlplane.client.words import COLOURS, line, short

WATCH_SECONDS = 15
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
    kind: Annotated[str, typer.Argument(help=" | ".join(KINDS))],
    pipeline: Annotated[str, typer.Argument(help="for executions, ledger and drills")] = "",
    output: FormOption = Form.TABLE,
) -> None:
    """List pipelines, executions, the ledger, the quarantine, accounts, drills, freezes or incidents."""
    if kind not in KINDS:
        fail(f"there is nothing called {kind!r}; there is: {', '.join(KINDS)}", Exit.USAGE)
    if kind in OF_A_PIPELINE and not pipeline:
        fail(f"say of which pipeline: towpath get {kind} PIPELINE", Exit.USAGE)
    show(output, *KINDS[kind](Api(), pipeline))


def status(
    what: Annotated[str, typer.Argument(help="a pipeline's name, or an execution's id")],
    output: FormOption = Form.TABLE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="until it is over")] = False,
) -> None:
    """How an execution stands (of a pipeline: its newest). Exit 3: failed or rolled back, 4: waits."""
    api = Api()
    execution = what if _is_id(what) else _newest(api, what)
    if watch:
        _watch(api, execution)
    document = api.get(f"/executions/{execution}")
    if not watch or output is not Form.TABLE:
        show(output, document, tree(document))
    raise typer.Exit(code_of(document))


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4  # noqa: PLR2004 - a UUID


def _newest(api: Api, pipeline: str) -> str:
    found = api.get(f"/pipelines/{pipeline}/executions")
    if not found:
        fail(f"{pipeline} has no executions yet; start one: towpath start {pipeline}", Exit.REFUSED)
    return str(found[0]["id"])


def code_of(document: Mapping[str, Any]) -> Exit:
    """What a script should know of an execution."""
    if document["status"] in ("Failed", "Stopped") or document["type"] == "ROLLBACK":
        return Exit.FAILED
    return Exit.WAITING if any(_waits(stage) for stage in document["stages"]) else Exit.WELL


def _waits(stage: Mapping[str, Any]) -> bool:
    if (stage["bake"] or {}).get("askedAt") and stage["status"] == "Baking":
        return True
    return any(
        action["category"] == "Approval" and action["status"] == "InProgress"
        for action in stage["actions"]
    )


def tree(document: Mapping[str, Any]) -> Tree:
    """An execution as a tree of stages, actions and rules."""
    head = f"{document['pipeline']}  {document['id']}  {short(document['digest'])}  "
    root = Tree(Text.assemble(head, _state(document["status"]), " ", document["reason"]))
    if document["type"] == "ROLLBACK":
        of = f" of {document['rollsBack']}"
        root.add(Text.assemble("rollback  ", _state(document["rollbackState"]), of))
    if document["next"]:
        root.add(Text.assemble("next  ", document["next"]))
    for stage in document["stages"]:
        said = "  ".join(words for words in (bake_in_words(stage), watch_in_words(stage)) if words)
        said = stage["held"] if stage["status"] == "Inbound" else said
        branch = root.add(
            Text.assemble(f"{stage['stage']:12} ", _state(stage["status"]), "  ", said)
        )
        _gate(branch, stage.get("gate"))
        for wave in stage.get("waves", ()):  # an older server does not tell
            branch.add(_wave(wave))
        for action in stage["actions"]:
            branch.add(
                Text.assemble(
                    f"{action['name']:24} ",
                    _state(action["status"]),
                    f"  {action['summary'][:120]}",
                )
            )
        for rule in stage["rules"]:
            branch.add(
                Text.assemble(
                    f"{rule['name']:24} ",
                    (rule["verdict"] or "watching"),
                    f"  {rule['reason'][:120]}",
                    style="dim",
                )
            )
    return root


def _wave(wave: Mapping[str, Any]) -> Text:
    """The wave's line; then its targets, where something is already to be told of them."""
    from controlplane.clock import system_clock
    from controlplane.declarations.wave_words import wave_line

    stands = ", ".join(f"{one['name']} {one['status']}" for one in wave["targets"])
    return Text.assemble(wave_line(wave, system_clock()), (f"  ({stands})", "dim"))


def bake_in_words(stage: Mapping[str, Any]) -> str:
    """Until when it bakes, and why for longer; "" where it does not bake."""
    bake = stage["bake"]
    if stage["status"] != "Baking" or not bake:
        return ""
    if bake["askedAt"]:
        return f"asks: towpath judge {stage['executionId']} {stage['stage']} pass|rollback -m WHY"
    told = [f"bakes until {bake['until'][11:16]} UTC" + ", extended" * bool(bake["extended"])]
    told += [f"held: {stage['held']}"] if stage["held"] else []
    told += [r["reason"] for r in stage["rules"] if bake["extended"] and r["verdict"] != "PASS"]
    return "; ".join(told)


def watch_in_words(stage: Mapping[str, Any]) -> str:
    """Until when it is watched, and what a breach leads to; "" where it is not."""
    watch = stage["watch"]
    if not watch or watch["state"] == "over":
        return ""
    how = "a breach rolls back" if watch["state"] == "automatic" else "a breach is told"
    held = f"; not well: {stage['held']}" if stage["held"] else ""
    return f"watched until {watch['until'][11:16]} UTC, {how}{held}"


def _gate(branch: Tree, gate: Mapping[str, Any] | None) -> None:
    """What stands in front of a stage."""
    for rule in gate["rules"] if gate else ():
        opens = f" (opens {rule['opensAt']}, {rule['timeZone']})" if rule["opensAt"] else ""
        word = rule["verdict"] or rule["status"]
        text = f"{rule['name']:24} {word}  {rule['reason'][:120]}{opens}"
        branch.add(Text(text, style="dim"))
    asked = gate["override"] if gate else None
    if asked is not None:
        by = f", confirmed by {asked['confirmedBy']}" if asked["confirmedBy"] else ""
        branch.add(Text(f"override asked for by {asked['askedBy']}{by}: {asked['reason']}"))


def _state(status_: str) -> tuple[str, str]:
    return (status_, COLOURS.get(status_, ""))


def _watch(api: Api, execution: str) -> None:
    """On a terminal a live tree; piped, a line per event."""
    console = Console()
    if not console.is_terminal:
        for event in _follow(api, execution):
            typer.echo(line(event))
        return
    with Live(tree(api.get(f"/executions/{execution}")), console=console) as live:
        for _ in _follow(api, execution):
            live.update(tree(api.get(f"/executions/{execution}")))


def _follow(api: Api, execution: str) -> Iterator[Mapping[str, Any]]:
    """Events of an execution as they come, until it is over."""
    after = 0
    while True:
        found = api.get("/events", after=after, execution=execution, wait=WATCH_SECONDS)["events"]
        yield from found
        after = max([after, *(event["id"] for event in found)])
        if not found and api.get(f"/executions/{execution}")["endedAt"]:
            return
        if any(
            event["kind"].startswith("execution.")
            and event["kind"] != "execution.started"
            and event["kind"] != "execution.stopping"
            for event in found
        ):
            return


def events(
    pipeline: Annotated[str, typer.Argument()] = "",
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
