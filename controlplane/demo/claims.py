"""Every claim of the demo, checked against the sandbox's own state: what the instances serve, what was called.

What Towpath says of itself is not evidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.client.api import Api
from controlplane.demo.processes import DemoError, answer

Release = Mapping[str, Any]


def report(
    api: Api, sandbox: str, events: Sequence[Mapping[str, Any]], releases: tuple[Release, Release]
) -> dict[str, Any]:
    """The document that the demo prints; DemoError where a claim does not hold."""
    first, second = (release["digest"] for release in releases)
    serving = _serving(sandbox)
    told = _told(sandbox)
    times = _times(sandbox, events)
    quarantined = any(q["digest"] == second for q in api.get("/quarantine"))
    prod = next(s for s in api.get("/pipelines/shop/state")["stages"] if s["name"] == "Prod")
    claims = {
        f"prod serves release 1 on every instance, not {serving['prod']}": serving["prod"] == first,
        "dev and test served release 2 before": {serving["dev"], serving["test"]} == {second},
        "release 2 really answered 5xx in prod": times["first_bad_response_at"] is not None,
        "the breach was seen": times["breach_seen_at"] is not None,
        "CodeDeploy was told to stop or to redeploy": times["stop_requested_at"] is not None,
        "the rollback ended well": times["restored_at"] is not None,
        "release 2 is in quarantine": quarantined,
        "the way into prod is held": prod["transition"]["enabled"] is False,
        "SNS told it": told["sns"] > 0,
        "Slack told it": told["slack"] > 0,
    }
    broken = [claim for claim, holds in claims.items() if not holds]
    if broken:
        raise DemoError("this does not hold: " + "; ".join(broken))
    return {
        "release_1": {"digest": first, "prod": "last known good"},
        "release_2": {"digest": second, "rolled_back": True, "quarantined": True, **times},
        "serving": serving,
        "notifications": told,
    }


def _serving(sandbox: str) -> dict[str, str]:
    """The digest that every instance of an environment really serves; DemoError where they differ."""
    found: dict[str, str] = {}
    for environment, instances in answer(f"{sandbox}/_sandbox/serving").items():
        digests = {instance["digest"] for instance in instances}
        found[environment] = digests.pop() if len(digests) == 1 else f"mixed: {sorted(digests)}"
    return found


def _told(sandbox: str) -> dict[str, int]:
    """Messages that arrived: at the queue that is subscribed to the topic, and in the fake Slack."""
    slack = answer(f"{sandbox}/_sandbox/slack")["messages"]
    return {"sns": answer(f"{sandbox}/_sandbox/topic")["messages"], "slack": len(slack)}


def _times(sandbox: str, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    bad = _first_bad(sandbox)
    breach = [
        e["at"] for e in events if e["kind"] == "rule.judged" and e["data"]["verdict"] == "FAIL"
    ]
    calls = answer(f"{sandbox}/_sandbox/calls?service=codedeploy")["calls"]
    remedies = [
        call["time"]
        for call in calls
        if call["operation"] in ("StopDeployment", "CreateDeployment")
        and not call["error"]
        and "TowpathRollback" in call["caller"]
    ]
    done = [e["at"] for e in events if e["kind"] == "rollback.done"]
    return {
        "first_bad_response_at": bad,
        "breach_seen_at": breach[0] if breach else None,
        "stop_requested_at": min(remedies, default=None),
        "restored_at": done[0] if done else None,
    }


def _first_bad(sandbox: str) -> str | None:
    """When a user of prod first got a bad answer from release 2."""
    releases = answer(f"{sandbox}/_sandbox/traffic")["environments"].get("prod", {})
    found: str | None = releases.get("2", {}).get("first_bad_response_at")
    return found
