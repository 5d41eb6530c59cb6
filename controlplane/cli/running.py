"""demo, sandbox, serve, worker: run it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controlplane.cli.output import fail
from controlplane.client.api import Exit

if TYPE_CHECKING:
    from controlplane.sandbox.world import World

SERVES_ON = 8640


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    for command in (demo, sandbox, serve, worker):
        app.command()(command)


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="approve by itself, check every claim, and end")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object last")] = False,
    port: Annotated[int, typer.Option(help="of the console; 0: any free one")] = 0,
    scenario: Annotated[str, typer.Option(help="which story; `list` tells them all")] = "",
) -> None:
    """Watch a good release go to prod and a bad one come back, on an embedded AWS."""
    from controlplane.demo.play import play
    from controlplane.demo.scenarios import DEFAULT, SCENARIOS

    if scenario == "list":
        for name, one in SCENARIOS.items():
            typer.echo(f"{name:16}{one.about}")
        return
    name = scenario or DEFAULT
    if name not in SCENARIOS:
        fail(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}", Exit.USAGE)
    raise typer.Exit(play(leave=leave, as_json=as_json, port=port, scenario=name))


def sandbox(
    port: Annotated[int, typer.Option(help="0: any free one")] = 4566,
    layout: Annotated[str, typer.Option(help="of its environments: waves, one-box")] = "",
    settings: Annotated[
        Path | None,
        typer.Option(help="write what `towpath serve` needs to work in it, for a shell"),
    ] = None,
) -> None:
    """Serve the embedded AWS alone: look into it with the AWS CLI."""
    from controlplane.sandbox.run import run_sandbox
    from controlplane.sandbox.world import LAYOUTS

    if layout not in LAYOUTS:
        fail(f"no layout {layout!r}; there are: {', '.join(filter(None, LAYOUTS))}", Exit.USAGE)

    def ready(world: "World") -> None:
        typer.echo(f"the embedded AWS listens on {world.url}")
        key = world.root_keys["prod"]
        typer.echo(f"look into it:  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY=any")
        typer.echo("               export AWS_DEFAULT_REGION=eu-west-1")
        typer.echo(f"               aws --endpoint-url {world.url} deploy list-applications")
        typer.echo(f"what is in it: {world.url}/_sandbox/world")
        if settings is not None:
            _write_settings(world, settings)
            typer.echo(f"run Towpath in it: . ./{settings} && towpath serve")

    try:
        run_sandbox(port, ready, layout)
    except OSError as error:
        fail(f"port {port} of 127.0.0.1 cannot be used: {error}", Exit.REFUSED)


def _write_settings(world: "World", path: Path) -> None:
    """Write it as exports, readable by nobody else: they hold the keys of the embedded AWS."""
    import os
    import shlex

    from controlplane.demo.processes import settings_for

    found = settings_for(world.document(), path.absolute().parent, SERVES_ON)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in found.items()]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines([*lines, f"export TOWPATH_URL={found['TOWPATH_PUBLIC_URL']}\n"])


def serve() -> None:
    """Run Towpath: API, console, and a worker. Settings come from TOWPATH_... variables."""
    from controlplane.cli.serving import run

    run()


def worker() -> None:
    """Run a worker without doors."""
    import logging
    import signal
    import threading

    from controlplane.settings import Settings
    from controlplane.telemetry import log_to_stderr
    from controlplane.wiring import build
    from controlplane.worker import Worker

    log_to_stderr()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    with build(Settings()) as house:
        running = Worker(house)
        running.start()
        logging.getLogger(__name__).info("the worker runs")
        ended.wait()
        running.stop()
    raise typer.Exit(Exit.WELL)
