"""What the command line shows of an execution."""

from typing import Any

import pytest
from rich.console import Console

from controlplane.cli.drawing import tree
from controlplane.cli.following import code_of
from controlplane.cli.output import table_of
from controlplane.client.api import Exit
from controlplane.client.words import line

RULE = {"name": "Alarm", "verdict": "PASS", "reason": "alarm errors is OK"}


BAKE = {"until": "2026-11-23T12:04:00Z", "extended": False, "askedAt": None}
SLOW = {"name": "Latency", "verdict": "INCONCLUSIVE", "reason": "Latency has 6 of the 10 points"}


def execution(status: str = "InProgress", category: str = "Test", kind: str = "STANDARD") -> Any:
    action = {"name": "Ask", "category": category, "status": "InProgress", "summary": "waits"}
    told: dict[str, Any] = {
        "executionId": "e-1",
        "held": "",
        "bake": BAKE,
        "watch": None,
        "waves": [],
    }
    stage = {"stage": "Prod", "status": "Baking", "actions": [action], "rules": [RULE], **told}
    common = {"pipeline": "shop", "id": "e-1", "digest": "sha256:1", "reason": "", "next": ""}
    common |= {"rollsBack": "e-0", "rollbackState": "failed"}
    return {**common, "status": status, "type": kind, "stages": [stage]}


def shown(renderable: Any, width: int = 120) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_rule_is_shown_with_its_verdict_and_why() -> None:
    assert "PASS  alarm errors is OK" in shown(tree(execution()))


def test_a_rollback_is_shown_with_its_state_and_what_to_do_next() -> None:
    told = shown(tree({**execution("Failed", kind="ROLLBACK"), "next": "see to Prod"}))
    assert "rollback  failed of e-0" in told
    assert "next  see to Prod" in told
    assert "rollback  " not in shown(tree(execution()))


def test_the_exit_code_says_what_a_script_must_know() -> None:
    assert code_of(execution()) is Exit.WELL
    assert code_of(execution(category="Approval")) is Exit.WAITING
    assert code_of(execution("Failed")) is Exit.FAILED
    assert code_of(execution("Succeeded", kind="ROLLBACK")) is Exit.FAILED


def test_a_bake_says_until_when_it_lasts_and_why_for_longer() -> None:
    found = execution()
    assert "bakes until 12:04 UTC" in shown(tree(found))
    found["stages"][0] |= {"bake": {**BAKE, "extended": True}, "rules": [RULE, SLOW]}
    assert "12:04 UTC, extended; Latency has 6 of the 10 points" in shown(tree(found))


def test_a_bake_that_asks_says_how_it_is_answered() -> None:
    found = execution()
    found["stages"][0]["bake"] = {**BAKE, "askedAt": "2026-11-23T12:04:00Z"}
    assert "asks: towpath judge e-1 Prod pass|rollback" in shown(tree(found))
    assert code_of(found) is Exit.WAITING


@pytest.mark.parametrize(
    ("state", "said"),
    [("automatic", "16:00 UTC, a breach rolls back"), ("advice", "a breach is told")],
)
def test_a_watched_stage_says_until_when(state: str, said: str) -> None:
    found = execution()
    watch = {"state": state, "until": "2026-11-23T16:00:00Z"}
    found["stages"][0] |= {"status": "Succeeded", "watch": watch}
    assert said in shown(tree(found))


def test_a_narrow_terminal_folds_and_cuts_nothing() -> None:
    digest = "sha256:" + "a" * 64
    assert "".join(shown(table_of(["digest"], [[digest]]), 40).split()) == f"digest{digest}"


def test_an_event_is_one_line_whatever_its_text() -> None:
    event = {"at": "2026-11-23T22:00:00.123Z", "kind": "stage.failed", "stage": "Prod"}
    text = line({**event, "action": "", "text": "first\nsecond"})
    assert text.startswith("22:00:00.123  stage.failed")
    assert text.endswith("first second")
