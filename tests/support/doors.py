"""The doors of an installation on a database of its own, and clients that stand in front of them."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from accounts.base import AccountError, Clients
from accounts.breaker import Breakers
from accounts.models import Account
from accounts.registry import StaticRegistry
from controlplane.actions.git.base import Hosts
from controlplane.api.parts import Parts
from controlplane.engine import retention
from controlplane.engine.drills import Drills
from controlplane.engine.git_intake import GitIntake
from controlplane.engine.git_late import LateDeliveries
from controlplane.engine.pushes import Pushes
from controlplane.engine.sources import Sources
from controlplane.engine.tasks import Key
from controlplane.engine.waiting import Waiting
from controlplane.health import Health
from controlplane.migration.moving import Migration
from controlplane.server import create_app
from controlplane.settings import Settings
from controlplane.store import queries, schema, tokens
from controlplane.store.grants import bounded
from controlplane.store.roles import Role
from tests.support.house import GOOD, KEYS, House, action, deploying, pipeline, source

SECRET, SLACK_SECRET = "a secret of tests", "a secret of Slack's"
SLACK_PEOPLE = {"U1": {"name": "bo", "role": "release-manager"}}
SAME_SITE = {"sec-fetch-site": "same-origin"}


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application without a network: each request in a loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer when the application has answered all of it."""
        return asyncio.run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in cast(httpx.SyncByteStream, request.stream):
                yield piece

        again = httpx.Request(
            request.method, request.url, headers=request.headers, content=pieces()
        )
        answer = await self._inner.handle_async_request(again)
        raw = b"".join([part async for part in answer.aiter_raw()])  # compressed, as it came
        return httpx.Response(answer.status_code, headers=answer.headers, content=raw)


class Nowhere(Clients):
    """No account can be reached from here."""

    def __init__(self, registry: StaticRegistry) -> None:
        self.registry = registry

    def client(self, service: str, account: str, *_: Any) -> Any:
        """Say so."""
        raise AccountError(f"{account} cannot be reached for {service}", permanent=False)


class Doors:
    """An installation: a house behind, an application in front, a token for each role."""

    def __init__(
        self, folder: Path, *, git: Hosts | None = None, durable: bool = False, **settings: Any
    ) -> None:
        self.git = git or Hosts({})
        self.house = House(folder, durable=durable)
        with self.house.database.begin() as connection:  # its tables were made without migrations
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR)")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.OURS,))
        self.unready: dict[str, str] = {}
        self.registry = StaticRegistry([account("dev"), account("prod")])
        self.settings = Settings(
            secret=SecretStr(SECRET),
            slack_signing_secret=SecretStr(SLACK_SECRET),
            **{"slack_people": SLACK_PEOPLE, **settings},
        )
        keep = retention.wanted(self.settings)
        self.health = Health(self.house.database, self.house.structures, self.house._now, keep)
        self.metrics = CollectorRegistry()
        self.breakers = Breakers(self.house.clock)
        self.app = create_app(self.parts())
        self.tokens = {role: self.token(role) for role in Role}

    def sources(self) -> Sources:
        """What looks for revisions, and hears of them."""
        house = self.house
        drivers: dict[Key, Any] = {KEYS[name]: driver for name, driver in house.drivers.items()}
        pushes = Pushes(house.database, house.structures, house._now)
        waiting = Waiting(house.database, house.structures, house._now)
        return Sources(house.database, house.structures, house.commands, drivers, pushes, waiting)

    def parts(self, **more: Any) -> Parts:
        """What the application is made of."""
        house = self.house
        intake = GitIntake(house.database, house.structures, house.commands, self.git)
        return Parts(
            database=self.house.database,
            structures=self.house.structures,
            commands=self.house.commands,
            drills=Drills(
                self.house.database, self.house.structures, self.registry, self.house._now
            ),
            git=self.git,
            intake=intake,
            late=LateDeliveries(
                self.house.database, self.git, intake, self.house._now, self.sources()
            ),
            settings=self.settings,
            registry=self.registry,
            clock=self.house.clock,
            health=lambda: self.unready | self.health.problems(),
            degraded=self.health.degraded,
            installation=self.health.findings,
            metrics=self.metrics,
            breakers=self.breakers.open,
            doctor=lambda name: [{"hop": name, "ok": True}],
            migration=Migration(
                self.house.database,
                self.house.structures,
                self.registry,
                Nowhere(self.registry),
                self.house.clock,
            ),
            **more,
        )

    def token(self, role: Role, expires_at: float | None = None) -> str:
        """A new token of a role; it is named after the role."""
        now = self.house.clock().timestamp()
        with self.house.database.begin() as connection:
            return tokens.create(connection, role.value, role, now, expires_at)[1]

    def scoped_token(self, role: Role, pipeline: str = "*", stage: str = "*") -> str:
        """A new token that reaches so far."""
        may, now = bounded(role, [pipeline], [stage]), self.house.clock().timestamp()
        with self.house.database.begin() as connection:
            return tokens.create(connection, f"scoped-{role}", may, now)[1]

    def scoped(self, role: Role, pipeline: str = "*", stage: str = "*") -> httpx.Client:
        """A client of the REST door whose token reaches so far."""
        client = self.client(None)
        token = self.scoped_token(role, pipeline, stage)
        client.headers["authorization"] = f"Bearer {token}"
        return client

    def client(self, role: Role | None = Role.ADMIN) -> httpx.Client:
        """A client of the REST door; None sends no token."""
        headers = {} if role is None else {"authorization": f"Bearer {self.tokens[role]}"}
        return httpx.Client(
            transport=InProcess(self.app), base_url="http://towpath", headers=headers
        )

    def browser(self, role: Role = Role.ADMIN, token: str = "") -> httpx.Client:
        """A browser without JavaScript that has signed in, with the role's token or another."""
        browser = httpx.Client(
            transport=InProcess(self.app), base_url="http://towpath/console", headers=SAME_SITE
        )
        browser.post("/login", data={"token": token or self.tokens[role]})
        return browser

    def events(self) -> int:
        """How many events there are: none more, where the state is unchanged."""
        with self.house.database.read() as connection:
            return queries.last_event(connection)

    def waits_for_approval(self) -> str:
        """A pipeline `shop` whose execution waits in Gate for an approval; the execution's id."""
        gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
        self.house.apply(pipeline(source(), gate, deploying("Prod")))
        asks_a_person(self.house)
        return self.house.start()


def asks_a_person(house: House) -> None:
    """The approval driver of the product, instead of a scripted one."""
    from controlplane.actions.approval import Approval

    house.drivers["Manual"] = Approval()  # type: ignore[assignment]
    house.engine = house.new_engine()


def account(name: str) -> Account:
    """An account of that name."""
    number = f"{sum(name.encode()):012d}"
    roles = dict.fromkeys(("watch", "deploy", "rollback"), f"arn:aws:iam::{number}:role/Towpath")
    return Account.model_validate(
        {
            "name": name,
            "id": number,
            "environment": name,
            "regions": ["eu-west-1"],
            "roles": roles,
            "externalId": f"external-{name}",
            "artifactBucket": f"artifacts-{name}",
        }
    )


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The application on a port of loopback, a free one or this; its base URL."""
    config = uvicorn.Config(
        app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", port))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


__all__ = [
    "GOOD",
    "SAME_SITE",
    "SECRET",
    "Doors",
    "account",
    "asks_a_person",
    "served",
]
