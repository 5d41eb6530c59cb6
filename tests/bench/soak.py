"""`make soak`: the long version of the crash tests. Exits 1 where something was lost, doubled, or grew.

First the demo's journey is killed at every single commit, on SQLite. Then three replicas on PostgreSQL run
the demo pipeline under load and are killed at random moments. Then they run under load for some minutes
and are watched: neither memory nor open files may grow. What was done is read from the sandbox's records.
"""

import argparse
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from controlplane.demo.processes import DemoError
from tests.bench.parts import folder
from tests.bench.takeover import takeover
from tests.support import boundaries
from tests.support.boundaries import Lives
from tests.support.crashing import deployments, nothing_was_lost_or_doubled, unfinished, unsent
from tests.support.postgres import Cluster, server
from tests.support.replicas import Crashing, opened

MOST_MEGABYTES, MOST_FILES = 32.0, 20
"""By how much a replica may be larger at the end of the watched time than at its first fifth."""
MOST_OPEN = 200
"""Executions and notifications under way: as much load as is got done, however slow the machine."""
WORST_TAKEOVER = 11.0
Found = tuple[str, str, bool]
"""What was looked at, what was found, and whether that is well."""


@dataclass(frozen=True)
class Size:
    """What a process takes of the machine."""

    megabytes: float
    files: int


def size_of(pid: int) -> Size:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return Size(int(kilobytes) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def every_commit(place: Path) -> list[Found]:
    """The journey, killed before and after each of its commits."""
    with boundaries.opened(Lives(place, exact=True)) as lives:
        lives.play()
        boundaries.every_commit_was_a_crash(lives)
        boundaries.ended_as_if_undisturbed(lives.evidence)
        killed = lives.kills()
    return [("processes killed at a commit of the demo", str(killed), True)]


def random_moments(stage: Crashing, kills: int) -> list[Found]:
    """Releases under load while replicas die."""
    stage.play(kills, loaded=True)
    done = deployments(stage.evidence)
    return [
        ("replicas killed at random moments", str(stage.kills), stage.kills >= kills),
        ("deployments started meanwhile", str(len(done)), bool(done)),
    ]


def steady_load(stage: Crashing, minutes: float) -> list[Found]:
    """The same replicas under load, undisturbed and watched."""
    ends = time.monotonic() + 60 * minutes
    _load_until(stage, ends - 48 * minutes)  # a fifth of it to warm up
    before = _sizes(stage)
    _load_until(stage, ends)
    stage.settle()
    after = _sizes(stage)
    grown = [
        Size(now.megabytes - then.megabytes, now.files - then.files)
        for then, now in zip(before, after, strict=True)
    ]
    memory, files = max(g.megabytes for g in grown), max(g.files for g in grown)
    return [
        ("a replica's memory at the end", f"{max(s.megabytes for s in after):.0f} MB", True),
        ("growth of it", f"{memory:+.1f} MB", memory <= MOST_MEGABYTES),
        ("growth of its open files", f"{files:+d}", files <= MOST_FILES),
    ]


def _load_until(stage: Crashing, ends: float) -> None:
    while time.monotonic() < ends:
        if unfinished(stage.evidence) + unsent(stage.evidence) < MOST_OPEN:
            stage.load()
        threading.Event().wait(0.1)


def _sizes(stage: Crashing) -> list[Size]:
    return [size_of(replica.pid) for replica in stage.replicas]


def replicas(place: Path, url: str, kills: int, minutes: float) -> list[Found]:
    """Both on three replicas, and what is true of all of it at the end."""
    with opened(Crashing(place, seed=kills, replicas=3, database=url)) as stage:
        found = random_moments(stage, kills) + steady_load(stage, minutes)
        nothing_was_lost_or_doubled(stage.evidence, stage.asked_for)
        asked = len(stage.asked_for)
    return [*found, ("other executions asked for, each there once", str(asked), asked > 0)]


def taken_over(place: Path, url: str, rounds: int) -> list[Found]:
    """Kill -9 of who holds a claim, leases of ten seconds."""
    took = takeover(place, url, rounds=rounds)
    said = f"{max(took):.2f} s, worst of {len(took)}"
    return [
        ("killed -> its work goes on elsewhere, 10 s leases", said, max(took) <= WORST_TAKEOVER)
    ]


def asked_for() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of replicas, at random moments")
    parser.add_argument("--minutes", type=float, default=5.0, help="of load that is watched")
    parser.add_argument("--rounds", type=int, default=20, help="of taking over")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; all by default")
    return parser.parse_args()


PARTS: Mapping[str, Callable[[Path, Cluster, argparse.Namespace], list[Found]]] = {
    "commits": lambda place, _, __: every_commit(place),
    "replicas": lambda place, cluster, asked: replicas(
        place, cluster.database(), asked.kills, asked.minutes
    ),
    "takeover": lambda place, cluster, asked: taken_over(place, cluster.database(), asked.rounds),
}


def part(name: str, place: Path, cluster: Cluster, asked: argparse.Namespace) -> list[Found]:
    """One part; what it found wrong is told, and does not keep the others from running."""
    print(f"{name} ...", file=sys.stderr)
    (own := place / name).mkdir()
    try:
        return PARTS[name](own, cluster, asked)
    except (AssertionError, DemoError) as error:
        traceback.print_exc()
        return [(name, str(error).partition("\n")[0] or "lost or doubled", False)]


def main() -> None:
    asked = asked_for()
    with server() as cluster, folder() as place:
        found = [one for title in asked.only or PARTS for one in part(title, place, cluster, asked)]
    table = Table("what", "found", "")
    for what, said, well in found:
        table.add_row(what, said, "well" if well else "NOT WELL")
    Console(width=110).print(table)
    sys.exit(0 if all(well for *_, well in found) else 1)


if __name__ == "__main__":
    main()
