"""What a monitoring sends us: bounded, and only as much of it as we use.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from controlplane.api.inputs import seconds

Label = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00]*$")]
LabelName = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class Alert(BaseModel):
    """One alert of a group; where it says no status of its own, the group's is its. The rest is not asked."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    status: Literal["firing", "resolved"] | None = None
    labels: Annotated[dict[LabelName, Label], Field(max_length=64)]
    starts_at: datetime | None = None
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{0,64}$")] = ""

    def key(self) -> str:
        """Alertmanager's own fingerprint; older ones send none, and an alert is its labels."""
        made = json.dumps(self.labels, sort_keys=True).encode()
        return f"alertmanager:{self.fingerprint or hashlib.sha256(made).hexdigest()[:16]}"


class AlertmanagerBody(BaseModel):
    """A group of alerts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"] = "firing"
    alerts: Annotated[tuple[Alert, ...], Field(max_length=1000)]

    def told(self) -> list[dict[str, Any]]:
        """Answer them as incidents."""
        return [
            {
                "key": alert.key(),
                "name": alert.labels.get("alertname", "alert"),
                "labels": alert.labels,
                "since": _since(alert.starts_at),
                "resolved": (alert.status or self.status) == "resolved",
            }
            for alert in self.alerts
        ]


def _since(at: datetime | None) -> float:
    """0 where it was not said, or without a zone."""
    return seconds(at) if at is not None and at.tzinfo is not None else 0.0
