"""rollback-fails: the way back is itself refused; a person is paged, mends the cause, and asks again."""

import json
from collections import Counter
from typing import Any

from controlplane.demo import evidence
from controlplane.demo.pipelines import shop
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import PIPELINE, Event, Setting, Stage, World

SHORT = {"Promote", "Deploy", "Journey"}
REMEDIES = ("StopDeployment", "CreateDeployment")
BACK = (
    {"CreateDeployment": 2, "StopDeployment": 1},
    {"CreateDeployment": 3, "StopDeployment": 1},
    {"CreateDeployment": 3},
)
"""Release 1 and 2 were deployed; then CodeDeploy's own rollback came, or ours, or ours after it."""
WHY = "the role is granted again"


def pipeline(world: World) -> str:
    """The example's source and prod, with its deployment, its journey and its bake."""
    document: dict[str, Any] = json.loads(shop(world))
    stages = [one for one in document["stages"] if one["name"] in ("Source", "Prod")]
    stages[1]["actions"] = [one for one in stages[1]["actions"] if one["name"] in SHORT]
    return json.dumps({**document, "stages": stages})


def play(stage: Stage) -> Report:
    """Release 1; release 2 goes bad while the rollback role is denied; then a person helps."""
    first = stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    second = stage.release(2)
    stage.follow(_deploying)
    _deny(stage)
    failed = stage.follow(lambda e: e["kind"] == "rollback.failed", may_fail=True)
    document = _as_it_failed(stage, failed, second["digest"])
    stage.tell("faults", None, method="DELETE")
    stage.story.say("a person grants the role again, and asks for the rollback once more")
    path = f"/pipelines/{PIPELINE}/stages/Prod/rollback"
    stage.api.send("POST", path, {"reason": WHY})
    stage.follow(lambda e: e["kind"] in ("rollback.done", "rollback.failed"), may_fail=True)
    document |= _as_it_came_back(stage, first["digest"])
    facts = [
        ("rollback failed", document["failed_because"]),
        ("what next", document["next"]),
        ("told", f"{len(_slack(stage))} messages in Slack"),
        ("asked again", "prod serves release 1 on every instance"),
    ]
    return Report(document, facts)


def _deploying(event: Event) -> bool:
    return bool(event["kind"] == "action.started" and event["action"] == "Deploy")


def _deny(stage: Stage) -> None:
    """Somebody revoked the right to stop and to deploy in prod, after release 2 had begun."""
    prod = stage.ask("world")["accounts"]["prod"]["id"]
    for operation in REMEDIES:
        rule = {"fault": "access_denied", "service": "codedeploy", "operation": operation}
        stage.tell("faults", {**rule, "account": prod})


def _as_it_failed(stage: Stage, failed: Event, second: str) -> dict[str, Any]:
    rollback = stage.api.get(f"/executions/{failed['executionId']}")
    prod = evidence.stage_state(stage, "Prod")
    asked = [c for c in evidence.calls(stage, "codedeploy") if c["operation"] in REMEDIES]
    denied = [call for call in asked if call["fault"] == "access_denied"]
    pages = [text for text in _slack(stage) if "rollback" in text and "failed" in text]
    hold(
        {
            "the rollback's state is failed": rollback["rollbackState"] == "failed",
            "it says what to do next": "towpath rollback shop Prod" in rollback["next"],
            "a person was paged": any(e["kind"] == "person.paged" for e in stage.events),
            "Slack told of it": bool(pages),
            "the way into prod is held": prod["transition"]["enabled"] is False,
            "release 2 is in quarantine": evidence.is_quarantined(stage, second),
            "prod really still serves release 2": second in evidence.serving(stage)["prod"],
            "what was denied was not hammered": len(denied) == 1,
            "nothing was deployed twice": _done(stage) == {"CreateDeployment": 2},
        }
    )
    return {
        "failed_because": rollback["reason"],
        "next": rollback["next"],
        "told_in_slack": len(pages),
        "denied": denied[0]["operation"],
    }


def _as_it_came_back(stage: Stage, first: str) -> dict[str, Any]:
    serving = evidence.serving(stage)["prod"]
    done = _done(stage)
    hold(
        {
            f"prod serves release 1 on every instance, not {serving}": serving == first,
            f"it was stopped once, or deployed once more, or both: {done}": done in BACK,
        }
    )
    return {"serving": {"prod": serving}}


def _done(stage: Stage) -> Counter[str]:
    """What CodeDeploy really did: how often it was told to stop and to deploy, and obeyed."""
    calls = evidence.calls(stage, "codedeploy")
    return Counter(c["operation"] for c in calls if c["operation"] in REMEDIES and c["effect"])


def _slack(stage: Stage) -> list[str]:
    return [json.dumps(message).lower() for message in stage.ask("slack")["messages"]]


ROLLBACK_FAILS = Scenario(
    about="the way back is refused: a person is paged, mends the cause and asks again",
    play=play,
    setting=Setting(pipeline=pipeline),
)
