"""The pipelines of the demo, as texts that are applied to a running Towpath."""

import json
import os
from collections.abc import Mapping
from typing import Any

from controlplane.sandbox.shipped import path as shipped


def shop(world: Mapping[str, Any]) -> str:
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
