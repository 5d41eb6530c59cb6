"""/_sandbox/faults: what is ordered is read strictly, listed, and taken back."""

from typing import Any

import httpx
import pytest

from controlplane.sandbox.aws.fault_desk import RULES
from controlplane.sandbox.aws.server import Server
from controlplane.sandbox.faults.kinds import KINDS
from tests.controlplane.sandbox.conftest import FaultsOf

DEPLOY = {"service": "codedeploy", "operation": "CreateDeployment"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"fault": "throtle"}, "fault is 'throtle': give one of throttle, server_error"),
    ({"fault": "throttle", "opration": "x"}, "'opration' is no field of throttle: it has fault,"),
    ({"fault": "throttle", "seconds": 3}, "'seconds' is no field of throttle"),
    ({"fault": "throttle", "times": 0}, "times is 0: give a whole number from 1"),
    ({"fault": "throttle", "times": True}, "times is True"),
    ({"fault": "throttle", "probability": 2}, "probability is 2: give a number from 0 to 1"),
    ({"fault": "throttle", "account": "prod"}, "account is 'prod': give the twelve digits"),
    ({"fault": "throttle", "region": "Ireland"}, "region is 'Ireland': give a region"),
    ({"fault": "throttle", "service": "code-deploy"}, "service 'code-deploy' is unknown"),
    ({"fault": "throttle", "operation": "X"}, "operation is 'X': say of which service"),
    ({"fault": "late", **DEPLOY, "operation": "Go"}, "codedeploy has no operation 'Go'"),
    ({"fault": "throttle", "begins": 5, "ends": 5}, "ends is 5: give a time after begins (5)"),
    ({"fault": "server_error", "status": 400}, "status is 400: give 500 or 502 or 503 or 504"),
    ({"fault": "timeout_after", "seconds": 9999}, "seconds is 9999: give a number from 0 to 300"),
    ({"fault": "partial", "status": "Some"}, "status is 'Some': give PartialData or InternalError"),
    ({"fault": "alarm_flaps"}, "alarm is missing: alarm_flaps does nothing without it"),
    ({"fault": "event_reordered", "among": 2.5}, "among is 2.5: give a whole number"),
    ({"fault": "clock_jumps", "seconds": 1, "times": 2}, "times says nothing of a clock"),
]


def url(aws: Server) -> str:
    return f"{aws.url}/_sandbox/faults"


@pytest.mark.parametrize(("rule", "said"), WRONG, ids=lambda case: str(case)[:60])
def test_a_wrong_rule_is_refused_by_its_field_with_the_mend(
    aws: Server, faults: FaultsOf, rule: dict[str, Any], said: str
) -> None:
    faults({"fault": "none"})
    alone = httpx.post(url(aws), json=rule)
    assert alone.status_code == 400
    assert alone.json()["error"].startswith(said)
    among = httpx.put(url(aws), json={"rules": [{"fault": "late"}, rule]})
    assert among.json()["error"].startswith(f"rules[1]: {said}")
    assert [each["fault"] for each in RULES.document()["rules"]] == ["none"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"rule": []}, "'rule' is no field"),
        ({"rules": {}}, "rules is no list"),
        ({"rules": [], "seed": "x"}, "seed is no whole number"),
        ({"rules": ["throttle"]}, "rules[0]: a rule is 'throttle'"),
    ],
)
def test_a_wrong_order_is_refused(aws: Server, order: dict[str, Any], said: str) -> None:
    assert httpx.post(url(aws), json=order).json()["error"].startswith(said)


def test_what_is_in_force_is_listed_as_it_was_given(aws: Server, faults: FaultsOf) -> None:
    given = {"fault": "throttle", **DEPLOY, "times": 2, "retry_after": 3.0}
    (told,) = faults(given, seed=7)["rules"]
    assert told == {"id": told["id"], **given, "matched": 0, "hits": 0}
    answer = httpx.get(url(aws)).json()
    assert (answer["seed"], answer["rules"], set(answer["faults"])) == (7, [told], set(KINDS))


def test_post_adds_put_replaces_and_delete_takes_back_one_or_all(
    aws: Server, faults: FaultsOf
) -> None:
    faults({"fault": "none"})
    (first, _) = httpx.post(url(aws), json={"fault": "late"}).json()["rules"]
    assert httpx.delete(url(aws), params={"id": first["id"]}).json() == {"deleted": 1}
    assert [each["fault"] for each in RULES.document()["rules"]] == ["late"]
    faults({"fault": "partial"}, {"fault": "none"})
    assert httpx.delete(url(aws)).json() == {"deleted": 2}
    assert httpx.delete(url(aws), params={"id": "x"}).status_code == 400
    assert httpx.patch(url(aws)).status_code == 400


def test_a_server_that_stops_lets_go_who_hangs(faults: FaultsOf) -> None:
    from controlplane.sandbox.aws.server import serve

    faults({"fault": "timeout_after"})
    (held,) = RULES._rules
    serve().stop()
    assert held.gone.is_set()
