"""already-bad: what was bad before the deployment is not blamed on it; the bake waits until it is well."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.demo import evidence
from controlplane.demo.pipelines import World, metric, short_pipeline
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Setting, Stage
from controlplane.sandbox.seed import clients_of

BACKLOG, LIMIT = 400.0, 100
BAD_FOR = 40.0
"""Seconds from its upload on for which somebody else's backlog stays beyond the limit."""


def pipeline(_world: World) -> str:
    """Straight to prod, baked under a backlog that the service only shares."""
    limits = {"Threshold": LIMIT, "DatapointsToFail": 3, "MinimumSamples": 3, "Baseline": "60s"}
    backlog = metric("Backlog", "prod", "Backlog", "Maximum", **limits)
    return short_pipeline("prod", bake="6s", signals=lambda _: [backlog])


def play(stage: Stage) -> Report:
    """Release 1 on a calm day; once more on a bad one, which ends while it bakes."""
    _publish(stage, -60, 60, lambda _: 5.0)
    stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    _publish(stage, -60, 240, lambda second: BACKLOG if second < BAD_FOR else 5.0)
    stage.story.say(f"the backlog is at {BACKLOG:g}, the limit is {LIMIT}: the day was bad before")
    before = len(evidence.remedies(stage))
    again = stage.release(1)
    held = stage.follow(lambda e: e["kind"] in ("stage.held", "stage.extended"))
    during = evidence.stage_state(stage, "Prod")["current"]
    done = stage.follow(lambda e: e["kind"] == "execution.succeeded")
    serving = evidence.serving(stage)
    why = stage.api.get(f"/executions/{held['executionId']}/explanation")
    told = _not_blamed(why)
    hold(
        {
            "it was said that it was bad before": bool(told),
            "the bake waited, and neither passed nor failed": during["status"] == "Baking",
            "nothing was rolled back": len(evidence.remedies(stage)) == before,
            "nothing is in quarantine": not evidence.is_quarantined(stage, again["digest"]),
            f"prod serves release 1, not {serving['prod']}": serving["prod"] == again["digest"],
            "the bake went on when the backlog was well": done["at"] > held["at"],
            "the explanation draws the backlog before and since": evidence.is_drawn(why, "Backlog"),
        }
    )
    document = {"not_blamed": told, "held": held["text"], "went_on_at": done["at"]}
    document |= {"serving": serving, "outcome": why["outcome"]}
    facts = [("not blamed", told), ("why", why["outcome"]), *evidence.explained(why)]
    return Report(document, facts)


def _not_blamed(why: Mapping[str, Any]) -> str:
    """What the explanation says of a breach that was there before; "" where it says nothing."""
    rules = [rule for stage in why["stages"] for rule in stage["rules"]]
    reasons = [run["reason"] for rule in rules for run in rule["runs"]]
    return next((one for one in reasons if "already bad before the deployment" in one), "")


def _publish(stage: Stage, begin: int, end: int, value: Any) -> None:
    """Put a point a second into prod's CloudWatch; those of the future are read once they are due."""
    prod = stage.ask("world")["accounts"]["prod"]
    cloudwatch = clients_of(stage.sandbox_url, prod["root_access_key_id"])("cloudwatch")
    now = datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 - as the sandbox's clock has it
    data = [
        {
            "MetricName": "Backlog",
            "Dimensions": [{"Name": "Environment", "Value": "prod"}],
            "Timestamp": now + timedelta(seconds=second),
            "Value": value(second),
            "StorageResolution": 1,
        }
        for second in range(begin, end)
    ]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)


ALREADY_BAD = Scenario(
    about="a metric that was bad before the deployment is not blamed on it, and holds the bake",
    play=play,
    setting=Setting(pipeline=pipeline),
)
