from typing import Any

import pytest

from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.checks.synthetics import SyntheticsCanary, tally
from tests.support.clients import StubClients
from tests.support.scripted import DENIED, scripted
from tests.support.watched import at, recorded, task

NAME = "shop-prod"
RULE = {"CanaryName": NAME, "Runs": "2", "HarnessRetries": "1"}


def run(started: float, state: str = "PASSED", reason: str = "", **status: str) -> dict[str, Any]:
    told = {"State": state, "StateReasonCode": reason, "StateReason": f"why {reason}", **status}
    return {
        "Name": NAME,
        "Status": {key: value for key, value in told.items() if value.strip()},
        "Timeline": {"Started": at(started)},
    }


class World:
    """Canaries and their runs; it counts the calls."""

    def __init__(self, *runs: dict[str, Any], state: str = "RUNNING", page: int = 100) -> None:
        self.runs = sorted(runs, key=lambda one: one["Timeline"]["Started"], reverse=True)
        self.state, self.page, self.calls = state, page, dict.fromkeys(("last", "runs"), 0)
        client = scripted(
            "synthetics",
            describe_canaries=self.canaries,
            describe_canaries_last_run=self.last,
            get_canary_runs=self.get,
        )
        self.driver = SyntheticsCanary(StubClients(synthetics=client))

    def canaries(self, asked: dict[str, Any]) -> Any:
        assert len(asked["Names"]) <= 5
        known = [name for name in asked["Names"] if name.startswith("shop")]
        return {"Canaries": [{"Name": name, "Status": {"State": self.state}} for name in known]}

    def last(self, asked: dict[str, Any]) -> Any:
        self.calls["last"] += 1
        last = self.runs[:1]
        found = [{"CanaryName": name, "LastRun": one} for name in asked["Names"] for one in last]
        return {"CanariesLastRun": found}

    def get(self, asked: dict[str, Any]) -> Any:
        self.calls["runs"] += 1
        first = int(asked.get("NextToken", "0000"))
        more = first + self.page < len(self.runs)
        token = {"NextToken": f"{first + self.page:04}"} if more else {}
        return {"CanaryRuns": self.runs[first : first + self.page], **token}

    def look(self, *tasks: Task) -> Any:
        return self.driver.look(tasks or [task(RULE)])

    def one(self) -> Progress:
        found = self.look()["t1"]
        assert isinstance(found, Progress)
        return found


def test_enough_passed_runs_since_the_start_succeed() -> None:
    found = World(run(-50), run(-20)).one()
    assert found.outcome is Outcome.SUCCEEDED
    assert found.summary == "2 of 2 runs of shop-prod passed since the deployment"
    assert found.output["Passed"] == "2"
    assert "eu-west-1#synthetics:canary/detail/shop-prod" in found.url


def test_runs_that_started_before_do_not_count_however_they_ended() -> None:
    before = [run(-61), run(-90, "FAILED", "CANARY_FAILURE"), run(-60)]
    found = World(*before, run(-30)).one()
    assert found.outcome is Outcome.RUNNING
    assert found.summary.startswith("1 of 2")


def test_a_failure_of_the_site_fails_at_once() -> None:
    found = World(run(-50), run(-40), run(-30, "FAILED", "CANARY_FAILURE")).one()
    assert found.outcome is Outcome.FAILED
    assert "why CANARY_FAILURE" in found.summary


def test_a_failure_without_a_reason_is_the_sites() -> None:
    assert World(run(-50, "FAILED")).one().outcome is Outcome.FAILED


def test_the_harness_may_fail_so_often_and_no_more() -> None:
    broken = [run(-50, "FAILED", "EXECUTION_FAILURE"), run(-40, "FAILED", "EXECUTION_FAILURE")]
    assert World(broken[0]).one().outcome is Outcome.RUNNING
    found = World(*broken).one()
    assert found.outcome is Outcome.FAILED
    assert "says nothing of the site" in found.summary


def test_a_run_whose_result_nobody_knows_is_no_pass() -> None:
    assert tally([run(-50, TestResult="UNKNOWN")]).passed == ()
    assert tally([run(-50, "RUNNING")]) == tally([])


@pytest.mark.parametrize("state", ["STOPPED", "ERROR", "READY", "DELETING"])
def test_a_canary_that_does_not_run_is_a_permanent_error(state: str) -> None:
    found = World(run(-50), state=state).look()["t1"]
    assert isinstance(found, MonitorError)
    assert found.permanent
    assert f"is {state}" in str(found)


def test_a_canary_that_is_not_there_is_a_permanent_error() -> None:
    found = World().look(task({"CanaryName": "other"}))["t1"]
    assert isinstance(found, MonitorError)
    assert found.permanent
    assert "missing" in str(found)


def test_a_canary_that_ran_once_and_stopped_has_passed_all_the_same() -> None:
    assert World(run(-50), run(-40), state="STOPPED").one().outcome is Outcome.SUCCEEDED


def test_runs_are_read_only_where_there_is_news_and_once_for_a_canary() -> None:
    world = World(run(-90))
    world.look()
    assert world.calls == {"last": 1, "runs": 0}
    world = World(run(-30))
    world.look(task(RULE), task(RULE, "t2"))
    assert world.calls == {"last": 1, "runs": 1}


def test_pages_are_read_back_to_the_start_and_no_further() -> None:
    world = World(*(run(-second) for second in range(1, 300)), page=10)
    found = world.look(task({**RULE, "Runs": "59"}))["t1"]
    assert found.outcome is Outcome.SUCCEEDED
    assert world.calls["runs"] == 7


def test_a_canary_that_we_may_not_see_spoils_no_other() -> None:
    def last(asked: dict[str, Any]) -> Any:
        return DENIED if "hidden" in asked["Names"] else {"CanariesLastRun": []}

    world = World()
    shown = {"Name": NAME, "Status": {"State": "RUNNING"}}
    client = scripted(
        "synthetics",
        describe_canaries_last_run=last,
        describe_canaries=lambda _: {"Canaries": [shown]},
    )
    world.driver = SyntheticsCanary(StubClients(synthetics=client))
    found = world.look(task({"CanaryName": "hidden"}), task(RULE, "t2"))
    assert isinstance(found["t1"], MonitorError)
    assert found["t2"].outcome is Outcome.RUNNING


def test_six_canaries_are_two_calls() -> None:
    world = World(run(-90))
    tasks = [task({"CanaryName": f"shop-{place}"}, f"t{place}") for place in range(6)]
    assert len(world.look(*tasks)) == 6
    assert world.calls["last"] == 2


def test_a_recorded_canary_that_is_starting_is_waited_for() -> None:
    canary = recorded("codedeploy/recorded-synthetics/test_cw_synthetics_start__GetCanary_1.json")
    client = scripted(
        "synthetics",
        describe_canaries=lambda _: {"Canaries": [canary["Canary"]]},
        describe_canaries_last_run=lambda _: {"CanariesLastRun": []},
    )
    driver = SyntheticsCanary(StubClients(synthetics=client))
    found = driver.look([task({"CanaryName": canary["Canary"]["Name"]})])["t1"]
    assert isinstance(found, Progress)
    assert found.outcome is Outcome.RUNNING


@pytest.mark.parametrize("wrong", [{"CanaryName": ""}, {"CanaryName": "A b"}, {"Runs": "0"}])
def test_a_wrong_declaration_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(MonitorError) as raised:
        World().driver.start(task({**RULE, **wrong}))
    assert raised.value.permanent
