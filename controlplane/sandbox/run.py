"""The whole sandbox: the embedded AWS with its seeded world, the fleet, its users, Slack.

One process tree in one temporary folder; both are gone when it ends, however it ends.
"""

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.base_backend import BackendDict

from controlplane.sandbox import beanstalk, codebuild, codedeploy, ecs
from controlplane.sandbox.aws import clock, on_tick
from controlplane.sandbox.aws.identity import root_key
from controlplane.sandbox.aws.server import Server, serve
from controlplane.sandbox.fleet import Environment, Fleet
from controlplane.sandbox.routes import add_routes
from controlplane.sandbox.scanning import Scanner
from controlplane.sandbox.seed import Clients, clients_of, seed_application, seed_group, seed_roles
from controlplane.sandbox.seed_tools import seed_source, seed_topic, seed_user
from controlplane.sandbox.seed_watch import seed_alarm, seed_canary, seed_findings
from controlplane.sandbox.slack import FakeSlack, serve_slack
from controlplane.sandbox.slack_signing import PEOPLE, SIGNING_SECRET, TOKEN
from controlplane.sandbox.told import add_told_routes
from controlplane.sandbox.world import ACCOUNTS, LAYOUTS, REGION, TOOLS, Account, World, owner

TICK = 0.25  # seconds between two steps of the simulation: alarms, canaries


class Sandbox:
    """A running sandbox; a context manager. One per process at a time.

    OSError where the port is taken. Its state is new each time and lives in memory.
    """

    def __init__(self, port: int = 0, layout: str = "") -> None:
        """Start it, on a port of loopback (0 takes a free one); it takes a few seconds.

        layout: which of world.LAYOUTS; KeyError where it is none.
        """
        self.world = World(layout)
        self._environments = LAYOUTS[layout]
        self._ending = ExitStack()
        try:
            self._start(port)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where the embedded AWS listens: AWS_ENDPOINT_URL."""
        return self.world.url

    def world_document(self) -> dict[str, Any]:
        """Tell what GET /_sandbox/world answers (see World.document)."""
        return self.world.document()

    def close(self) -> None:
        """End everything: no process, thread, port or file is left."""
        self._ending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, port: int) -> None:
        folder = Path(tempfile.mkdtemp(prefix="towpath-sandbox-"))
        end = self._ending.callback
        end(shutil.rmtree, folder, ignore_errors=True)
        end(BackendDict.reset)
        self.fleet = Fleet(
            folder, _built(self._environments), _publishers(self._environments), clock.now
        )
        end(self.fleet.close)
        around = codedeploy.Surroundings(self.fleet.hosts)
        codedeploy.install(around)
        codebuild.install()
        ecs.install()
        beanstalk.install()
        on_tick(Scanner())
        server = _serve(port)
        end(server.stop)
        end(around.close)
        self.slack: FakeSlack = serve_slack()
        end(self.slack.stop)
        self.world.url = server.url
        self._seed()
        if self.fleet.prometheus.ready():
            self.world.prometheus_url = self.fleet.prometheus.url
        self.fleet.start()

    def _seed(self) -> None:
        world = self.world
        world.slack = {
            "url": self.slack.url,
            "token": TOKEN,
            "signing_secret": SIGNING_SECRET,
            "people": PEOPLE,
        }
        world.root_keys = {account.name: root_key(account.id) for account in ACCOUNTS}
        clients = {name: clients_of(world.url, key) for name, key in world.root_keys.items()}
        tools = clients[TOOLS]
        world.queues = seed_source(tools) | seed_topic(tools)
        world.towpath = seed_user(tools)
        for account in ACCOUNTS:
            world.outputs[account.name] = seed_roles(clients[account.name], account)
        for name in {owner(environment).name for environment in self._environments}:
            seed_application(clients[name])
        for environment in self._environments:
            self._seed_environment(clients[owner(environment).name], environment)
        add_routes(world, self.fleet, tools)
        add_told_routes(world, self.slack, tools)

    def _seed_environment(self, client: Clients, account: Account) -> None:
        name = account.name
        instances, url = self.fleet.instances[name], self.fleet.balancers[name].url
        self.world.environments[name] = {
            "url": url,
            "instances": [{"id": one.id, "url": one.url} for one in instances],
        }
        seed_group(client, account)
        seed_alarm(client, account)
        seed_canary(client, account, url)
        seed_findings(client, account, [one.id for one in instances])


def run_sandbox(port: int, ready: Callable[[World], None], layout: str = "") -> None:
    """Serve a sandbox until SIGINT or SIGTERM; tell `ready` as soon as it can be used.

    Call it in the main thread. OSError where the port is taken.
    """
    ended = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: ended.set()) for one in numbers}
    try:
        with Sandbox(port, layout) as sandbox:
            ready(sandbox.world)
            ended.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _serve(port: int) -> Server:
    try:
        return serve(port, tick_every=TICK)
    except SystemExit:  # what werkzeug makes of a port that is in use
        raise OSError(f"port {port} is taken by another program; give another one") from None


def _built(environments: Sequence[Account]) -> list[Environment]:
    return [Environment(one.name, one.id, REGION, one.instances, one.rate) for one in environments]


def _publishers(
    environments: Sequence[Account],
) -> dict[str, Callable[[str, list[dict[str, Any]]], None]]:
    return {one.name: partial(_publish, one.id) for one in environments}


def _publish(account: str, namespace: str, data: list[dict[str, Any]]) -> None:
    cloudwatch_backends[account][REGION].put_metric_data(namespace, data)
