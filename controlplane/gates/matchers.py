"""Alertmanager's matchers: `severity="critical", team=~"shop|till"`. Pure.

https://prometheus.io/docs/alerting/latest/configuration/#matcher
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

MOST, LONGEST = 20, 1_000
_ONE = re.compile(
    r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\s]+))\s*(?:,|$)'
)


class Matcher(NamedTuple):
    """One label, compared."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Equality only: expressions are left to Alertmanager, whose engine cannot be made to hang."""
        same = labels.get(self.label, "") == self.value
        return same if self.operator == "=" else not same

    def __str__(self) -> str:
        """Write it as Alertmanager reads it."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator}"{value}"'


def matchers(text: str, *, equality: bool = False) -> tuple[Matcher, ...]:
    """Read them; ValueError where they are wrong. equality: = and != only."""
    example = 'write such as severity="critical", team="shop"'
    if len(text) > LONGEST:
        raise ValueError(f"Matchers is longer than {LONGEST} characters")
    found: list[Matcher] = []
    at = 0
    text = text.strip().removeprefix("{").removesuffix("}").strip()
    while at < len(text):
        match = _ONE.match(text, at)
        if match is None or len(found) == MOST:
            raise ValueError(f"Matchers: {text[at : at + 40]!r} is not understood: {example}")
        quoted = None if match[3] is None else re.sub(r"\\(.)", r"\1", match[3])
        if equality and match[2] not in {"=", "!="}:
            raise ValueError(
                f"Matchers: {match[2]} is for an Alertmanager that is asked; incidents that were sent "
                "to Towpath are compared with = and != only"
            )
        found.append(Matcher(match[1], match[2], match[4] if quoted is None else quoted))
        at = match.end()
    if not found:
        raise ValueError(f"Matchers is empty: {example}")
    return tuple(found)
