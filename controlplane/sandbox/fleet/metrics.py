"""What the users of each environment got, published to CloudWatch of that account each second."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from controlplane.clock import Clock
from controlplane.sandbox.fleet.traffic import Answer

NAMESPACE = "Shop"
PERIOD = 1.0

Publish = Callable[[str, list[dict[str, Any]]], None]
"""Takes a namespace and MetricData as in CloudWatch's PutMetricData."""


def data_of(environment: str, answers: list[Answer], at: datetime) -> list[dict[str, Any]]:
    """Make the MetricData of one second: Requests, Errors, and the Latency of each in ms.

    Nothing where there was no request: silence is not the same as no error.
    """
    if not answers:
        return []

    def datum(name: str, unit: str, **value: Any) -> dict[str, Any]:
        return {
            "MetricName": name,
            "Dimensions": [{"Name": "Environment", "Value": environment}],
            "Timestamp": at,
            "Unit": unit,
            "StorageResolution": 1,
            **value,
        }

    latencies = [round(answer.latency * 1000, 3) for answer in answers]
    return [
        datum("Requests", "Count", Value=float(len(answers))),
        datum("Errors", "Count", Value=float(sum(answer.bad for answer in answers))),
        datum("Latency", "Milliseconds", Values=latencies, Counts=[1.0] * len(latencies)),
    ]


class Publisher:
    """A thread that publishes, each second, what came since the last one."""

    def __init__(
        self,
        publish: Mapping[str, Publish],
        fresh: Callable[[str], list[Answer]],
        now: Clock,
    ) -> None:
        """publish: for each environment, the way into its account."""
        self._publish, self._fresh, self._now = publish, fresh, now
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PERIOD):
            for environment, publish in self._publish.items():
                data = data_of(environment, self._fresh(environment), self._now())
                if data:
                    publish(NAMESPACE, data)
