"""The pipelines of the demo, as texts that are applied to a running Towpath."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.sandbox.shipped import path as shipped
from controlplane.sandbox.world import REGION, SOURCE_BUCKET, SOURCE_KEY

World = Mapping[str, Any]
"""What GET /_sandbox/world answers."""


def shop(world: World) -> str:
    """deploy/examples/pipeline.yaml in a sandbox's world."""
    return pipeline_text(has_prometheus=bool(world["prometheus_url"]))


def pipeline_text(*, has_prometheus: bool) -> str:
    """deploy/examples/pipeline.yaml; without the PromQL signal where there is no Prometheus."""
    from controlplane.declarations.json_spelling import dumps
    from controlplane.declarations.load import load_text

    file = shipped("examples/pipeline.yaml")
    declared = load_text(file.read_text(encoding="utf-8"), str(file))
    document = json.loads(dumps(declared))
    if not (has_prometheus or os.environ.get("TOWPATH_PROMETHEUS")):
        for stage in document["stages"]:
            for condition in stage.get("onSuccess", {}).get("conditions", []):
                condition["rules"] = [
                    rule
                    for rule in condition["rules"]
                    if rule["ruleTypeId"]["provider"] != "PrometheusQuery"
                ]
    return json.dumps(document)


Signal = dict[str, Any]
"""One signal of a bake, as the friendly spelling has it."""


def short_pipeline(*environments: str, bake: str, signals: Callable[[str], list[Signal]]) -> str:
    """A release of `shop` goes straight through these environments; each is baked under its signals."""
    source: dict[str, Any] = {
        "name": "Source",
        "account": "tools",
        "region": REGION,
        "actions": [
            {
                "name": "Release",
                "provider": "S3",
                "with": {"S3Bucket": SOURCE_BUCKET, "S3ObjectKey": SOURCE_KEY},
                "outputs": ["Shop"],
            }
        ],
    }
    stages = [_stage(name, bake, signals(name)) for name in environments]
    channels = [{"slack": {"channel": "#releases"}}]
    return json.dumps({"pipeline": "shop", "stages": [source, *stages], "notify": channels})


def _stage(name: str, bake: str, signals: list[Signal]) -> dict[str, Any]:
    promoted = f"Shop{name.title()}"
    group = {"ApplicationName": "shop", "DeploymentGroupName": f"shop-{name}"}
    return {
        "name": name.title(),
        "account": name,
        "region": REGION,
        "actions": [
            {"name": "Promote", "provider": "S3Promote", "inputs": ["Shop"], "outputs": [promoted]},
            {"name": "Deploy", "provider": "CodeDeploy", "runOrder": 2, "inputs": [promoted], "with": group},
        ],
        "bake": {"time": bake, "interval": "1s", "signals": signals},
        "onFailure": "rollback",
    }  # fmt: skip


def alarm(environment: str) -> Signal:
    """The environment's own alarm, on the errors that its users get."""
    named = {"AlarmName": f"shop-{environment}-errors"}
    return {"name": "Alarm", "provider": "CloudWatchAlarm", "with": named}


def metric(name: str, environment: str, metric_name: str, stat: str, **more: Any) -> Signal:
    """A metric of the sample service, a point a second; more: the rule's limits."""
    return {
        "name": name,
        "provider": "CloudWatchMetric",
        "with": {
            "Namespace": "Shop",
            "MetricName": metric_name,
            "Dimensions": {"Environment": environment},
            "Period": 1,
            "Statistic": stat,
            **more,
        },
    }
