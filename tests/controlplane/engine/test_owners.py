"""Whose claims may be taken at once."""

import os
import socket
import subprocess
import sys

import pytest

from controlplane.engine import owners


def of_this_host(pid: int) -> str:
    host, _, _ = owners.me().partition("/")
    return f"{host}/{pid}/abc"


def test_this_process_lives() -> None:
    assert not owners.is_dead(owners.me())


def test_a_process_that_ended_is_dead() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert owners.is_dead(of_this_host(ended.pid))


def test_a_container_of_the_same_name_counts_its_own_processes() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not owners.is_dead(f"{socket.gethostname()} pid:[1]/{ended.pid}/abc")


def test_nobody_can_tell_of_another_host_or_of_nonsense() -> None:
    assert not owners.is_dead(f"elsewhere/{os.getpid()}/abc")
    assert not owners.is_dead("nonsense")


def test_a_replica_with_a_name_of_its_own_knows_nothing_of_the_hosts_other_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    before = of_this_host(ended.pid)
    monkeypatch.setenv("TOWPATH_REPLICA", "eu/one")
    assert owners.me().startswith("eu-one ")
    assert owners.is_dead(of_this_host(ended.pid))
    assert not owners.is_dead(before)
