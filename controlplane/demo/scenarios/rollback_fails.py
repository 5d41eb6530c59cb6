"""rollback-fails: the way back itself fails; a person is paged, mends the cause, and asks again."""

import json
from collections import Counter
from typing import Any

from controlplane.demo import evidence
from controlplane.demo.pipelines import shop
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import PIPELINE, Event, Setting, Stage, World

SHORT = {"Promote", "Deploy", "Journey"}
WHY = "the disks have room again"
FAILED = {"CreateDeployment": 3}
"""Release 1, release 2, and one way back: what CodeDeploy does by itself is not counted."""


def pipeline(world: World) -> str:
    """The example's source and prod, with its deployment, its journey and its bake."""
    document: dict[str, Any] = json.loads(shop(world))
    stages = [one for one in document["stages"] if one["name"] in ("Source", "Prod")]
    stages[1]["actions"] = [one for one in stages[1]["actions"] if one["name"] in SHORT]
    return json.dumps({**document, "stages": stages})


def play(stage: Stage) -> Report:
    """Release 1; release 2 goes bad, and the disks are full when it is to go back; then a person helps."""
    first = stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    second = stage.release(2)
    stage.follow(lambda e: e["kind"] == "rollback.requested", may_fail=True)
    stage.tell("disks", {"environment": "prod", "full": True})
    failed = stage.follow(lambda e: e["kind"] == "rollback.failed", may_fail=True)
    document = _as_it_failed(stage, failed, first["digest"], second["digest"])
    stage.tell("disks", {"environment": "prod", "full": False})
    stage.story.say("a person makes room on the disks, and asks for the rollback once more")
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


def _as_it_failed(stage: Stage, failed: Event, first: str, second: str) -> dict[str, Any]:
    rollback = stage.api.get(f"/executions/{failed['executionId']}")
    prod = evidence.stage_state(stage, "Prod")
    serving = evidence.serving(stage)["prod"]
    told = [text for text in _slack(stage) if "rollback" in text and "failed" in text]
    done = _done(stage)
    hold(
        {
            "the rollback's state is failed": rollback["rollbackState"] == "failed",
            "it says what is wrong": "No space left on device" in rollback["reason"],
            "it says what to do next": "towpath rollback shop Prod" in rollback["next"],
            "a person was paged": any(e["kind"] == "person.paged" for e in stage.events),
            "Slack told of it": bool(told),
            "the way into prod is held": prod["transition"]["enabled"] is False,
            "release 2 is in quarantine": evidence.is_quarantined(stage, second),
            f"prod is really not back: {serving}": serving != first,
            f"nothing was deployed twice: {done}": done == FAILED,
        }
    )
    return {
        "failed_because": rollback["reason"],
        "next": rollback["next"],
        "told_in_slack": len(told),
        "serving_then": serving,
    }


def _as_it_came_back(stage: Stage, first: str) -> dict[str, Any]:
    serving = evidence.serving(stage)["prod"]
    hold(
        {
            f"prod serves release 1 on every instance, not {serving}": serving == first,
            "one more deployment brought it back": _done(stage) == {"CreateDeployment": 4},
        }
    )
    return {"serving": {"prod": serving}}


def _done(stage: Stage) -> dict[str, int]:
    """How many deployments CodeDeploy really began because it was told to."""
    calls = evidence.calls(stage, "codedeploy")
    return Counter(c["operation"] for c in calls if c["operation"] in FAILED and c["effect"])


def _slack(stage: Stage) -> list[str]:
    return [json.dumps(message).lower() for message in stage.ask("slack")["messages"]]


ROLLBACK_FAILS = Scenario(
    about="the way back fails, too: a person is paged, mends the cause and asks again",
    play=play,
    setting=Setting(pipeline=pipeline),
)
