"""`make judge`: how often the judge is wrong, beside Kayenta's and Argo's; writes docs/judge.md's tables."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from tests.bench.judge import figures
from tests.bench.judge.figures import LENGTHS, Row
from tests.bench.judge.pictures import roc
from tests.monitors.compat.differences import DIFFERENCES

DOCS = Path(__file__).parents[3] / "docs"
PICTURES = {"latency": "roc-latency.svg", "CloudWatch (NAB)": "roc-cloudwatch.svg"}
JUDGES = ("Towpath", "Kayenta", "Argo")


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.judge", description=__doc__)
    parser.add_argument("--many", type=int, default=60, help="pairs of each real series")
    parser.add_argument("--dry", action="store_true", help="print only: leave the docs as they are")
    args = parser.parse_args()
    console = Console(width=200)
    found = figures.samples(args.many)
    rows = [
        *figures.unchanged(found, args.many),
        *figures.counts(10 * args.many),
        *figures.worsened(found),
    ]
    parts = {
        "figures": table(rows),
        "certified": certified(figures.certified(found)),
        "differences": differences(),
    }
    for part in parts.values():
        console.print(part, markup=False)
    console.print(speed(), markup=False)
    if not args.dry:
        write(DOCS / "judge.md", parts)
        for one in found:
            if one.name in PICTURES:
                roc(one, DOCS / "pictures" / PICTURES[one.name])


def table(rows: Iterable[Row]) -> str:
    """Write the table of all judges: per cent within 5, 10, 30 and 60 points."""
    head = ["what", "series", *JUDGES, "pairs", "goal"]
    lines = [
        [
            row.what,
            row.series,
            *(percent(row.shares[name]) for name in JUDGES),
            f"{row.pairs:,}",
            row.goal,
        ]
        for row in rows
    ]
    return markdown([head, *lines])


def certified(rows: Iterable[Row]) -> str:
    """Write how often nothing changed is told PASS."""
    head = ["series", "told PASS within " + ", ".join(map(str, LENGTHS)) + " points, %"]
    return markdown([head, *([row.series, percent(row.shares["Towpath"])] for row in rows)])


def differences() -> str:
    """Write where we judge others' vectors differently, and why."""
    head = ["judge", "vector", "theirs", "ours", "why"]
    return markdown([head, *map(list, DIFFERENCES)])


def speed() -> str:
    """Write the CPU time of a thousand signals; not kept, for it is the machine's."""
    return "\n".join(f"1,000 signals, {what}: {took:.2f} s" for what, took in figures.speed())


def percent(shares: Iterable[float]) -> str:
    return " / ".join(f"{100 * share:.3g}" for share in shares)


def markdown(rows: list[list[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(file: Path, parts: dict[str, str]) -> None:
    """Put each part between its marks."""
    text = file.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        text = f"{head}{begin}{part}\n{end}{tail}"
    file.write_text(text)


if __name__ == "__main__":
    main()
