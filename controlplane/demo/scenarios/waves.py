"""waves: a release that goes bad in wave 2 comes back from wave 2, then wave 1; wave 3 never begins."""

from typing import Any

from controlplane.demo import evidence
from controlplane.demo.rollout import rollout
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Setting, Stage

WAVES = (("prod-onebox",), ("prod-1", "prod-2"), ("prod-3",))
BUSY = "prod-2"
"""Its users are more than release 2 bears."""
RELEASED_AND_BACK = 3
"""Deployments to a target: release 1, release 2, and release 1 again."""
TARGETS = tuple(name for wave in WAVES for name in wave)


def play(stage: Stage) -> Report:
    """Release 1 through all waves; release 2 as far as the second."""
    first = stage.release(1)["digest"]
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    second = stage.release(2)["digest"]
    stage.follow(lambda e: e["kind"] in evidence.ROLLED_BACK, may_fail=True)
    document = _checked(stage, first, second)
    return Report(document, _facts(document))


def _checked(stage: Stage, first: str, second: str) -> dict[str, Any]:
    serving = evidence.serving(stage)
    got = {name: evidence.requests(stage, name, 2) for name in TARGETS}
    last = _last(stage)
    reached = (*WAVES[0], *WAVES[1])
    hold(
        {
            f"all of prod serves release 1: {serving}": set(serving.values()) == {first},
            f"users of waves 1 and 2 met release 2: {got}": all(got[name] for name in reached),
            "release 2 really answered 5xx in wave 2": bool(evidence.first_bad(stage, BUSY, 2)),
            "and was well in wave 1": evidence.first_bad(stage, WAVES[0][0], 2) is None,
            "no user of wave 3 ever met it": got[WAVES[2][0]] == 0,
            f"wave 3 got release 1 and nothing since: {last}": last[WAVES[2][0]]["number"] == 1,
            f"every target reached was deployed to, and back: {last}": all(
                last[name]["number"] == RELEASED_AND_BACK for name in reached
            ),
            f"wave 2 was back before wave 1 went back: {last}": max(
                last[name]["completed"] for name in WAVES[1]
            )
            <= last[WAVES[0][0]]["created"],
            "release 2 is in quarantine": evidence.is_quarantined(stage, second),
        }
    )
    return {
        "release_1": {"digest": first},
        "release_2": {
            "digest": second,
            "first_bad_response_at": evidence.first_bad(stage, BUSY, 2),
            "requests": got,
        },
        "serving": serving,
        "went_back_at": {name: last[name]["created"] for name in reached},
    }


def _last(stage: Stage) -> dict[str, dict[str, Any]]:
    """The last deployment of every target, and the how-manieth it was."""
    found: dict[str, dict[str, Any]] = {}
    for one in evidence.deployments(stage, "prod"):
        name = one["group"].removeprefix("shop-")
        found[name] = {**one, "number": found.get(name, {"number": 0})["number"] + 1}
    return found


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    second, back = document["release_2"], document["went_back_at"]
    return [
        ("release 2", "was well in wave 1 and bad in wave 2; wave 3 never got it"),
        ("first bad response", second["first_bad_response_at"]),
        *((f"{name} back", at) for name, at in sorted(back.items(), key=lambda one: one[1])),
    ]


ROLLED_OUT = Scenario(
    about="a release that goes bad in wave 2 is rolled back wave by wave; wave 3 never gets it",
    play=play,
    setting=Setting(pipeline=lambda _world: rollout(*WAVES[1], *WAVES[2]), layout="waves"),
)
