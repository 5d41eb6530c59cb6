"""What the demo tells while it happens: a line an event, then a table."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from controlplane.client.words import line, short

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

    def table(self, report: Mapping[str, Any], console_url: str, token: str) -> None:
        """How it ended."""
        serving, second, told = report["serving"], report["release_2"], report["notifications"]
        names = {report["release_1"]["digest"]: "release 1", second["digest"]: "release 2"}
        facts = [
            *((f"{name} serves", _named(serving[name], names)) for name in ("dev", "test", "prod")),
            ("release 2", "rolled back in prod, quarantined, the way into prod is held"),
            ("first bad response", second["first_bad_response_at"]),
            ("breach seen", second["breach_seen_at"]),
            ("stop requested", f"{second['stop_requested_at']}  ({_between(second)} s later)"),
            ("restored", second["restored_at"]),
            ("told", f"{told['sns']} messages by SNS, {told['slack']} in Slack"),
            ("console", console_url),
            ("sign in with", token),
        ]
        self.console.print()
        for name, text in facts:
            self.console.print(Text(f"{name:20}{text}"))


def _named(digest: str, names: Mapping[str, str]) -> str:
    return f"{names.get(digest, 'neither release')}  {short(digest)}"


def _between(second: Mapping[str, Any]) -> str:
    first = datetime.fromisoformat(second["first_bad_response_at"])
    stop = datetime.fromisoformat(second["stop_requested_at"])
    return f"{(stop - first).total_seconds():.1f}"
