"""From which accounts deployments tell us how they end, so that they need looking at less often.

Whether an account's events reach our queue is up to rules in that account, which we do not see: an
account that was heard lately is believed, any other is looked at as if nobody told us anything.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

LATELY = timedelta(hours=1)


class Heard:
    """When each account and region was heard last. Safe under threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock."""
        self._now = now
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], datetime] = {}

    def note(self, account: str, region: str) -> None:
        """An event came from there; its own time is not believed."""
        with self._lock:
            self._last[account, region] = self._now()

    def lately(self, account: str, region: str) -> bool:
        """Say whether events come from there."""
        last = self._last.get((account, region))
        return last is not None and self._now() - last < LATELY
