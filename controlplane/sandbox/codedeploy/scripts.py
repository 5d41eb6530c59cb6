"""Running one hook script as a real process: its own process group, a time-out, its log's tail."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.sandbox.codedeploy.appspec import Script
from controlplane.sandbox.codedeploy.model import Diagnostics

LOG_TAIL = 4096
GLANCE = 0.02  # seconds between two looks at a running script


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where scripts run: the unpacked bundle, their environment, what they inherit."""

    archive: Path
    environment: Mapping[str, str]
    lifeline: int
    closing: threading.Event
    """Set when the sandbox ends: running scripts are killed."""


def run_script(script: Script, event: str, place: Workplace) -> Diagnostics:
    """Run one script to its end and say how it went, in the agent's own words."""
    name = str(script.location)
    path = place.archive.joinpath(*script.location.parts)
    if not path.is_file():
        return Diagnostics(
            "ScriptMissing", f"Script does not exist at specified location: {path}", name
        )
    path.chmod(path.stat().st_mode | 0o100)  # as the agent does
    log = place.archive.parent / "logs"
    log.mkdir(exist_ok=True)
    out, err = log / "script.stdout", log / "script.stderr"
    started = time.monotonic()
    try:
        code = _execute(path, event, place, out, err, started + script.timeout)
    except OSError as error:
        message = f"Script at specified location: {name} is not executable: {error.strerror}"
        return Diagnostics("ScriptNotExecutable", message, name)
    tail = _tail(event, name, out, err)
    where = f"Script at specified location: {name}"
    if code is None:
        message = f"{where} failed to complete in {script.timeout} seconds"
        return Diagnostics("ScriptTimedOut", message, name, tail)
    if code:
        return Diagnostics("ScriptFailed", f"{where} failed with exit code {code}", name, tail)
    return Diagnostics(script=name, log_tail=tail)


def _execute(
    path: Path, event: str, place: Workplace, out: Path, err: Path, deadline: float
) -> int | None:
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603  # running the bundle's scripts is the purpose
            [str(path)],
            cwd=place.archive,
            env={**place.environment, "LIFECYCLE_EVENT": event},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=(place.lifeline,),
        )
    while process.poll() is None:
        if place.closing.wait(GLANCE) or time.monotonic() > deadline:
            _kill_group(process)
            return None
    return process.returncode


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(event: str, name: str, out: Path, err: Path) -> str:
    lines = [f"LifecycleEvent - {event}", f"Script - {name}"]
    for stream, path in (("stdout", out), ("stderr", err)):
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_TAIL))
            text = log.read(LOG_TAIL).decode("utf-8", "replace")
        lines += [f"[{stream}]{line}" for line in text.splitlines()]
    return "\n".join(lines).encode()[-LOG_TAIL:].decode("utf-8", "ignore")
