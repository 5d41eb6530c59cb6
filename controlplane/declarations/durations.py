"""Lengths of time as a declaration spells them: "20s", "5m", "2h", "7d"."""

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = r"^[0-9]{1,7}[smhd]$"
"""One whole number and one unit; also the pattern in the editors' schema."""

_DURATION = re.compile(r"([0-9]{1,7})([smhd])")


def parse_duration(text: str) -> timedelta:
    """Read "20s", "5m", "2h" or "7d"; ValueError, with the mend, for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no duration: write a whole number and s, m, h or d, such as 20s, 5m or 2h"
        )
    number, unit = match.groups()
    return timedelta(**{UNITS[unit]: int(number)})
