"""The names of the seeded world: its accounts, and what is in them. Data, and how it is told.

What a person or the demo needs to find their way is `World.document()`, which
GET /_sandbox/world serves.
"""

from dataclasses import dataclass, field
from typing import Any

REGION = "eu-west-1"
APPLICATION = "shop"
SOURCE_KEY = "shop.zip"
TOOLS = "tools"


@dataclass(frozen=True, slots=True)
class Account:
    """One of the sandbox's AWS accounts; rate is the load of its users, in requests a second."""

    name: str
    id: str
    instances: int = 0
    rate: float = 0.0

    @property
    def external_id(self) -> str:
        """What Towpath says when it assumes a role here."""
        return f"towpath-sandbox-{self.name}"

    @property
    def artifact_bucket(self) -> str:
        """Where releases are promoted to."""
        return f"towpath-artifacts-{self.id}"

    @property
    def group(self) -> str:
        """Name its deployment group, which its canary is called after too."""
        return f"{APPLICATION}-{self.name}"

    @property
    def alarm(self) -> str:
        """Name its alarm on the service's errors."""
        return f"{APPLICATION}-{self.name}-errors"

    def arn(self, service: str, resource: str, *, region: str = REGION) -> str:
        """Make the ARN of something in it."""
        return f"arn:aws:{service}:{region}:{self.id}:{resource}"


ACCOUNTS = (
    Account(TOOLS, "111111111111"),
    Account("dev", "222222222222", instances=1, rate=5),
    Account("test", "333333333333", instances=1, rate=5),
    Account("prod", "444444444444", instances=3, rate=40),
)
ENVIRONMENTS = tuple(account for account in ACCOUNTS if account.instances)
TOOLS_ACCOUNT, DEV, _, PROD = ACCOUNTS
LAYOUTS = {
    "": ENVIRONMENTS,
    "one-box": (
        DEV,
        Account("prod-onebox", PROD.id, instances=1, rate=25),
        Account("prod-1", PROD.id, instances=1, rate=15),
        Account("prod-2", PROD.id, instances=1, rate=15),
    ),
    "waves": (
        Account("prod-onebox", PROD.id, instances=1, rate=5),
        Account("prod-1", PROD.id, instances=1, rate=5),
        Account("prod-2", PROD.id, instances=1, rate=25),
        Account("prod-3", PROD.id, instances=1, rate=15),
    ),
}
"""Which environments a sandbox has, by the name of its layout; several may share one account. More than
ten requests a second to an instance are what release 2 does not bear."""
SOURCE_BUCKET = f"towpath-releases-{TOOLS_ACCOUNT.id}"
STORES = f"towpath-store-{TOOLS_ACCOUNT.id}-"
"""How the names of pipelines' own artifact stores begin; the roles may use them, where they are there."""
EVENT_QUEUE = "towpath-source-events"
TOPIC = "towpath-releases"
AUDIT_QUEUE = "towpath-sns-audit"
USER = "towpath"


def owner(environment: Account) -> Account:
    """The account that an environment lies in."""
    return next(account for account in ACCOUNTS if account.id == environment.id)


@dataclass(slots=True)
class World:
    """What became of the seeding; filled while the sandbox starts."""

    layout: str = ""
    url: str = ""
    prometheus_url: str = ""
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """For each environment {"url", "instances": [{"id", "url"}]}."""

    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """For each account, the outputs of its stack of roles."""

    root_keys: dict[str, str] = field(default_factory=dict)
    towpath: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    slack: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Tell all of it, as JSON can carry it."""
        return {
            "region": REGION,
            "endpoint": self.url,
            "accounts": {account.name: self._account(account) for account in ACCOUNTS},
            "towpath": self.towpath,
            "source": {
                "account": TOOLS,
                "bucket": SOURCE_BUCKET,
                "key": SOURCE_KEY,
                "queue_url": self.queues.get(EVENT_QUEUE, ""),
                "queue_arn": TOOLS_ACCOUNT.arn("sqs", EVENT_QUEUE),
            },
            "notifications": {
                "topic_arn": TOOLS_ACCOUNT.arn("sns", TOPIC),
                "audit_queue_url": self.queues.get(AUDIT_QUEUE, ""),
            },
            "environments": {one.name: self._environment(one) for one in LAYOUTS[self.layout]},
            "prometheus_url": self.prometheus_url,
            "slack": self.slack,
        }

    def _account(self, account: Account) -> dict[str, Any]:
        outputs = self.outputs.get(account.name, {})
        return {
            "id": account.id,
            "environment": account.name,
            "regions": [REGION],
            "external_id": account.external_id,
            "roles": {
                purpose: outputs.get(f"{purpose.title()}RoleArn", "")
                for purpose in ("watch", "deploy", "rollback")
            },
            "artifact_bucket": account.artifact_bucket,
            "artifact_key": outputs.get("ArtifactKeyArn", ""),
            "root_access_key_id": self.root_keys.get(account.name, ""),
        }

    def _environment(self, account: Account) -> dict[str, Any]:
        return {
            "account": owner(account).name,
            "application": APPLICATION,
            "deployment_group": account.group,
            "alarm": account.alarm,
            "canary": account.group,
            **self.environments.get(account.name, {}),
        }
