"""bad-release: a good release goes to prod, a bad one comes back by itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controlplane.client.words import short
from controlplane.demo import evidence
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Event, Stage

ROLLED_BACK = ("rollback.done", "rollback.failed")


def play(stage: Stage) -> Report:
    """Release 1, release 2, and the way back."""
    first = stage.release(1)
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    second = stage.release(2)
    stage.follow(lambda e: e["kind"] in ROLLED_BACK, may_fail=True)
    document = _checked(stage, first["digest"], second["digest"])
    return Report(document, _facts(document))


def _checked(stage: Stage, first: str, second: str) -> dict[str, Any]:
    serving = evidence.serving(stage)
    told = evidence.told(stage)
    times = _times(stage)
    prod = evidence.stage_state(stage, "Prod")
    hold(
        {
            f"prod serves release 1 on every instance, not {serving['prod']}": serving["prod"]
            == first,
            "dev and test served release 2 before": {serving["dev"], serving["test"]} == {second},
            "release 2 really answered 5xx in prod": times["first_bad_response_at"] is not None,
            "the breach was seen": times["breach_seen_at"] is not None,
            "CodeDeploy was told to stop or to redeploy": times["stop_requested_at"] is not None,
            "the rollback ended well": times["restored_at"] is not None,
            "release 2 is in quarantine": evidence.is_quarantined(stage, second),
            "the way into prod is held": prod["transition"]["enabled"] is False,
            "SNS told it": told["sns"] > 0,
            "Slack told it": told["slack"] > 0,
        }
    )
    return {
        "release_1": {"digest": first, "prod": "last known good"},
        "release_2": {"digest": second, "rolled_back": True, "quarantined": True, **times},
        "serving": serving,
        "notifications": told,
    }


def _times(stage: Stage) -> dict[str, Any]:
    remedies = [
        call["time"]
        for call in evidence.calls(stage, "codedeploy")
        if call["operation"] in ("StopDeployment", "CreateDeployment")
        and not call["error"]
        and "TowpathRollback" in call["caller"]
    ]
    return {
        "first_bad_response_at": evidence.first_bad(stage, "prod", 2),
        "breach_seen_at": _first(stage.events, "rule.judged", verdict="FAIL"),
        "stop_requested_at": min(remedies, default=None),
        "restored_at": _first(stage.events, "rollback.done"),
    }


def _first(events: list[Event], kind: str, **data: str) -> Any:
    """When the first event of a kind happened; None where none did."""
    found = (e for e in events if e["kind"] == kind and data.items() <= e["data"].items())
    return next((event["at"] for event in found), None)


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    serving, second, told = document["serving"], document["release_2"], document["notifications"]
    names = {document["release_1"]["digest"]: "release 1", second["digest"]: "release 2"}
    return [
        *((f"{name} serves", _named(serving[name], names)) for name in ("dev", "test", "prod")),
        ("release 2", "rolled back in prod, quarantined, the way into prod is held"),
        ("first bad response", second["first_bad_response_at"]),
        ("breach seen", second["breach_seen_at"]),
        ("stop requested", f"{second['stop_requested_at']}  ({_between(second)} s later)"),
        ("restored", second["restored_at"]),
        ("told", f"{told['sns']} messages by SNS, {told['slack']} in Slack"),
    ]


def _named(digest: str, names: Mapping[str, str]) -> str:
    return f"{names.get(digest, 'neither release')}  {short(digest)}"


def _between(second: Mapping[str, Any]) -> str:
    first = datetime.fromisoformat(second["first_bad_response_at"])
    stop = datetime.fromisoformat(second["stop_requested_at"])
    return f"{(stop - first).total_seconds():.1f}"


BAD_RELEASE = Scenario(
    about="a good release goes to prod, a bad one comes back by itself",
    play=play,
)
