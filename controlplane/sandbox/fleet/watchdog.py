"""Runs a program that knows nothing of lifelines, and ends it when the lifeline closes.

Started as a script, `python watchdog.py FD PROGRAM ARGUMENT...`, with standard library only.
"""

import os
import subprocess
import sys
import threading

PATIENCE = 3.0  # seconds between asking the program to end and ending it


def main(lifeline: int, command: list[str]) -> int:
    """Run the command; answer its exit code, or 0 when the lifeline closed."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # our own argument
    threading.Thread(target=_end_with, args=(lifeline, child), daemon=True).start()
    return child.wait()


def _end_with(lifeline: int, child: "subprocess.Popen[bytes]") -> None:
    while os.read(lifeline, 1):
        pass
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
