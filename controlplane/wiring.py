"""Settings -> parts. The only place that chooses implementations; read it to see what is made of what."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from accounts.base import Clients
from accounts.breaker import Breakers
from accounts.declared import load_accounts
from accounts.lending import Lender
from accounts.models import Account
from accounts.registry import StaticRegistry
from accounts.sessions import Sessions
from accounts.throttle import Throttle
from controlplane.actions.alarm_setter import AlarmSetter
from controlplane.actions.base import ActionDriver, ActionError
from controlplane.actions.git.base import Hosts
from controlplane.actions.git.kinds import make as make_hosts
from controlplane.actions.github_hooks import GitHub, Hooks
from controlplane.actions.registry import Parts as ActionParts
from controlplane.actions.registry import drivers as make_drivers
from controlplane.actions.sqs_feed import Queue, SqsFeed
from controlplane.clock import Clock, system_clock
from controlplane.engine import environments, retention
from controlplane.engine.commands import Commands
from controlplane.engine.daily import Daily
from controlplane.engine.delivery import Delivery
from controlplane.engine.drill_runs import DrillRuns
from controlplane.engine.drills import Drills
from controlplane.engine.git_intake import GitIntake
from controlplane.engine.git_late import LateDeliveries
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.notes import NoteMaker
from controlplane.engine.pushes import Pushes
from controlplane.engine.sources import Sources
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Key
from controlplane.engine.waiting import Waiting
from controlplane.health import Health
from controlplane.iam.presigned import Presigned
from controlplane.iam.web_identity import WebIdentity
from controlplane.identity.builds import Builds
from controlplane.identity.oidc import Login
from controlplane.migration.moving import Migration
from controlplane.migration.shadow import Shadow
from controlplane.notify.registry import NOTIFIERS
from controlplane.notify.registry import Parts as NotifyParts
from controlplane.notify.slack import People
from controlplane.notify.slack_web import Web
from controlplane.settings import Settings
from controlplane.slack import listeners
from controlplane.slack.desk import Desk, Door
from controlplane.slack.inbox import Inbox
from controlplane.slack.sockets import Sockets
from controlplane.store import accounts as account_rows
from controlplane.store import metrics, secret_values
from controlplane.store.database import Database
from controlplane.store.roles import Permission, allows
from controlplane.store.sealing import SealError
from controlplane.store.tables import Installation, table
from controlplane.telemetry import Distribution, Reading, registry
from monitors.heard import Heard

HTTP_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class House:
    """Every part of a running Towpath."""

    settings: Settings
    clock: Clock
    database: Database
    health: Health
    structures: Structures
    commands: Commands
    registry: StaticRegistry
    clients: Clients
    breakers: Breakers
    drivers: Mapping[Key, ActionDriver]
    engine: Engine
    delivery: Delivery
    sources: Sources
    feed: SqsFeed | None
    drills: Drills
    drill_runs: DrillRuns
    lender: Lender
    hooks: Hooks
    git: Hosts
    intake: GitIntake
    late: LateDeliveries
    migration: Migration
    shadow: Shadow
    iam: Presigned
    iam_tokens: WebIdentity
    inbox: Inbox
    sockets: Sockets | None
    login: Login | None
    builds: Builds
    daily: Daily


@contextmanager
def build(settings: Settings, clock: Clock = system_clock) -> Iterator[House]:
    """Make everything, bring the schema up to date; give back what was opened at the end."""
    database = Database(settings.database_url)
    with httpx.Client(timeout=HTTP_TIMEOUT, follow_redirects=False) as http:
        try:
            database.migrate()
            if not settings.secret.get_secret_value():
                own = SecretStr(_own_secret(database))
                settings = settings.model_copy(update={"secret": own})
            yield _house(settings, clock, database, http)
        finally:
            database.close()


def _house(settings: Settings, clock: Clock, database: Database, http: httpx.Client) -> House:
    def now() -> float:
        return clock().timestamp()

    def accounts() -> list[Account]:
        return _accounts(settings, database)

    known = StaticRegistry(accounts(), stored=accounts)
    breakers = Breakers(clock)
    clients = Sessions(known, now=clock, throttle=Throttle(clock), breakers=breakers)
    structures = Structures()
    commands = Commands(database, structures, now, settings.max_open_executions)
    heard = Heard(clock)
    git = Hosts(make_hosts(http, settings.git, os.environ))
    intake = GitIntake(database, structures, commands, git)
    parts = ActionParts(
        clients,
        clock,
        http,
        settings.sites,
        settings.prometheus,
        settings.alertmanager,
        settings.calendars,
        breakers=breakers,
        heard=heard,
        lender=clients,
        opened=_opener(settings.secret.get_secret_value()),
        git=git,
        commands_project=settings.commands_project,
    )
    drivers = make_drivers(parts)
    engine = Engine(database, structures, drivers, clock, Limits(lease=settings.lease_seconds))
    commands.engine = engine
    secret = settings.secret.get_secret_value()
    notifiers = _notifiers(settings, clients, clock, http)
    notes = NoteMaker(_urls(settings), secret, structures)
    delivery = Delivery(database, notifiers, notes, now, settings.lease_seconds)
    goes = environments.goes_of(database, structures, known.all)
    door = Door(database, commands, structures, settings.slack_people, secret, now, goes)
    web = Web(settings.slack_token.get_secret_value(), settings.slack_url)
    pushes = Pushes(database, structures, now)
    waiting = Waiting(database, structures, now)
    sources = Sources(database, structures, commands, drivers, pushes, waiting)
    return House(
        settings=settings,
        clock=clock,
        database=database,
        health=Health(database, structures, now, retention.wanted(settings)),
        structures=structures,
        commands=commands,
        registry=known,
        clients=clients,
        breakers=breakers,
        drivers=drivers,
        engine=engine,
        delivery=delivery,
        sources=sources,
        feed=_feed(settings, clients, heard),
        daily=Daily(database, structures, now, settings.digest_at, quiet_too=settings.digest_quiet),
        drills=Drills(database, structures, known, now),
        git=git,
        intake=intake,
        late=LateDeliveries(database, git, intake, now, sources),
        drill_runs=DrillRuns(database, structures, commands, AlarmSetter(clients), now),
        lender=clients,
        hooks=GitHub(http, clock, settings.github_url, settings.github_token.get_secret_value()),
        migration=Migration(database, structures, known, clients, clock),
        shadow=Shadow(database, structures, clients, now, 2 * settings.poll_sources_seconds),
        iam=Presigned(
            http,
            clock,
            settings.public_url.rstrip("/"),
            lambda: {region for one in known.all() for region in one.regions},
        ),
        iam_tokens=WebIdentity(http, clock, settings.public_url.rstrip("/"), settings.iam_issuers),
        inbox=Inbox(Desk(door, notes, notifiers["Slack"], web)),
        sockets=_sockets(settings, door),
        login=_login(settings, http, now),
        builds=Builds(http, settings.jwt_issuers, now),
    )


def _login(settings: Settings, http: httpx.Client, now: Callable[[], float]) -> Login | None:
    if settings.oidc is None:
        return None
    return Login(http, settings.oidc, settings.grants, settings.public_url, now)


def _opener(secret: str) -> Callable[[str, Mapping[str, str]], Mapping[str, str]]:
    """Open what is sealed in a pipeline's configuration, for the function that does the action."""

    def opened(pipeline: str, configuration: Mapping[str, str]) -> Mapping[str, str]:
        try:
            return secret_values.opened(secret, pipeline, configuration)
        except SealError as error:
            raise ActionError(f"A secret of the action cannot be read: {error}.") from error

    return opened


def _accounts(settings: Settings, database: Database) -> list[Account]:
    """From the file; those put in by the API come on top."""
    found: dict[str, Account] = {}
    if settings.accounts_file is not None:
        found |= {account.name: account for account in load_accounts(settings.accounts_file)}
    with database.read() as connection:
        found |= {account.name: account for account in account_rows.all_(connection)}
    return list(found.values())


def _notifiers(
    settings: Settings, clients: Clients, clock: Clock, http: httpx.Client
) -> Mapping[str, Any]:
    parts = NotifyParts(
        clients=clients,
        now=clock,
        slack_token=settings.slack_token.get_secret_value(),
        slack_url=settings.slack_url,
        slack_people=_people(settings),
        http=http,
        environ=os.environ,
    )
    return {name: make(parts) for name, make in NOTIFIERS.items()}


def _people(settings: Settings) -> People:
    """Whom Slack's messages may call."""
    known = settings.slack_people.items()
    return People(
        approvers=tuple(user for user, one in known if allows(one.role, Permission.APPROVE)),
        named={one.name: user for user, one in known},
    )


def _sockets(settings: Settings, door: Door) -> Sockets | None:
    """Socket Mode, where there is a token for it."""
    if not settings.slack_app_token.get_secret_value():
        return None
    app = listeners.make(door, settings.slack_token.get_secret_value())
    return Sockets(app, settings.slack_app_token.get_secret_value(), settings.slack_url)


def _feed(settings: Settings, clients: Clients, heard: Heard) -> SqsFeed | None:
    if not settings.source_queue:
        return None
    place = settings.source_queue_account, settings.source_queue_region
    return SqsFeed(clients, Queue(*place, settings.source_queue), heard=heard)


def _urls(settings: Settings) -> Callable[[str, str], str]:
    base = settings.public_url.rstrip("/")
    pages = f"{base}/console/"
    return lambda pipeline, _execution: f"{pages}pipelines/{pipeline}" if pipeline else pages


def _own_secret(database: Database) -> str:
    """The secret that this installation made up for itself, once."""
    with database.begin() as connection:
        found = _installed(connection)
        if found is None:
            try:
                with connection.begin_nested():
                    made = {"key": "secret", "value": secrets.token_urlsafe(32)}
                    connection.execute(insert(table(Installation)), made)
            except IntegrityError:
                pass  # another replica was quicker
            found = _installed(connection)
    return str(found)


def _installed(connection: Connection) -> str | None:
    rows = table(Installation)
    return connection.execute(select(rows.c.value).where(rows.c.key == "secret")).scalar()


def metrics_of(house: House) -> Any:
    """The Prometheus registry of this installation, read from the database at every scrape."""
    return registry(lambda: readings_of(house))


def readings_of(house: House) -> Iterable[Reading | Distribution]:
    """Every metric that is served, those without a value now too."""
    with house.database.read() as connection:
        for found in metrics.read(connection, house.clock().timestamp()):
            yield Reading(*found)
        yield Distribution(
            "towpath_rollback_seconds",
            "Rollbacks that were done, from the request to the verified end.",
            ("pipeline", "stage"),
            metrics.rollback_seconds(connection),
        )
    yield Reading(
        "towpath_engine_last_turn_timestamp_seconds",
        "When the engine of this process turned last.",
        (),
        counter=False,
        values={(): house.engine.last_turn},
    )
    yield Reading(
        "towpath_breaker_open",
        "1 where this process leaves a service alone that does not answer.",
        ("account", "region", "service", "lane"),
        counter=False,
        values={
            (account, region, service, "rollback" if rollback else "ordinary"): float(is_open)
            for (account, region, service, rollback), is_open in house.breakers.open().items()
        },
    )
