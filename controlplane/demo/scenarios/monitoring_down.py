"""monitoring-down: CloudWatch is away during the bake; nobody is blamed, nothing passes, a person is paged."""

from typing import Any

from controlplane.demo import evidence
from controlplane.demo.pipelines import World, alarm, metric, short_pipeline
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Event, Setting, Stage

AWAY = {"fault": "server_error", "service": "cloudwatch", "status": 503}


def pipeline(_world: World) -> str:
    """Straight to prod, baked under an alarm and a metric of CloudWatch."""
    limits = {"Threshold": 2, "DatapointsToFail": 2, "MinimumSamples": 3}
    errors = metric("Errors", "prod", "Errors", "Sum", **limits)
    return short_pipeline("prod", bake="6s", signals=lambda name: [alarm(name), errors])


def play(stage: Stage) -> Report:
    """Release 1; the same once more, and CloudWatch goes away while it bakes, and comes back."""
    stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    before = len(evidence.remedies(stage))
    again = stage.release(1)
    baking = stage.follow(lambda e: e["kind"] == "stage.baking")
    stage.tell("faults", AWAY)
    stage.story.say("CloudWatch answers nobody but 503 from now on")
    held = stage.follow(_is_held)
    during = evidence.stage_state(stage, "Prod")
    stage.tell("faults", {}, method="DELETE")
    stage.story.say("CloudWatch is back")
    done = stage.follow(lambda e: e["kind"] == "execution.succeeded")
    serving = evidence.serving(stage)
    why = stage.api.get(f"/executions/{baking['executionId']}/explanation")
    refused = [call for call in evidence.calls(stage, "cloudwatch") if _is_refused(call)]
    hold(
        {
            "CloudWatch really refused what Towpath asked": bool(refused),
            "the bake was held, and the release neither passed nor failed": _is_baking(during),
            "a person was paged": _happened(stage, "person.paged"),
            "nothing was rolled back": len(evidence.remedies(stage)) == before,
            "nothing is in quarantine": not evidence.is_quarantined(stage, again["digest"]),
            "it went on once CloudWatch was back": done["at"] > held["at"],
            f"prod serves release 1, not {serving['prod']}": serving["prod"] == again["digest"],
            "the explanation says UNREACHABLE": _says(why, "UNREACHABLE"),
        }
    )
    document = {"held": held["text"], "held_at": held["at"], "went_on_at": done["at"]}
    document |= {"refused_calls": len(refused), "serving": serving, "outcome": why["outcome"]}
    facts = [("held", held["text"]), ("why", why["outcome"]), *evidence.explained(why)]
    return Report(document, facts)


def _is_held(event: Event) -> bool:
    return event["kind"] == "stage.held" and "UNREACHABLE" in event["text"]


def _is_baking(state: dict[str, Any]) -> bool:
    return bool(state["current"]) and state["current"]["status"] == "Baking"


def _is_refused(call: dict[str, Any]) -> bool:
    return bool(call["error"]) and "Towpath" in call["caller"]


def _happened(stage: Stage, kind: str) -> bool:
    return any(event["kind"] == kind for event in stage.events)


def _says(why: dict[str, Any], verdict: str) -> bool:
    rules = [rule for one in why["stages"] for rule in one["rules"]]
    return any(run["verdict"] == verdict for rule in rules for run in rule["runs"])


MONITORING_DOWN = Scenario(
    about="CloudWatch is away during a bake: it is held and paged for, and goes on when that is back",
    play=play,
    setting=Setting(pipeline=pipeline),
)
