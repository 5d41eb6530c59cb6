"""The two processes of the demo: the sandbox and Towpath. Started on free ports, stopped by pid."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from controlplane.sandbox.shipped import path as shipped

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STARTED_WITHIN = 60.0
STOPPED_WITHIN = 20.0


class DemoError(Exception):
    """The demo cannot go on, or a claim did not hold."""


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A `towpath` subcommand (or another Python module) with a log of its own."""

    def __init__(
        self,
        arguments: list[str],
        log: Path,
        environment: Mapping[str, str],
        module: str = "controlplane.cli",
    ) -> None:
        self._arguments = [sys.executable, "-m", module, *arguments]
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """In a session of its own, so that Ctrl-C reaches only the demo, which stops it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
            )

    @property
    def pid(self) -> int:
        """0 before it is started."""
        return 0 if self._process is None else self._process.pid

    def stop(self) -> None:
        """Ask it to end, and end it where it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill -9: what the crash tests do."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raise with the end of its log where it died."""
        if self._process is not None and self._process.poll() is not None:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise DemoError(f"{self._arguments[3]} ended by itself; its log says:\n{tail}")


def _end_with_parent() -> None:
    """Where the kernel can: be told to end when the demo itself is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def settings_for(world: Mapping[str, Any], folder: Path, port: int) -> dict[str, str]:
    """The environment of a Towpath that works in a sandbox's world: what a person would set."""
    towpath, slack = world["towpath"], world["slack"]
    sites = {f"shop-{name}": one["url"] for name, one in world["environments"].items()}
    found = {
        "AWS_ENDPOINT_URL": world["endpoint"],
        "AWS_ACCESS_KEY_ID": towpath["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": towpath["secret_access_key"],
        "AWS_DEFAULT_REGION": world["region"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "TOWPATH_DATABASE_URL": f"sqlite:///{folder}/towpath.db",
        "TOWPATH_PORT": str(port),
        "TOWPATH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TOWPATH_ACCOUNTS_FILE": str(shipped("examples/accounts.yaml")),
        "TOWPATH_SITES": json.dumps(sites),
        "TOWPATH_SOURCE_QUEUE": world["source"]["queue_url"],
        "TOWPATH_SOURCE_QUEUE_ACCOUNT": world["source"]["account"],
        "TOWPATH_SOURCE_QUEUE_REGION": world["region"],
        "TOWPATH_SLACK_URL": slack["url"],
        "TOWPATH_SLACK_TOKEN": slack["token"],
        "TOWPATH_SLACK_SIGNING_SECRET": slack["signing_secret"],
        "TOWPATH_SLACK_PEOPLE": json.dumps(slack["people"]),
    }
    if world["prometheus_url"]:
        found["TOWPATH_PROMETHEUS"] = json.dumps({"default": world["prometheus_url"]})
    return found


@cache
def _http() -> httpx.Client:
    """One for all calls: making it reads every authority that is trusted. It keeps no connection open.

    Without the environment's proxies: what is called is on loopback.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=30, limits=limits, trust_env=False)


def answer(url: str, *, method: str = "GET", document: Any = None) -> Any:
    """JSON from the sandbox's control API."""
    found = _http().request(method, url, json=document)
    found.raise_for_status()
    return found.json()


def is_up(url: str) -> bool:
    """True once something answers 2xx there."""
    try:
        return _http().get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
