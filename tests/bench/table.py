"""One line a figure: what was measured, what it is here, its ratio to the raw limit, and the goal."""

from collections.abc import Iterable
from typing import NamedTuple

from rich.table import Table


class Line(NamedTuple):
    """ratio: to the raw limit of the same database, measured between the same rounds; 0 for none."""

    what: str
    here: str
    goal: str = ""
    ratio: float = 0.0


def table(lines: Iterable[Line]) -> Table:
    """For people; the README's is made of it."""
    made = Table("what", "here", "ratio to the raw limit", "goal")
    for line in lines:
        made.add_row(line.what, line.here, f"{line.ratio:.2f}" if line.ratio else "", line.goal)
    return made
