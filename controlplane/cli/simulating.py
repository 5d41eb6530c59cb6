"""simulate: run seeds of the simulation, and tell of one that broke so that a person can find the cause."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from controlplane.client.api import Exit

if TYPE_CHECKING:
    from controlplane.sandbox.simulation.run import Report


def register(app: typer.Typer) -> None:
    """Put the command in."""
    app.command()(simulate)


def simulate(
    seed: Annotated[int, typer.Option(help="the first seed")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="of each seed")] = 200,
    seeds: Annotated[int, typer.Option(min=1, help="how many, one after the other")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Run fleets of pipelines against simulated vendors with faults; exit 1 where an invariant broke.

    Nothing but the seed decides what happens: the same seed and steps print the same, byte for byte.
    """
    from controlplane.sandbox.simulation.run import simulate as run

    broken: list[Report] = []
    clean = 0
    for one in range(seed, seed + seeds):
        report = run(one, steps)
        if report.invariant:
            broken.append(report)
        else:
            clean += 1
        if not as_json:
            typer.echo(told(report))
    if as_json:
        found = [report.document() for report in broken]
        typer.echo(json.dumps({"clean": clean, "steps": steps, "broken": found}, indent=2))
    elif seeds > 1:
        typer.echo(f"{clean} of {seeds} seeds are clean")
    raise typer.Exit(Exit.REFUSED if broken else Exit.WELL)


def told(report: "Report") -> str:
    """A line of a seed that is clean; all that helps of one that is not."""
    what = (
        f"{report.releases} releases, {report.deployments} deployments, {report.moves} moves, "
        f"{report.virtual_seconds} s, trace {report.sum}"
    )
    if not report.invariant:
        return f"seed {report.seed}: {report.steps} steps clean ({what})"
    lines = (
        f"seed {report.seed} broke at step {report.step} ({what})",
        f"invariant: {report.invariant}",
        f"broken by: {report.what}",
        f"the last that happened (virtual seconds), oldest of {len(report.events)} lines first:",
        *report.events,
        f"replay: towpath simulate --seed {report.seed} --steps {report.steps}",
    )
    return "\n".join(lines)
