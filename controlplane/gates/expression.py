"""Rule/Custom/Expression: a CEL expression over the execution that waits; true opens."""

from controlplane.gates.base import GateRule, interval, known, now_of, said, zone_of
from controlplane.gates.expressions import Expression
from monitors.base import Progress, Task
from monitors.values import text

DOCUMENT = "document"
"""What the engine found for it: see expressions.NAMES."""
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def expression_rule() -> GateRule:
    """Make the driver."""
    return GateRule(_judge)


def _judge(task: Task) -> Progress:
    written = text(task.configuration, "Expression")
    document = {**known(task, DOCUMENT), "time": _clock(task)}
    try:
        verdict, why = Expression(written).judge(document)
    except ValueError as error:
        raise ValueError(f"Expression {error}") from error
    return said(verdict, f"`{written}` {why}", interval(task.configuration))


def _clock(task: Task) -> dict[str, int | str]:
    """The time of the look, as numbers in the rule's zone: our CEL has no getters for a timestamp."""
    local = now_of(task).astimezone(zone_of(task.configuration))
    return {
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "hour": local.hour,
        "minute": local.minute,
        "weekday": WEEKDAYS[local.weekday()],
    }
