"""Every simulated vendor of every account and region, and the clients that the drivers get of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from botocore.exceptions import ReadTimeoutError

from accounts import term
from accounts.base import AccountError, Registry, Scope
from accounts.models import Account, Purpose, Roles
from accounts.registry import StaticRegistry
from controlplane.sandbox.simulation.cloudwatch import CloudWatch
from controlplane.sandbox.simulation.codedeploy import CodeDeploy, Deployment, Group, Place
from controlplane.sandbox.simulation.refusals import RefusalError, client_error, unparsable
from controlplane.sandbox.simulation.releases import Flaw, Release
from controlplane.sandbox.simulation.s3 import S3
from controlplane.sandbox.simulation.weather import Mood, Weather

REGIONS = ("eu-west-1", "us-east-1")
ACCOUNTS = {"dev": "111111111111", "test": "222222222222", "prod": "333333333333"}
RELEASES = "releases"
RETRY_AFTER = "3"

REFUSALS = {
    Mood.THROTTLED: RefusalError("ThrottlingException", "Rate exceeded"),
    Mood.BROKEN: RefusalError("InternalServerError", "try again", 500),
    Mood.EXPIRED: RefusalError("ExpiredTokenException", "The security token is expired", 403),
    Mood.DENIED: RefusalError("AccessDeniedException", "not authorized to perform this", 403),
}

Watcher = Callable[[CodeDeploy, Deployment], None]


def account(name: str) -> Account:
    """One of the three."""
    role = f"arn:aws:iam::{ACCOUNTS[name]}:role/Towpath"
    return Account(
        name=name,
        id=ACCOUNTS[name],
        environment=name,
        regions=list(REGIONS),
        roles=Roles(watch=f"{role}Watch", deploy=f"{role}Deploy", rollback=f"{role}Rollback"),
        external_id=f"external-{name}",
        artifact_bucket=f"artifacts-{name}",
    )


@dataclass(slots=True)
class Topics:
    """SNS: what was published, by the note's own text. failing: until when it takes nothing."""

    published: int = 0
    failing: float = 0.0
    now: float = 0.0

    def publish(self, **asked: Any) -> dict[str, Any]:
        """Take a message."""
        del asked
        if self.failing > self.now:
            raise RefusalError("InternalError", "SNS has a bad day", 500)
        self.published += 1
        return {"MessageId": str(self.published)}


@dataclass(slots=True)
class Cloud:
    """The three accounts in two regions. told: of every deployment that is created."""

    chance: Random
    weather: Weather
    now: float
    told: Watcher = lambda _vendor, _made: None
    midway: Callable[[str], None] = lambda _method: None
    """Comes when a call is about to be made: the process may stand still here."""
    s3: S3 = field(default_factory=S3)
    topics: Topics = field(default_factory=Topics)
    releases: dict[str, Release] = field(default_factory=dict)
    codedeploy: dict[tuple[str, str], CodeDeploy] = field(default_factory=dict)
    cloudwatch: dict[tuple[str, str], CloudWatch] = field(default_factory=dict)
    touched: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """Since when a group serves something that will go bad."""

    def __post_init__(self) -> None:
        for name in ACCOUNTS:
            for region in REGIONS:
                place = (name, region)
                self.codedeploy[place] = CodeDeploy(
                    name, region, self.chance, self._fails, self._created, now=self.now
                )
                self.cloudwatch[place] = CloudWatch(self.chance, now=self.now)

    def add_group(self, place: tuple[str, str], name: str, *, auto: bool) -> None:
        """A deployment group with an alarm and a metric of its name."""
        self.codedeploy[place].groups[name] = Group(name, auto)
        self.cloudwatch[place].watch(name, self.now)

    def release(self, made: Release) -> str:
        """Somebody uploads a release; answers its version."""
        self.releases[made.digest] = made
        return self.s3.upload(RELEASES, f"{made.application}.zip", made.digest, self.datetime())

    def datetime(self) -> datetime:
        """The true time."""
        return datetime.fromtimestamp(self.now, UTC)

    def tick(self, now: float) -> None:
        """It is this time."""
        self.now = self.topics.now = now
        for place, codedeploy in self.codedeploy.items():
            codedeploy.tick(now)
            bad = {name: self._is_bad(place, group) for name, group in codedeploy.groups.items()}
            self.cloudwatch[place].tick(now, bad)

    def release_at(self, place: Place) -> Release:
        """What a revision is."""
        return self.releases[self.s3.find(*place).digest]

    def served(self, place: tuple[str, str], name: str) -> list[tuple[Deployment, Release]]:
        """What a group's instances serve, and by which deployment."""
        instances = self.codedeploy[place].groups[name].instances
        return [(one, self.release_at(one.place)) for one in instances if one is not None]

    def _is_bad(self, place: tuple[str, str], group: Group) -> bool:
        key = (*place, group.name)
        onsets = [
            release.onset
            for _, release in self.served(place, group.name)
            if release.flaw_in(place[0]) is Flaw.ALARMS
        ]
        if not onsets:
            self.touched.pop(key, None)
            return False
        return self.now >= self.touched.setdefault(key, self.now) + max(onsets)

    def _fails(self, name: str, place: Place) -> bool:
        return self.release_at(place).flaw_in(name) is Flaw.FAILS

    def _created(self, codedeploy: CodeDeploy, made: Deployment) -> None:
        self.told(codedeploy, made)

    def vendor(self, service: str, name: str, region: str) -> Any:
        """Who answers."""
        if service == "s3":
            return self.s3.at(self.datetime())
        if service == "sns":
            return self.topics
        vendors: Mapping[str, Mapping[tuple[str, str], Any]] = {
            "codedeploy": self.codedeploy,
            "cloudwatch": self.cloudwatch,
        }
        return vendors[service][name, region]


class SimulatedClients:
    """`accounts.base.Clients`: boto3's methods, answered in memory, through the weather."""

    def __init__(self, cloud: Cloud) -> None:
        self.registry: Registry = StaticRegistry([account(name) for name in ACCOUNTS])
        self._cloud = cloud

    def client(
        self,
        service: str,
        account: str,
        region: str,
        purpose: Purpose,
        scope: Scope = Scope(),  # noqa: B008 - frozen, so sharing it is safe
    ) -> Any:
        """A client, unless the role may not be assumed."""
        del purpose, scope
        self.registry.get(account)
        return Client(self._cloud, service, account, region)


@dataclass(frozen=True, slots=True)
class Client:
    """Answers to every method that the vendor has."""

    cloud: Cloud
    service: str
    account: str
    region: str

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """One call, with what it meets on its way."""

        def call(**asked: Any) -> Any:
            cloud = self.cloud
            cloud.midway(method)
            term.check()  # as a real client does when it is about to send
            mood = cloud.weather.meet(self.account, self.service, cloud.now)
            self._before(mood, method)
            try:
                vendor = cloud.vendor(self.service, self.account, self.region)
                answer = getattr(vendor, method)(**asked)
            except RefusalError as refusal:
                raise client_error(refusal, method) from None
            return self._after(mood, answer)

        return call

    def _before(self, mood: Mood | None, method: str) -> None:
        if mood in REFUSALS:
            raise client_error(REFUSALS[mood], method, **{"retry-after": RETRY_AFTER})
        if mood is Mood.LATE:
            raise ReadTimeoutError(endpoint_url=f"https://{self.service}")
        if mood is Mood.REVOKED:
            said = f"May not assume the role in {self.account}: it trusts us no longer"
            raise AccountError(said, permanent=True)

    def _after(self, mood: Mood | None, answer: Any) -> Any:
        if mood is Mood.LOST:
            raise ReadTimeoutError(endpoint_url=f"https://{self.service}")
        return unparsable(self.service) if mood is Mood.GARBLED else answer
