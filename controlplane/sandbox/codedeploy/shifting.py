"""A Lambda deployment at work: an alias's traffic goes to another version, at once or step by step.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
Not checked against AWS, and taken as the worse case: a rollback sends the traffic to the version of the
last successful deployment's AppSpec, and where there was none, nothing is put back.
"""

import threading
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import lambda_backends

from controlplane.clock import Clock
from controlplane.sandbox.aws import functions
from controlplane.sandbox.codedeploy import store
from controlplane.sandbox.codedeploy.alarms import reason_to_stop
from controlplane.sandbox.codedeploy.appspec import AppSpecError, Shift, parse_shift
from controlplane.sandbox.codedeploy.configs import steps
from controlplane.sandbox.codedeploy.model import Deployment, LifecycleEvent, ShiftTarget
from controlplane.sandbox.codedeploy.notices import Notices, guarded

GLANCE = 0.02  # seconds between two looks at the clock, alarms and stop requests
EVENTS = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
Ended = tuple[str, dict[str, str] | None]


def target_of(deployment: Deployment, account: str) -> ShiftTarget:
    """Make what a deployment will work on; an AppSpec that cannot be used is found when it begins."""
    try:
        shift = read(account, deployment.revision)
    except (AppSpecError, store.Missing) as error:
        shift, wrong = Shift("", "", "", ""), str(error)
    else:
        wrong = ""
    events = [LifecycleEvent(name) for name in EVENTS]
    return ShiftTarget(shift, events, deployment.created, wrong=wrong)


def read(account: str, revision: dict[str, Any]) -> Shift:
    """Read the AppSpec of a revision: the file in S3, or what stands in the request."""
    if revision["revisionType"] == "AppSpecContent":
        return parse_shift(revision["appSpecContent"]["content"])
    return parse_shift(store.read(account, revision["s3Location"]).decode("utf-8", "replace"))


@dataclass(slots=True)
class Shifting:
    """Brings one deployment to its end; runs in a thread of its own."""

    deployment: Deployment
    target: ShiftTarget
    account: str
    region: str
    now: Clock
    closing: threading.Event
    notices: Notices

    def run(self) -> Ended:
        """Shift; answer the final status and its error information, for the backend to commit."""
        self.deployment.status, self.deployment.started = "InProgress", self.now()
        guarded(lambda: self.notices.deployment("Start", self.deployment))
        self.target.status = "InProgress"
        status, error = self._refused() or self._walk()
        self.target.status = {"Stopped": "Skipped"}.get(status, status)
        self.target.updated = self.now()
        return status, error

    def _refused(self) -> Ended | None:
        shift = self.target.shift
        if self.target.wrong:
            return "Failed", {"code": "INVALID_REVISION", "message": self.target.wrong}
        try:
            alias = functions.alias(self.account, self.region, shift.function, shift.alias)
            lambda_backends[self.account][self.region].get_function(shift.function, shift.target)
        except Exception as error:  # noqa: BLE001  # moto's own, of many classes
            return "Failed", {"code": "INVALID_LAMBDA_FUNCTION", "message": str(error)}
        if self.deployment.creator == "codeDeployRollback":
            return None
        if functions.weights(alias) or alias.function_version != shift.current:
            said = (
                f"The alias {shift.alias} of {shift.function} must send all traffic to the current "
                f"version {shift.current} of the AppSpec file, without an additional version."
            )
            return "Failed", {"code": "INVALID_LAMBDA_CONFIGURATION", "message": said}
        return None

    def _walk(self) -> Ended:
        for event in self.target.events:
            event.status, event.started = "InProgress", self.now()
            if event.name == "AllowTraffic":
                self._shift()
            event.ended = self.now()
            if self.deployment.stop or self.closing.is_set():
                event.status = "Skipped"
                code, message = self.deployment.stop or ("INTERNAL_ERROR", "The sandbox ends.")
                return "Stopped", {"code": code, "message": message}
            event.status = "Succeeded"
        return "Succeeded", None

    def _shift(self) -> None:
        began, shift = self.now(), self.target.shift
        back = self.deployment.creator == "codeDeployRollback"
        for after, percent in [(0, 100)] if back else steps(self._config()):
            while (self.now() - began).total_seconds() < after and not self._halted():
                self.closing.wait(GLANCE)
            if self._halted():
                return
            where = (self.account, self.region, shift.function, shift.alias)
            functions.send(*where, shift.target, percent / 100)
            self.target.weight, self.target.updated = float(percent), self.now()

    def _config(self) -> str:
        return str(self.deployment.setting("deploymentConfigName"))

    def _halted(self) -> bool:
        reason = reason_to_stop(self.deployment, self.account, self.region)
        if reason and not self.deployment.stop:
            self.deployment.stop = ("ALARM_ACTIVE", reason)
        return bool(self.deployment.stop) or self.closing.is_set()
