"""One deployment at work: which instance goes next, when it must stop, how it ends."""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from controlplane.clock import Clock
from controlplane.sandbox.codedeploy.agent import FROM_PREVIOUS, Agent
from controlplane.sandbox.codedeploy.alarms import reason_to_stop
from controlplane.sandbox.codedeploy.configs import minimum_healthy
from controlplane.sandbox.codedeploy.model import (
    Deployment,
    Diagnostics,
    LifecycleEvent,
    Target,
)
from controlplane.sandbox.codedeploy.notices import Notices, guarded

GLANCE = 0.05  # seconds between two looks at alarms and stop requests
TOO_MANY = (
    "The overall deployment failed because too many individual instances failed deployment, too "
    "few healthy instances are available for deployment, or some instances in your deployment "
    "group are experiencing problems."
)
NONE_FOUND = (
    "The deployment failed because no instances were found for your deployment group. Check your "
    "deployment group settings to make sure the tags for your instances match."
)


@dataclass(slots=True)
class Rollout:
    """Brings one deployment to its end; runs in a thread of its own."""

    deployment: Deployment
    account: str
    region: str
    now: Clock
    closing: threading.Event
    notices: Notices
    running: dict[Future[None], Target] = field(default_factory=dict)

    def run(self) -> tuple[str, dict[str, str] | None]:
        """Deploy; answer the final status and its error information, for the backend to commit."""
        deployment = self.deployment
        deployment.status, deployment.started = "InProgress", self.now()
        guarded(lambda: self.notices.deployment("Start", deployment))
        if not deployment.targets:
            return "Failed", {"code": "NO_INSTANCES", "message": NONE_FOUND}
        pending = list(deployment.targets.values())
        with ThreadPoolExecutor(len(pending), f"agent-{deployment.id}") as workers:
            while (pending and not self._halted()) or self.running:
                self._watch_alarms()
                for target in [] if self._halted() else self._next(pending):
                    self.running[workers.submit(self._deploy_to, target)] = target
                self._await()
        return self._verdict()

    def _halted(self) -> bool:
        return bool(self.deployment.stop) or self.closing.is_set() or self._starved()

    def _next(self, pending: list[Target]) -> list[Target]:
        chosen = pending[: max(0, self._room())]
        del pending[: len(chosen)]
        return chosen

    def _count(self, status: str) -> int:
        return [t.status for t in self.deployment.targets.values()].count(status)

    def _minimum(self) -> int:
        name = self.deployment.setting("deploymentConfigName")
        return minimum_healthy(name, len(self.deployment.targets))

    def _room(self) -> int:
        """Count the instances that may still be taken out of service now."""
        healthy = len(self.deployment.targets) - self._count("Failed") - len(self.running)
        return healthy - self._minimum()

    def _starved(self) -> bool:
        return not self.running and self._room() <= 0 and self._count("Pending") > 0

    def _watch_alarms(self) -> None:
        reason = reason_to_stop(self.deployment, self.account, self.region)
        if reason and not self.deployment.stop:
            self.deployment.stop = ("ALARM_ACTIVE", reason)

    def _await(self) -> None:
        done, _ = wait(self.running, GLANCE, FIRST_COMPLETED)
        for future in done:
            del self.running[future]
            future.result()

    def _verdict(self) -> tuple[str, dict[str, str] | None]:
        everyone = list(self.deployment.targets.values())
        for target in everyone:
            if target.status == "Pending":
                target.status, target.updated = "Skipped", self.now()
                _skip_rest(target.events)
        succeeded = self._count("Succeeded")
        if self.deployment.stop and succeeded < len(everyone):
            code, message = self.deployment.stop
            return "Stopped", {"code": code, "message": message}
        if succeeded < max(1, self._minimum()):
            return "Failed", {"code": "HEALTH_CONSTRAINTS", "message": TOO_MANY}
        return "Succeeded", None

    def _deploy_to(self, target: Target) -> None:
        with target.host.busy:
            target.status, target.updated = "InProgress", self.now()
            guarded(lambda: self.notices.instance("Start", self.deployment, target))
            agent = Agent(self.deployment, target.host, self.account, self.closing)
            status = self._walk(agent, target)
            if status == "Succeeded":
                agent.finished()
        target.status, target.updated = status, self.now()
        told = {"Succeeded": "Success", "Failed": "Failure"}.get(status)
        if told:
            guarded(lambda: self.notices.instance(told, self.deployment, target))

    def _walk(self, agent: Agent, target: Target) -> str:
        forgiving = self.deployment.request.get("ignoreApplicationStopFailures")
        for event in target.events:
            if self.deployment.stop or self.closing.is_set():
                _skip_rest(target.events)
                return "Skipped"
            self._step(event, agent, target)
            if event.status == "Failed" and not (forgiving and event.name in FROM_PREVIOUS):
                _skip_rest(target.events)
                return "Failed"
        return "Succeeded"

    def _step(self, event: LifecycleEvent, agent: Agent, target: Target) -> None:
        event.status, event.started = "InProgress", self.now()
        try:
            event.diagnostics = agent.perform(event.name)
        except Exception as error:  # noqa: BLE001  # an agent that breaks fails its instance
            event.diagnostics = Diagnostics("UnknownError", f"{type(error).__name__}: {error}")
        event.ended = target.updated = self.now()
        event.status = "Succeeded" if event.diagnostics.error_code == "Success" else "Failed"


def _skip_rest(events: list[LifecycleEvent]) -> None:
    for event in events:
        if event.status == "Pending":
            event.status = "Skipped"
