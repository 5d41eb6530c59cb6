"""Following an execution to its end, or to where it needs a person; what scripts learn from the exit code.

A server that goes away meanwhile is asked again: nobody has said that the release is well.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.live import Live

from controlplane.cli.drawing import tree
from controlplane.cli.hints import decide, roll_back
from controlplane.cli.output import Form, fail, write
from controlplane.client.api import Api, Exit, UnansweredError
from controlplane.client.words import line
from controlplane.declarations.durations import parse_duration

WATCH_SECONDS = 15.0
"""How long the server may keep a question for events open."""
AGAIN_SECONDS = 2.0
GIVE_UP_SECONDS = 900.0
"""A server that does not answer is asked for so long, where no --timeout says otherwise."""

Document = Mapping[str, Any]


class Until(StrEnum):
    """How far it is followed."""

    OVER = "over"
    WAITS = "waits"


WaitOption = Annotated[bool, typer.Option("--wait", help="follow it, and exit by how it went")]
UntilOption = Annotated[
    Until, typer.Option(help="over: to its end; waits: or to where it waits for a person")
]
TimeoutOption = Annotated[
    str, typer.Option(metavar="DURATION", help="follow it for so long at most: 90s, 20m, 2h")
]
ExitStatusOption = Annotated[
    bool, typer.Option("--exit-status/--no-exit-status", help="exit by how it went, or by 0")
]


@dataclass(frozen=True, slots=True)
class Terms:
    """How an execution is followed.

    seconds: at most; None: to its end. tells: the exit code says how it went.
    """

    form: Form = Form.TABLE
    until: Until = Until.OVER
    seconds: float | None = None
    tells: bool = True


def seconds_of(text: str) -> float | None:
    """Read a --timeout; None where there is none."""
    try:
        return parse_duration(text).total_seconds() if text else None
    except ValueError as error:
        fail(f"--timeout: {error}", Exit.USAGE)


def is_id(text: str) -> bool:
    """Whether that is an execution's id, and no pipeline's name."""
    return len(text) == 36 and text.count("-") == 4  # noqa: PLR2004 - a UUID


def newest(api: Api, pipeline: str) -> str:
    """The id of a pipeline's newest execution."""
    found = api.get(f"/pipelines/{pipeline}/executions")
    if not found:
        fail(f"{pipeline} has no executions yet; start one: towpath start {pipeline}", Exit.REFUSED)
    return str(found[0]["id"])


def code_of(document: Document) -> Exit:
    """What a script should know of an execution."""
    if document["status"] == "Failed" or document["type"] == "ROLLBACK":
        return Exit.FAILED
    if document["status"] in {"Stopped", "Superseded"}:
        return Exit.CANCELLED
    return Exit.WAITING if waiting(document) else Exit.WELL


def waiting(document: Document) -> list[str]:
    """The stages that wait for a person's word."""
    return [stage["stage"] for stage in document["stages"] if _waits(stage)]


def _waits(stage: Document) -> bool:
    if (stage["bake"] or {}).get("askedAt") and stage["status"] == "Baking":
        return True
    return any(
        action["category"] == "Approval" and action["status"] == "InProgress"
        for action in stage["actions"]
    )


def follow(api: Api, execution: str, terms: Terms) -> NoReturn:
    """Tell what happens until it is over, or waits where that is wanted; exit by how it went.

    On a terminal a live tree; piped a line an event, or a JSON or YAML document each, and the execution last.
    """
    try:
        document = _watched(api, execution, terms)
    except KeyboardInterrupt:
        said = f"the release goes on; look again: towpath status {execution} --watch"
        fail(said, Exit.INTERRUPTED)
    if document is None:
        said = (
            f"not over after {terms.seconds:.0f} s, and it goes on: towpath status {execution} -w"
        )
        fail(said, Exit.TIMED_OUT)
    if terms.form is not Form.TABLE:
        write(terms.form, {"execution": dict(document)}, line=True)
    code = code_of(document)
    _say_what_can_be_done(document, code)
    raise typer.Exit(code if terms.tells else Exit.WELL)


def follow_back(api: Api, pipeline: str, bad: str, seconds: float | None) -> NoReturn:
    """Follow the rollback of an execution; exit 0 where what it brought back was verified."""
    ends = None if seconds is None else time.monotonic() + seconds
    while (back := _back_of(api, pipeline, bad)) is None:
        if ends is not None and time.monotonic() >= ends:
            fail(f"no rollback has begun yet: towpath status {pipeline} --watch", Exit.TIMED_OUT)
        api.pause(AGAIN_SECONDS)
    left = None if ends is None else max(0.0, ends - time.monotonic())
    document = _watched(api, back, Terms(seconds=left))
    if document is None:
        fail(f"not over yet, and it goes on: towpath status {back} --watch", Exit.TIMED_OUT)
    typer.echo(f"rollback {document['rollbackState']}")
    raise typer.Exit(Exit.WELL if document["rollbackState"] == "done" else Exit.FAILED)


def _back_of(api: Api, pipeline: str, bad: str) -> str | None:
    """The id of the execution that rolls another one back; what is under way is stopped first."""
    found = api.get(f"/pipelines/{pipeline}/executions")
    return next((str(one["id"]) for one in found if one["rollsBack"] == bad), None)


def _say_what_can_be_done(document: Document, code: Exit) -> None:
    lines = decide(document, waiting(document)) if code is Exit.WAITING else roll_back(document)
    for said in lines:
        typer.echo(said, err=True)


def _watched(api: Api, execution: str, terms: Terms) -> Document | None:
    """The execution as it stood in the end; None where the time was over first."""
    console = Console()
    last: Document | None = None
    if terms.form is not Form.TABLE or not console.is_terminal:
        for document, events in _states(api, execution, terms):
            last = document
            _tell(terms.form, events)
        return last
    with Live(console=console, auto_refresh=False) as live:
        for document, _ in _states(api, execution, terms):
            last = document
            if document is not None:
                live.update(tree(document), refresh=True)
    return last


def _tell(form: Form, events: list[Document]) -> None:
    for event in events:
        if form is Form.TABLE:
            typer.echo(line(event))
        else:
            write(form, {"event": dict(event)}, line=True)
    sys.stdout.flush()


def _states(
    api: Api, execution: str, terms: Terms
) -> Iterator[tuple[Document | None, list[Document]]]:
    """Each time something happened: how it stands, and the events; last (None, []) where time is over."""
    ends = None if terms.seconds is None else time.monotonic() + terms.seconds
    after, away = 0, _Away(ends)
    while True:
        try:
            found, document = _asked(api, execution, after, ends)
        except UnansweredError as error:
            away.tell(error)
            api.pause(AGAIN_SECONDS)
            continue
        away.is_over()
        after = max([after, *(event["id"] for event in found)])
        yield document, found
        # What ended between the two questions is told by the next one.
        if not found and _enough(document, terms.until):
            return
        if ends is not None and time.monotonic() >= ends:
            yield None, []
            return


def _asked(
    api: Api, execution: str, after: int, ends: float | None
) -> tuple[list[Document], Document]:
    """What happened since, and how it stands. It does not wait for news of what has nothing more to tell."""
    document = api.get(f"/executions/{execution}")
    left = WATCH_SECONDS if ends is None else max(0.0, ends - time.monotonic())
    still = not document["endedAt"] and not waiting(document) and after
    wait = min(WATCH_SECONDS, left) if still else 0
    found = api.get("/events", after=after, execution=execution, wait=round(wait, 1))["events"]
    return found, api.get(f"/executions/{execution}") if found else document


def _enough(document: Document, until: Until) -> bool:
    return bool(document["endedAt"]) or (until is Until.WAITS and bool(waiting(document)))


class _Away:
    """A server that does not answer: said once each time, and given up after a while."""

    def __init__(self, ends: float | None) -> None:
        self._ends = ends
        self._since: float | None = None

    def tell(self, error: UnansweredError) -> None:
        """Say it; UnansweredError again where it has been long enough."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            typer.echo(f"{error}; nothing is known until it answers, asking again", err=True)
        if now - self._since > GIVE_UP_SECONDS or (self._ends is not None and now >= self._ends):
            raise error

    def is_over(self) -> None:
        """It answers."""
        if self._since is not None:
            typer.echo("Towpath answers again", err=True)
        self._since = None
