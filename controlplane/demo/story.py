"""What the demo tells while it happens: a line an event, then a table."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from controlplane.client.words import line

STYLES = {"failed": "red", "FAIL": "red", "rollback": "yellow", "quarantined": "yellow"}


class Story:
    """Prints; quiet where only JSON is wanted on stdout (then the story goes to stderr)."""

    def __init__(self, *, to_stderr: bool) -> None:
        self.console = Console(stderr=to_stderr, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A line of the demo's own."""
        at = datetime.now(UTC).strftime("%H:%M:%S.%f")[:12]  # noqa: TID251 - what a person's watch says
        self.console.print(Text(f"{at}  {text}", style="bold"))

    def event(self, event: Mapping[str, Any]) -> None:
        """An event of Towpath's."""
        text = line(event)
        style = next((s for word, s in STYLES.items() if word in text), "")
        self.console.print(Text(text, style=style))

    def table(self, facts: Sequence[tuple[str, str]], console_url: str, token: str) -> None:
        """How it ended, a fact a line."""
        self.console.print()
        for name, text in [*facts, ("console", console_url), ("sign in with", token)]:
            self.console.print(Text(f"{name:20}{text}"))
