"""What happened, in lines: the last ones are shown, all of them are summed up so that replays compare."""

import hashlib
from collections import deque

SHOWN = 60


class Trace:
    """Lines of a run."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=SHOWN)
        self._sum = hashlib.sha256()

    def say(self, at: float, line: str) -> None:
        """One line, with the virtual time in seconds."""
        told = f"{at:10.1f}  {line}"
        self.last.append(told)
        self._sum.update(told.encode())

    @property
    def sum(self) -> str:
        """The same for the same lines."""
        return self._sum.hexdigest()[:16]
