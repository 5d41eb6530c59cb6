"""What the command line shows of an execution."""

from typing import Any

from rich.console import Console

from controlplane.cli.looking import code_of, tree
from controlplane.cli.output import table_of
from controlplane.client.api import Exit
from controlplane.client.words import line

RULE = {"name": "Alarm", "verdict": "PASS", "reason": "alarm errors is OK"}


def execution(status: str = "InProgress", category: str = "Test", kind: str = "STANDARD") -> Any:
    action = {"name": "Ask", "category": category, "status": "InProgress", "summary": "waits"}
    stage = {"stage": "Prod", "status": "Baking", "actions": [action], "rules": [RULE]}
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


def test_a_narrow_terminal_folds_and_cuts_nothing() -> None:
    digest = "sha256:" + "a" * 64
    assert "".join(shown(table_of(["digest"], [[digest]]), 40).split()) == f"digest{digest}"


def test_an_event_is_one_line_whatever_its_text() -> None:
    event = {"at": "2026-11-23T22:00:00.123Z", "kind": "stage.failed", "stage": "Prod"}
    text = line({**event, "action": "", "text": "first\nsecond"})
    assert text.startswith("22:00:00.123  stage.failed")
    assert text.endswith("first second")
