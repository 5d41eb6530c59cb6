"""What a scenario is: a world, a pipeline, what happens, and claims that are checked against the sandbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.demo.processes import DemoError
from controlplane.demo.stage import SHOP, Setting, Stage


@dataclass(frozen=True, slots=True)
class Report:
    """How it ended. document: the JSON that --json prints; facts: (name, text) of the table."""

    document: dict[str, Any]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story that the demo can play.

    about: one sentence for `--scenario list`. play: from the open stage to the report; DemoError where a
    claim does not hold.
    """

    about: str
    play: Callable[[Stage], Report]
    setting: Setting = SHOP


def hold(claims: Mapping[str, bool]) -> None:
    """DemoError that names every claim which does not hold."""
    broken = [claim for claim, holds in claims.items() if not holds]
    if broken:
        raise DemoError("this does not hold: " + "; ".join(broken))
