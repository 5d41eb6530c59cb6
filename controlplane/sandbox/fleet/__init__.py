"""The machines of the sandbox: instances with real services, their load balancers and their users.

Every process that runs on an instance ends with the sandbox, however the sandbox ends.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.clock import Clock
from controlplane.sandbox.fleet.balancer import Balancer
from controlplane.sandbox.fleet.instance import Instance, belongs_to, instance_id
from controlplane.sandbox.fleet.lifeline import Lifeline
from controlplane.sandbox.fleet.metrics import Publish, Publisher
from controlplane.sandbox.fleet.ports import free_ports
from controlplane.sandbox.fleet.prometheus import Prometheus
from controlplane.sandbox.fleet.traffic import Answer, Book, Traffic

__all__ = ["Answer", "Environment", "Fleet", "Instance"]
GONE_WITHIN = 2.0  # seconds that services may take to notice that the lifeline is cut


@dataclass(frozen=True, slots=True)
class Environment:
    """What to build: how many instances in which account, under how many requests a second."""

    name: str
    account: str
    region: str
    instances: int
    rate: float


class Fleet:
    """Instances by environment, and what serves, loads and watches them.

    publish: for each environment, the way into its account's CloudWatch.
    """

    def __init__(
        self,
        folder: Path,
        environments: Sequence[Environment],
        publish: Mapping[str, Publish],
        now: Clock,
    ) -> None:
        self._lifeline = Lifeline()
        self.book = Book()
        ports = iter(free_ports(sum(one.instances for one in environments)))
        self.instances = {
            one.name: [
                _instance(folder, one, number, next(ports), self._lifeline.fd)
                for number in range(1, one.instances + 1)
            ]
            for one in environments
        }
        self.balancers = {name: Balancer(ones) for name, ones in self.instances.items()}
        self._traffic = [
            Traffic(one.name, self.balancers[one.name], one.rate, self.book.record, now)
            for one in environments
        ]
        self._publisher = Publisher(publish, self.book.fresh, now)
        self.prometheus = Prometheus(folder / "prometheus", self.all(), self._lifeline.fd)

    def start(self) -> None:
        """Let the users come."""
        for users in self._traffic:
            users.start()
        self._publisher.start()

    def all(self) -> list[Instance]:
        """List all instances."""
        return [one for ones in self.instances.values() for one in ones]

    def hosts(self, account: str, region: str) -> list[Instance]:
        """List the instances of an account and region, as CodeDeploy asks for them."""
        return [one for one in self.all() if (one.account, one.region) == (account, region)]

    def serving(self) -> dict[str, list[dict[str, Any]]]:
        """Ask every instance what it really serves now (see Instance.serving)."""
        return {name: [one.serving() for one in ones] for name, ones in self.instances.items()}

    def close(self) -> None:
        """End everything and leave no process behind."""
        for users in self._traffic:
            users.close()
        self._publisher.close()
        for balancer in self.balancers.values():
            balancer.close()
        processes = {one.process(): one for one in self.all()}
        self._lifeline.cut()
        deadline = time.monotonic() + GONE_WITHIN
        for pid, instance in processes.items():
            while pid and belongs_to(pid, instance.root) and time.monotonic() < deadline:
                time.sleep(0.02)  # noqa: TID251 - between two looks at another process
            instance.kill()
        self.prometheus.join()


def _instance(
    folder: Path, environment: Environment, number: int, port: int, lifeline: int
) -> Instance:
    identity = instance_id(environment.name, number)
    root = folder / environment.name / identity
    root.mkdir(parents=True)
    return Instance(
        identity,
        environment.account,
        environment.region,
        environment.name,
        root,
        port,
        lifeline,
        {"Environment": environment.name, "Application": "shop"},
    )
