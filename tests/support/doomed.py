"""A process that runs a real engine until an execution is over, or until it is killed.

Settings come from the environment, as Towpath's own do. With --dies-after it kills itself (SIGKILL)
where it would commit, once that call was answered: everything is written, nothing is committed. It
says that it runs on another machine, so that nobody can know it dead: its lease has to run out.

Each is forked from one process that has imported everything and has no thread: an interpreter that
starts anew takes longer than what most of these live to do.
"""

import argparse
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import httpx
from sqlalchemy import Connection

from accounts.base import Clients, Scope
from accounts.declared import load_accounts
from accounts.models import Purpose
from accounts.registry import StaticRegistry
from accounts.sessions import Sessions
from controlplane.actions.registry import Parts, drivers
from controlplane.actions.s3_copy import Limits as CopyLimits
from controlplane.actions.s3_promote import S3Promote
from controlplane.clock import system_clock
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.structures import Structures
from controlplane.settings import Settings
from controlplane.states import ExecutionStatus, is_over
from controlplane.store import executions
from controlplane.store.database import Database

LIMITS = Limits(lease=1.0, idle=0.1)
MIB = 1024 * 1024


class Doomed(Database):
    """Dies where it would commit, from the time at which the call was answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.answered = threading.Event()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with super().begin() as connection:
            yield connection
            if self.answered.is_set():
                os.kill(os.getpid(), signal.SIGKILL)


class Overheard(Clients):
    """The product's own clients, one call of which is listened to: "codedeploy.StopDeployment"."""

    def __init__(self, clients: Clients, call: str, answered: threading.Event) -> None:
        self.registry = clients.registry
        self._clients, self._call, self._answered = clients, call, answered

    def client(
        self,
        service: str,
        account: str,
        region: str,
        purpose: Purpose,
        scope: Scope = Scope(),  # noqa: B008 - frozen
    ) -> Any:
        made = self._clients.client(service, account, region, purpose, scope)
        if self._call.startswith(f"{service}."):
            event = f"after-call.{self._call}"
            made.meta.events.register(event, self._hear, unique_id="doomed")
        return made

    def _hear(self, **_: Any) -> None:
        self._answered.set()


def started(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> multiprocessing.process.BaseProcess:
    """Start one; arguments: EXECUTION [--dies-after SERVICE.OPERATION] [--one-copy BYTES]."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    process = server.Process(target=main, args=(tuple(arguments), dict(environment)))
    process.start()
    return process


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    wanted = argparse.ArgumentParser()
    wanted.add_argument("execution")
    wanted.add_argument("--dies-after", default="")
    wanted.add_argument("--one-copy", type=int, default=5 * 1024 * MIB)
    given = wanted.parse_args(arguments)
    settings = Settings()
    assert settings.accounts_file is not None
    registry = StaticRegistry(load_accounts(settings.accounts_file))
    with closing(Doomed(settings.database_url)) as database, httpx.Client() as http:
        sessions = Sessions(registry, now=system_clock)
        clients = Overheard(sessions, given.dies_after, database.answered)
        known = dict(drivers(Parts(clients, system_clock, http)))
        copying = CopyLimits(one_copy=given.one_copy, part=5 * MIB)
        known["Deploy", "Custom", "S3Promote"] = S3Promote(clients, limits=copying)
        engine = Engine(database, Structures(), known, system_clock, LIMITS)
        engine.owner = f"elsewhere/{os.getpid()}/1"
        running = threading.Thread(target=engine.run)
        running.start()
        while not over(database, given.execution):
            threading.Event().wait(0.05)
        engine.stop()
        running.join()


def over(database: Database, execution: str) -> bool:
    with database.read() as connection:
        found = executions.by_id(connection, execution)
    return found is not None and is_over(ExecutionStatus(found.status))
