"""What scenarios check their claims against: the sandbox's own state, and little of Towpath's.

What Towpath says of itself is not evidence of what runs; it is of what is in quarantine or held.
"""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import boto3

from controlplane.client.sparks import scale, sparkline
from controlplane.demo.stage import PIPELINE, Stage

ROLLED_BACK = ("rollback.done", "rollback.failed")
"""Events that end a rollback."""


def serving(stage: Stage) -> dict[str, str]:
    """The digest that every instance of an environment really serves; "mixed: ..." where they differ."""
    found: dict[str, str] = {}
    for environment, instances in stage.ask("serving").items():
        digests = {str(instance["digest"]) for instance in instances}
        found[environment] = digests.pop() if len(digests) == 1 else f"mixed: {sorted(digests)}"
    return found


def told(stage: Stage) -> dict[str, int]:
    """Messages that arrived: at the queue that is subscribed to the topic, and in the fake Slack."""
    slack = stage.ask("slack")["messages"]
    return {"sns": stage.ask("topic")["messages"], "slack": len(slack)}


def calls(stage: Stage, service: str) -> list[dict[str, Any]]:
    """Every call of a service that the sandbox took, oldest first (see the recorder's entries)."""
    found: list[dict[str, Any]] = stage.ask(f"calls?service={service}")["calls"]
    return found


def deployments(stage: Stage, account: str) -> list[dict[str, Any]]:
    """Every deployment of an account, oldest first: group, status, created and completed (ISO times)."""
    world = stage.ask("world")
    key = world["accounts"][account]["root_access_key_id"]
    session: Any = boto3.Session(key, "sandbox", region_name=world["region"])
    with closing(session.client("codedeploy", endpoint_url=world["endpoint"])) as codedeploy:
        ids = codedeploy.list_deployments()["deployments"]
        found = [codedeploy.get_deployment(deploymentId=one)["deploymentInfo"] for one in ids]
    return sorted(
        (
            {
                "group": one["deploymentGroupName"],
                "status": one["status"],
                "created": one["createTime"].isoformat(),
                "completed": one["completeTime"].isoformat() if "completeTime" in one else "",
            }
            for one in found
        ),
        key=lambda one: str(one["created"]),
    )


def first_bad(stage: Stage, environment: str, release: int) -> str | None:
    """When a user of an environment first got a bad answer from a release; None where nobody did."""
    releases = stage.ask("traffic")["environments"].get(environment, {})
    found: str | None = releases.get(str(release), {}).get("first_bad_response_at")
    return found


def requests(stage: Stage, environment: str, release: int) -> int:
    """How many answers users of an environment got from a release: 0 where it was never there."""
    releases = stage.ask("traffic")["environments"].get(environment, {})
    return int(releases.get(str(release), {}).get("requests", 0))


def is_quarantined(stage: Stage, digest: str) -> bool:
    """Whether the digest goes nowhere until a person lifts it."""
    return any(one["digest"] == digest for one in stage.api.get("/quarantine"))


def stage_state(stage: Stage, name: str) -> dict[str, Any]:
    """What the API tells of a stage of the pipeline."""
    stages = stage.api.get(f"/pipelines/{PIPELINE}/state")["stages"]
    return dict(next(one for one in stages if one["name"] == name))


def remedies(stage: Stage) -> list[dict[str, Any]]:
    """The calls by which something was stopped or put back: by the role that rolls back, and granted."""
    return [
        call
        for call in calls(stage, "codedeploy")
        if call["operation"] in ("StopDeployment", "CreateDeployment")
        and not call["error"]
        and "TowpathRollback" in call["caller"]
    ]


def went_back(stage: Stage) -> bool:
    """Whether a release was put back."""
    return any(call["operation"] == "CreateDeployment" for call in remedies(stage))


def is_drawn(why: Mapping[str, Any], rule: str) -> bool:
    """Whether an explanation has a rule's points on both sides of the deployment."""
    charts = [one["chart"] for s in why["stages"] for one in s["rules"] if one["name"] == rule]
    return any(chart and chart["before"] and chart["after"] for chart in charts)


def explained(why: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each rule's series on a line, as `towpath explain` prints it."""
    rules = [rule for stage in why["stages"] for rule in stage["rules"] if rule["chart"]]
    return [(rule["name"], f"{sparkline(rule['chart'])}  {scale(rule['chart'])}") for rule in rules]
