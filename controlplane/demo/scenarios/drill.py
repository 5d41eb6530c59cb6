"""drill: the way back of the test stage is tried with its good release, and timed."""

from typing import Any

from controlplane.client.api import ApiError
from controlplane.demo import evidence
from controlplane.demo.pipelines import World, alarm, short_pipeline
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import PIPELINE, Setting, Stage

ENDS = ("drill.finished", "drill.failed")


def pipeline(_world: World) -> str:
    """Test, then prod, each baked under the alarm on its users' errors."""
    return short_pipeline("test", "prod", bake="3s", signals=lambda name: [alarm(name)])


def play(stage: Stage) -> Report:
    """Release 1 goes through; then test is drilled, and prod refuses to be."""
    first = stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    refused = _refused(stage, "Prod")
    execution = stage.api.send("POST", f"/pipelines/{PIPELINE}/stages/Test/drill")["id"]
    stage.story.say(f"the drill is execution {execution}")
    stage.follow(lambda e: e["kind"] in ENDS, may_fail=True)
    (drill,) = stage.api.get(f"/pipelines/{PIPELINE}/drills")
    why = stage.api.get(f"/executions/{execution}/explanation")
    serving, state = evidence.serving(stage), evidence.stage_state(stage, "Test")
    hold(
        {
            f"the drill went well: {drill['note']}": drill["state"] == "done",
            "test's alarm was set, by the role that deploys there": bool(_set(stage, "ALARM")),
            "the alarm of no production account was set": not _set_in(stage, "prod"),
            "the good release was redeployed by the role that rolls back": evidence.went_back(
                stage
            ),
            "test serves release 1": serving["test"] == first["digest"],
            "prod refuses to be drilled": "outside production" in refused,
            "nothing is in quarantine": not evidence.is_quarantined(stage, first["digest"]),
            "the way into test is open": bool(state["transition"]["enabled"]),
            "each part was timed": set(drill["seconds"]) == {"detected", "stopped", "restored"},
        }
    )
    document = {"drill": drill, "prod": refused, "serving": serving, "outcome": why["outcome"]}
    took = [(part, f"after {seconds:.1f} s") for part, seconds in drill["seconds"].items()]
    return Report(document, [*took, ("prod", refused), ("why", why["outcome"])])


def _refused(stage: Stage, name: str) -> str:
    try:
        stage.api.send("POST", f"/pipelines/{PIPELINE}/stages/{name}/drill")
    except ApiError as error:
        return str(error)
    return ""


def _set(stage: Stage, state: str) -> list[dict[str, Any]]:
    return [
        call
        for call in evidence.calls(stage, "cloudwatch")
        if call["operation"] == "SetAlarmState"
        and not call["error"]
        and "TowpathDeploy" in call["caller"]
        and call["parameters"].get("StateValue") == state
    ]


def _set_in(stage: Stage, account: str) -> list[dict[str, Any]]:
    number = stage.ask("world")["accounts"][account]["id"]
    return [call for call in _set(stage, "ALARM") if call["account"] == number]


DRILL = Scenario(
    about="the way back of the test stage is tried with its good release and timed; prod refuses",
    play=play,
    setting=Setting(pipeline=pipeline),
)
