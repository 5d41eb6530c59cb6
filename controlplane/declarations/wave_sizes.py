"""How many targets each wave takes: 1, 2, 4 ... by default, or as declared. Pure."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

SIZE = re.compile(r"([0-9]{1,4})(%?)")
WHOLE = 100


class Size(NamedTuple):
    """So many targets, or so many hundredths of all."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """Targets, at least one."""
        return max(1, math.ceil(total * self.number / WHOLE)) if self.percent else self.number


def parse_size(text: str) -> Size:
    """Read "3" or "50%"; ValueError, with the mend, for anything else."""
    match = SIZE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is no size: write a number of targets from 1, or such as 50%")
    size = Size(int(match[1]), bool(match[2]))
    if size.percent and size.number > WHOLE:
        raise ValueError(f"{text} is more than all: at most 100%")
    return size


def sizes(total: int, declared: Sequence[Size] = ()) -> list[int]:
    """How many targets each wave takes, in order; together they are `total`.

    The last size declared repeats. None declared: each wave takes twice as many as the one before.
    """
    made: list[int] = []
    while sum(made) < total:
        last = min(len(made), len(declared) - 1)
        wanted = declared[last].of(total) if declared else 2 ** len(made)
        made.append(min(wanted, total - sum(made)))
    return made
