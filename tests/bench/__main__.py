"""`make bench`: what the engine does on this machine, each figure beside the raw limit of the same disk.

Machines are noisy: every figure is the median of several rounds, and the ratios are of one run.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from rich.console import Console

from tests.bench import (
    large,
    latency,
    moves,
    pages,
    presses,
    reaction,
    takeover,
    waiting,
    watching,
    wire,
)
from tests.bench.parts import Place, Run, sqlite
from tests.bench.table import Line, table
from tests.support.postgres import Cluster, programs, server

BENCHES: Mapping[str, Callable[[Run], list[Line]]] = {
    "moves": moves.lines,
    "latency": latency.lines,
    "waiting": waiting.lines,
    "reaction": reaction.lines,
    "takeover": takeover.lines,
    "watching": watching.lines,
    "large": large.lines,
    "wire": wire.lines,
    "pages": pages.lines,
    "presses": presses.lines,
}


def postgres(cluster: Cluster) -> Place:
    """Databases of this server; they are gone with it."""

    @contextmanager
    def place() -> Iterator[str]:
        yield cluster.database()

    return place


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHES, help="may be given again")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--executions", type=int, default=1_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    args = parser.parse_args()
    console = Console(width=120)
    with ExitStack() as stack:
        found = postgres(stack.enter_context(server())) if programs() else None
        if found is None:
            console.print("PostgreSQL is not installed: its figures are left out")
        run = Run(args.rounds, args.executions, args.waiting, sqlite, found)
        lines = [line for name in args.only or BENCHES for line in BENCHES[name](run)]
    console.print(table(lines))


if __name__ == "__main__":
    main()
