# ruff: noqa: INP001
"""Stop the service, and wait until its port is closed; nothing to do where it does not run.

The port is asked and not the process id: an ended process keeps its id until somebody reaps it.
"""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

PATIENCE = 5.0  # seconds between asking the service to end and giving up


def listening() -> bool:
    """Tell whether somebody listens on the service's port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", int(os.environ["PORT"]))) == 0


def main() -> int:
    """Answer the exit code: 0 for a service that is down."""
    note = Path(os.environ["INSTANCE_DIR"], "run", "shop.pid")
    if not note.is_file():
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(note.read_text("ascii")), signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while listening():
        if time.monotonic() > deadline:
            sys.stderr.write("the service does not stop\n")
            return 1
        time.sleep(0.02)  # noqa: TID251 - a script of the sample
    note.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
