"""slow-release: a release that answers everything, only too slowly, is caught by its latency and comes back."""

from controlplane.demo import evidence
from controlplane.demo.pipelines import World, metric, short_pipeline
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Event, Setting, Stage

SLOW = 15
"""Milliseconds that half of the users may have to wait."""


def pipeline(_world: World) -> str:
    """Straight to prod, baked under the latency that users see."""
    limits = {"Threshold": SLOW, "DatapointsToFail": 3, "DatapointsWindow": 5, "MinimumSamples": 5}
    signals = [metric("Latency", "prod", "Latency", "p50", **limits)]
    return short_pipeline("prod", bake="15s", signals=lambda _: signals)


def play(stage: Stage) -> Report:
    """Release 1, then release 3, and the way back."""
    first = stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    slow = stage.release(3)
    breach = stage.follow(_is_breach, may_fail=True)
    stage.follow(lambda e: e["kind"] in ("rollback.done", "rollback.failed"), may_fail=True)
    serving = evidence.serving(stage)
    why = stage.api.get(f"/executions/{breach['executionId']}/explanation")
    hold(
        {
            "prod served release 3": evidence.requests(stage, "prod", 3) > 0,
            "release 3 answered nobody with an error": evidence.first_bad(stage, "prod", 3) is None,
            f"prod serves release 1 again, not {serving['prod']}": serving["prod"]
            == first["digest"],
            "a redeployment was asked for by the role that rolls back": evidence.went_back(stage),
            "release 3 is in quarantine": evidence.is_quarantined(stage, slow["digest"]),
            "the explanation draws the latency before and since": evidence.is_drawn(why, "Latency"),
        }
    )
    document = {
        "release_1": {"digest": first["digest"], "prod": "last known good"},
        "release_3": {"digest": slow["digest"], "breach": breach["text"], "seen_at": breach["at"]},
        "serving": serving,
        "outcome": why["outcome"],
    }
    facts = [("caught by", breach["text"]), ("why", why["outcome"]), *evidence.explained(why)]
    return Report(document, facts)


def _is_breach(event: Event) -> bool:
    return bool(event["kind"] == "rule.judged" and event["data"]["verdict"] == "FAIL")


SLOW_RELEASE = Scenario(
    about="a release that fails nobody and is slow under load is caught by its latency",
    play=play,
    setting=Setting(pipeline=pipeline),
)
