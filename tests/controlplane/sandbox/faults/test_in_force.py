"""The rules without a vendor: who is hit is a matter of the rule, the seed and the sequence alone."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.clock import ManualClock
from controlplane.sandbox.faults.in_force import RulesInForce
from controlplane.sandbox.faults.kinds import CALL, KINDS
from controlplane.sandbox.faults.rules import Place, read

HERE = Place("codedeploy", "CreateDeployment", "444444444444", "eu-west-1")
NEEDED: dict[str, dict[str, Any]] = {
    "alarm_flaps": {"alarm": "errors"},
    "clock_jumps": {"seconds": 3},
}


def hit(rules: RulesInForce, place: Place = HERE) -> str:
    found = rules.take(CALL, place)
    return found.rule.fault if found else ""


@pytest.mark.parametrize("field", ["service", "operation", "account", "region"])
def test_a_rule_is_about_one_place_or_about_any(field: str) -> None:
    rules = RulesInForce(ManualClock())
    rules.add([read({"fault": "throttle", field: getattr(HERE, field)})])
    assert hit(rules) == "throttle"
    assert hit(rules, replace(HERE, **{field: "other"})) == ""


def test_the_first_rule_that_hits_is_the_one() -> None:
    rules = RulesInForce(ManualClock())
    rules.add([read({"fault": "throttle", "times": 1}), read({"fault": "truncated"})])
    assert [hit(rules), hit(rules)] == ["throttle", "truncated"]


@given(st.integers(), st.floats(0, 1), st.integers(0, 20), st.integers(1, 20))
def test_the_same_seed_hits_the_same_calls(
    seed: int, probability: float, after: int, times: int
) -> None:
    rule = read({"fault": "throttle", "probability": probability, "after": after, "times": times})
    seen = []
    for _ in range(2):
        rules = RulesInForce(ManualClock())
        rules.add([rule], seed)
        seen.append([hit(rules) for _ in range(40)])
    assert seen[0] == seen[1]
    assert seen[0][:after] == [""] * after
    assert seen[0].count("throttle") <= times


@pytest.mark.parametrize("fault", list(KINDS))
def test_every_fault_can_be_ordered_and_told_again(fault: str) -> None:
    rule = read({"fault": fault, **NEEDED.get(fault, {})})
    assert read(rule.document()) == rule
    assert KINDS[fault].says


def test_jumps_of_the_clock_add_up_while_their_windows_are_open() -> None:
    clock = ManualClock()
    rules = RulesInForce(clock)
    rules.add(
        [
            read({"fault": "clock_jumps", "seconds": 100}),
            read({"fault": "clock_jumps", "seconds": -30, "begins": 5, "ends": 9}),
        ]
    )
    offsets = [rules.clock_offset()]
    for _ in range(2):
        clock.advance(5)
        offsets.append(rules.clock_offset())
    assert offsets == [100, 70, 100]


def test_the_words_need_no_moto() -> None:
    code = "import sys, controlplane.sandbox.faults.in_force; sys.exit('moto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
