"""SIGTERM is not a crash: a replica ends its turn, writes what came of its calls, and says so."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

READY = {"serve": "Towpath serves on", "worker": "the worker runs"}


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_replica_drains_on_sigterm(command: str, tmp_path: Path) -> None:
    settings = {"TOWPATH_DATABASE_URL": f"sqlite:///{tmp_path}/towpath.db", "TOWPATH_PORT": "0"}
    running = subprocess.Popen(
        [sys.executable, "-m", "controlplane.cli", command],
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    said = ""
    while READY[command] not in said and (line := running.stderr.readline()):
        said += line
    running.send_signal(signal.SIGTERM)
    rest = running.communicate(timeout=60)[1]
    assert "drained: what was begun is written" in rest, said + rest
    assert running.returncode == 0
