"""Sets a CloudWatch alarm's state, as a drill does: for testing, and only until CloudWatch looks again.

"The state change [...] does not persist": CloudWatch sets a metric alarm back at its next evaluation, often
within seconds; a composite alarm it never does before one of its own alarms changes. The alarm's own actions
(its SNS topic) are run, as for any change of its state.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
"""

from dataclasses import dataclass
from typing import Any

from accounts.base import Clients, Scope
from accounts.models import Purpose
from controlplane.actions.base import ActionError
from controlplane.actions.vendor import asking, partition_of, told


@dataclass(frozen=True, slots=True)
class Alarm:
    """Which alarm, and on whose behalf it is set."""

    account: str
    region: str
    name: str
    pipeline: str
    stage: str
    execution: str

    def __str__(self) -> str:
        return f"alarm {self.name} in {self.account}"


class AlarmSetter:
    """Reads with the role that watches, sets with the role that deploys."""

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def state(self, alarm: Alarm) -> tuple[str, str]:
        """OK, ALARM or INSUFFICIENT_DATA, and why; ActionError (permanent) where there is no such alarm."""
        client = self._clients.client("cloudwatch", alarm.account, alarm.region, Purpose.WATCH)
        with asking(f"read {alarm}"):
            answer = client.describe_alarms(
                AlarmNames=[alarm.name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        found = [*told(answer, "MetricAlarms"), *answer.get("CompositeAlarms", ())]
        if not found:
            raise ActionError(f"There is no {alarm}.", permanent=True)
        return str(found[0].get("StateValue", "")), str(found[0].get("StateReason", ""))

    def set(self, alarm: Alarm, state: str, reason: str) -> None:
        """Set it; the same again changes nothing."""
        with asking(f"set {alarm} to {state}"):
            self._client(alarm).set_alarm_state(
                AlarmName=alarm.name, StateValue=state, StateReason=reason[:1023]
            )

    def _client(self, alarm: Alarm) -> Any:
        account = self._clients.registry.get(alarm.account)
        arn = (
            f"arn:{partition_of(account)}:cloudwatch:{alarm.region}:{account.id}:alarm:{alarm.name}"
        )
        scope = Scope(alarm.pipeline, alarm.stage, alarm.execution, resources=(arn,))
        return self._clients.client(
            "cloudwatch", alarm.account, alarm.region, Purpose.DEPLOY, scope
        )
