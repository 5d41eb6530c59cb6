"""`towpath demo --exit --json`, as a newcomer runs it, and every other scenario."""

import json
import subprocess
import sys
from typing import Any

import pytest

from controlplane.demo.scenarios import DEFAULT, SCENARIOS

ALWAYS = frozenset({"waves"})
"""Played whenever the tests are run; the others take as long and are for `make scenarios`."""
COMMAND = [sys.executable, "-m", "controlplane.cli", "demo", "--exit", "--json"]


def played(*arguments: str) -> Any:
    """The document that a scenario prints; each of its claims was checked where it exits 0."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_release_2_comes_back_by_itself_and_prod_serves_release_1() -> None:
    report = played()
    first, second = report["release_1"]["digest"], report["release_2"]
    assert report["serving"] == {"dev": second["digest"], "test": second["digest"], "prod": first}
    assert second["rolled_back"] is True
    assert second["quarantined"] is True
    order = ["first_bad_response_at", "breach_seen_at", "stop_requested_at", "restored_at"]
    times = [second[name][:23] for name in order]
    assert times == sorted(times)
    assert min(report["notifications"].values()) > 0


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=() if name in ALWAYS else pytest.mark.scenario)
        for name in sorted(set(SCENARIOS) - {DEFAULT})
    ],
)
def test_a_scenario_ends_as_it_should(scenario: str) -> None:
    assert played("--scenario", scenario)["scenario"] == scenario


def test_a_scenario_that_there_is_not_is_refused_with_the_names_of_those_there_are() -> None:
    done = subprocess.run(
        [*COMMAND, "--scenario", "goodness"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "bad-release" in done.stderr
