"""one-box: a release that is bad under real traffic only is caught on one box; no other target gets it."""

from typing import Any

from controlplane.demo import evidence
from controlplane.demo.rollout import rollout
from controlplane.demo.scenario import Report, Scenario, hold
from controlplane.demo.stage import Setting, Stage

BOX, OTHERS = "prod-onebox", ("prod-1", "prod-2")


def play(stage: Stage) -> Report:
    """Release 1 to all of prod; release 2 passes dev, fails on the one box, and comes back."""
    first = stage.release(1)["digest"]
    stage.follow(lambda e: e["kind"] == "execution.succeeded")
    second = stage.release(2)["digest"]
    stage.follow(lambda e: e["kind"] in evidence.ROLLED_BACK, may_fail=True)
    document = _checked(stage, first, second)
    return Report(document, _facts(document))


def _checked(stage: Stage, first: str, second: str) -> dict[str, Any]:
    serving = evidence.serving(stage)
    got = {name: evidence.requests(stage, name, 2) for name in (BOX, *OTHERS)}
    deployed = [one["group"] for one in evidence.deployments(stage, "prod")]
    hold(
        {
            f"dev served release 2 and was well, not {serving['dev']}": serving["dev"] == second
            and evidence.first_bad(stage, "dev", 2) is None,
            "release 2 really answered 5xx on the one box": bool(evidence.first_bad(stage, BOX, 2)),
            f"the one box serves release 1 again, not {serving[BOX]}": serving[BOX] == first,
            f"no user of another target ever met release 2: {got}": not any(
                got[name] for name in OTHERS
            ),
            "the other targets serve release 1": {serving[name] for name in OTHERS} == {first},
            f"nothing but release 1 was ever deployed to them: {deployed}": all(
                deployed.count(f"shop-{name}") == 1 for name in OTHERS
            ),
            "release 2 is in quarantine": evidence.is_quarantined(stage, second),
        }
    )
    return {
        "release_1": {"digest": first},
        "release_2": {
            "digest": second,
            "first_bad_response_at": evidence.first_bad(stage, BOX, 2),
            "requests": got,
        },
        "serving": serving,
    }


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    second = document["release_2"]
    return [
        ("release 2", "passed dev, failed on the one box of prod, and was rolled back there"),
        ("first bad response", second["first_bad_response_at"]),
        *((f"{name} met", f"{n} requests to release 2") for name, n in second["requests"].items()),
    ]


ONE_BOX = Scenario(
    about="a release that is bad under real traffic only is caught on the one box",
    play=play,
    setting=Setting(pipeline=lambda _world: rollout(*OTHERS, dev=True), layout="one-box"),
)
