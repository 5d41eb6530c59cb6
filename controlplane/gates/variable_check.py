"""Rule/AWS/VariableCheck: a variable against a value. What it compares does not change: it ends at once.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
"""

from collections.abc import Callable, Mapping, Sequence

from controlplane.gates.base import HANDLE
from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.edge import declared, each_task
from monitors.values import choice, text

LONGEST = 500
"""Characters of a pattern."""


def pattern(value: str) -> Callable[[str], bool]:
    """Read a pattern that must match a whole text; ValueError where it is none.

    CEL's engine takes time in proportion to the text, whatever the pattern.
    """
    if len(value) > LONGEST:
        raise ValueError(f"Value is longer than {LONGEST} characters")

    import cel  # late, see expressions.py

    def matches(text: str) -> bool:
        return bool(cel.evaluate("v.matches(p)", {"v": text, "p": f"^(?:{value})$"}))

    try:
        matches("")
    except Exception as error:
        raise ValueError(f"Value: {value[:60]!r} is no regular expression") from error
    return matches


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "EQ": lambda variable, value: variable == value,
    "NE": lambda variable, value: variable != value,
    "CONTAINS": lambda variable, value: value in variable,
    "MATCHES": lambda variable, value: pattern(value)(variable),
}
SAID = {"EQ": "is not", "NE": "is", "CONTAINS": "does not contain", "MATCHES": "does not match"}


class VariableCheck:
    """Holds, or does not for good: the condition's result follows at once."""

    inline = True

    def start(self, task: Task) -> Progress:
        """Compare."""
        with declared():
            operator = choice(task.configuration, "Operator", tuple(OPERATORS), "")
            variable = task.configuration.get("Variable", "")
            value = text(task.configuration, "Value")
            holds = OPERATORS[operator](variable, value)
        if holds:
            return Progress(
                Outcome.SUCCEEDED, HANDLE, f"{variable[:80]!r} {operator} {value[:80]!r}"
            )
        return Progress(
            Outcome.FAILED, HANDLE, f"{variable[:80]!r} {SAID[operator]} {value[:80]!r}"
        )

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Say again how it ended."""
        return each_task(tasks, self.start)

    def stop(self, task: Task) -> None:
        """Nothing runs."""
