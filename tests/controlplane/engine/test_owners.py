"""Whose claims may be taken at once."""

import os
import socket
import subprocess
import sys

from controlplane.engine import owners


def test_this_process_lives() -> None:
    assert not owners.is_dead(owners.me())


def test_a_process_that_ended_is_dead() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert owners.is_dead(f"{socket.gethostname()}/{ended.pid}/abc")


def test_nobody_can_tell_of_another_host_or_of_nonsense() -> None:
    assert not owners.is_dead(f"elsewhere/{os.getpid()}/abc")
    assert not owners.is_dead("nonsense")
