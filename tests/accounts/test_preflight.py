"""Every hop is walked, what is missing is named, and a dead role is asked once."""

from collections.abc import Mapping
from typing import Any

from accounts.base import AccountError
from accounts.models import Purpose
from accounts.preflight import Finding, Hop, Problem, walk
from tests.support.clients import StubClients, stubbed

ALARM = {"AlarmNames": ["shop-errors"]}


def hop(**changed: Any) -> Hop:
    usual: dict[str, Any] = {
        "account": "prod",
        "region": "eu-west-1",
        "purpose": Purpose.WATCH,
        "service": "cloudwatch",
        "operation": "describe_alarms",
        "parameters": ALARM,
        "statement": "ReadAlarmsAndMetrics",
        "why": "read alarm shop-errors",
    }
    return Hop(**(usual | changed))


def there(answer: Mapping[str, Any]) -> Problem | None:
    if answer["MetricAlarms"]:
        return None
    return "There is no alarm shop-errors.", "Create it, or correct AlarmName."


def walked(one: Hop, *, refuse: str = "", said: str = "") -> Finding:
    with stubbed("cloudwatch") as (client, stub):
        if refuse:
            stub.add_client_error("describe_alarms", refuse, said, 403)
        else:
            stub.add_response("describe_alarms", {"MetricAlarms": []}, ALARM)
        return walk(StubClients(cloudwatch=client), [one])[0]


def test_a_hop_that_works_is_ok() -> None:
    found = walked(hop())
    assert (found.ok, found.message) == (True, "read alarm shop-errors: ok")


def test_a_check_judges_the_answer() -> None:
    found = walked(hop(check=there))
    assert not found.ok
    assert (found.message, found.mend) == there({"MetricAlarms": []})


def test_a_refused_hop_names_statement_and_action() -> None:
    found = walked(hop(), refuse="AccessDenied")
    assert not found.ok
    assert found.mend == (
        "Add ReadAlarmsAndMetrics (cloudwatch:DescribeAlarms) of deploy/account-roles.cfn.yaml "
        "to the watch role."
    )


def test_without_a_statement_named_the_table_names_it() -> None:
    assert "Add ReadAlarmsAndMetrics (" in walked(hop(statement=""), refuse="AccessDenied").mend


def test_a_hiccup_is_no_missing_statement() -> None:
    found = walked(hop(), refuse="Throttling", said="Rate exceeded")
    assert (found.ok, found.mend) == (False, "Try again in a minute.")


def test_a_role_that_cannot_be_assumed_is_tried_once_and_blocks_the_rest() -> None:
    clients = StubClients(refuse=AccountError("May not assume it.", permanent=True))
    first, second, other = walk(clients, [hop(), hop(), hop(purpose=Purpose.DEPLOY)])
    assert (first.blocked, second.blocked, other.blocked) == (False, True, False)
    assert len(clients.asked) == 2
    assert "TowpathActsHere" in first.mend
    assert second.mend == "Mend the watch role of prod first."


def test_an_unknown_region_does_not_blame_the_role() -> None:
    found = walk(StubClients(), [hop(region="eu-west-9")])[0]
    assert "has no region 'eu-west-9'" in found.message
    assert "TowpathActsHere" not in found.mend


def test_an_unknown_account_is_a_finding() -> None:
    assert "There is no account 'prd'" in walk(StubClients(), [hop(account="prd")])[0].message


def test_a_hop_may_be_the_assuming_alone() -> None:
    with stubbed("sts") as (client, _):
        found = walk(StubClients(sts=client), [hop(service="sts", operation="", why="act")])[0]
    assert (found.ok, found.message) == (True, "act: assumed")


def test_a_call_that_changes_something_is_not_made() -> None:
    clients = StubClients()
    found = walk(clients, [hop(service="codedeploy", operation="stop_deployment")])[0]
    assert "is no reading call" in found.message
    assert clients.asked == []
