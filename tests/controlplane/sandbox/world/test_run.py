import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.sandbox import shipped
from controlplane.sandbox.run import Sandbox
from tests.controlplane.sandbox.world.visitor import Visitor, eventually, processes_below

SCRIPT = """
from controlplane.sandbox.run import run_sandbox
run_sandbox(0, lambda world: print(world.url, flush=True))
"""


def test_a_sandbox_leaves_no_process_and_no_file_behind() -> None:
    with Sandbox() as sandbox:
        visitor = Visitor(sandbox)
        visitor.end("test", visitor.deploy("test", visitor.promote("test", 1)))
        folder = _folder(sandbox)
        assert processes_below(folder)
        unfinished = visitor.deploy("prod", visitor.promote("prod", 1))
        assert unfinished
    assert processes_below(folder) == []
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_sandbox_that_is_ended_takes_its_processes_along(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT]
    environment = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": "."}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as sandbox:
        assert sandbox.stdout
        url = sandbox.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:")
        sandbox.send_signal(number)
        sandbox.wait(timeout=15)
    assert eventually(lambda: processes_below(tmp_path) == [], within=5)
    assert (list(tmp_path.iterdir()) == []) == (number == signal.SIGTERM)


def test_a_port_that_is_taken_is_said_so_and_nothing_is_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="taken"):
            Sandbox(taken.getsockname()[1])


def test_the_shipped_template_is_found_and_nothing_else_is_invented() -> None:
    assert shipped.path("account-roles.cfn.yaml").is_file()
    with pytest.raises(FileNotFoundError, match="not part of this installation"):
        shipped.path("nothing.yaml")


def _folder(sandbox: Sandbox) -> Path:
    return sandbox.fleet.all()[0].root.parent.parent
