"""A pipe whose other end is the sandbox: when the sandbox is gone, however it went, it closes.

Services watch it and end by themselves, so that none outlives a sandbox that was killed.
"""

import os


class Lifeline:
    """`fd` is what processes inherit; it reads end-of-file once this process has ended."""

    def __init__(self) -> None:
        self.fd, self._held = os.pipe()

    def cut(self) -> None:
        """Let every process that watches it end."""
        if self._held >= 0:
            os.close(self._held)
            os.close(self.fd)
            self._held = -1
