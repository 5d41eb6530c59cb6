"""Whose claims may be taken at once."""

import os
import socket
import subprocess
import sys

import pytest

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


def test_a_replica_with_a_name_of_its_own_knows_nothing_of_the_hosts_other_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setenv("TOWPATH_REPLICA", "eu/one")
    assert owners.me().startswith("eu-one/")
    assert owners.is_dead(f"eu-one/{ended.pid}/abc")
    assert not owners.is_dead(f"{socket.gethostname()}/{ended.pid}/abc")
