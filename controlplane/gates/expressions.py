"""Expressions over an execution, in CEL: bounded, Boolean, and only over names that there are. Pure.

A CEL expression cannot reach Python and cannot loop but by macros; nested macros over long lists can run for
seconds with the interpreter locked, so there may be one, and the text is short. https://cel.dev
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from controlplane.gates.base import Seen
from monitors.base import Verdict

LONGEST = 500
"""Characters."""
NAMES = (
    "pipeline", "stage", "digest", "execution", "trigger", "revisions", "variables", "approver", "approvers",
    "time",
)  # fmt: skip
"""What an expression may ask about; `document` in engine.gate_facts makes them."""
FUNCTIONS = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string", "bool",
        "timestamp", "duration", "type", "dyn",
    }
)  # fmt: skip
TYPES = frozenset(
    {
        "bool",
        "bytes",
        "double",
        "duration",
        "int",
        "list",
        "null_type",
        "string",
        "timestamp",
        "uint",
    }
)
OPERATOR = re.compile(r"[^A-Za-z]")
MACRO = re.compile(r"\b(all|exists|exists_one|existsOne|map|filter)\b(?:\s*\(\s*(\w+))?")
"""Counted in texts and comments too: what looks like a macro and is none is refused, never the other way."""


class Expression:
    """A compiled expression."""

    def __init__(self, text: str) -> None:
        """ValueError with a sentence for a person where it is wrong."""
        if len(text) > LONGEST:
            raise ValueError(f"is longer than {LONGEST} characters")
        macros = MACRO.findall(text)
        if len(macros) > 1:
            raise ValueError("has more than one of all, exists, exists_one, map and filter")
        import cel  # late: it brings a command line of its own, which takes a process a quarter of a second

        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ValueError(f"is no CEL: {_first_line(error)}") from error
        self._refuse_unknown({bound for _, bound in macros})

    def judge(self, document: Mapping[str, Any]) -> Seen:
        """PASS where it is true, FAIL where it is false; a missing key or any error opens nothing."""
        try:
            answer = self._program.execute(dict(document))
        except KeyError as error:
            return Verdict.NO_DATA, f"there is no {error}"
        except Exception as error:  # noqa: BLE001 - whatever an expression raises, it is not true
            return Verdict.UNREACHABLE, f"cannot be evaluated: {_first_line(error)}"
        if not isinstance(answer, bool):
            return Verdict.UNREACHABLE, f"answers {type(answer).__name__}, not true or false"
        return (Verdict.PASS, "is true") if answer else (Verdict.FAIL, "is false")

    def _refuse_unknown(self, bound: Collection[str]) -> None:
        for name in self._program.variables():
            if name not in NAMES and name not in TYPES and name not in bound:
                raise ValueError(f"knows no {name!r}; it may name {', '.join(NAMES)}")
        for name in self._program.functions():
            if name not in FUNCTIONS and not OPERATOR.search(name):
                said = f"knows no function {name!r}; there is {', '.join(sorted(FUNCTIONS))}"
                raise ValueError(said)


def _first_line(error: Exception) -> str:
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return said.partition("ERROR: ")[2][:200] or said[:200]
