"""How waves are told: the plan before it starts, and each wave with its targets as it goes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from controlplane.api.wave_documents import wave_documents
from controlplane.declarations.load import load_text
from controlplane.declarations.wave_words import plan_lines, wave_line
from tests.controlplane.declarations.test_waves import waved

DECLARED = load_text(waved())
PROD = DECLARED.stage("Prod")
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def row(name: str, status: str = "Succeeded", **more: Any) -> Any:
    kind = "rule" if name.startswith("Errors") else "action"
    return SimpleNamespace(
        name=name, kind=kind, status=status, started_at=NOON.timestamp(), verdict="", **more
    )


def deployed(target: str) -> list[Any]:
    return [row(f"{name}-{target}") for name in ("Promote", "Deploy", "Canary")]


def told(*rows: Any) -> list[str]:
    stage = SimpleNamespace(status="InProgress", baking_since=None)
    return [wave_line(wave, NOON) for wave in wave_documents(PROD, rows, stage)]


def test_the_plan_is_told_before_it_starts() -> None:
    assert list(plan_lines(DECLARED))[2:] == [
        "Prod: 3 waves, 3 targets",
        "  wave 1: box; bakes 10 min under 1 signal, then a pause of 5 min",
        "  wave 2: eu; bakes 10 min under 1 signal, then a pause of 5 min",
        "  wave 3: prod-us-east-1; bakes 20 s under 1 signal",
    ]
    assert told() == [f"wave {n} of 3: 1 target, waiting" for n in (1, 2, 3)]


def test_a_wave_that_bakes_tells_how_long_it_still_does() -> None:
    lines = told(*deployed("box"), row("Wave-1-bake", "InProgress"))
    assert lines[0] == "wave 1 of 3: 1 target, baking, 10 min left"
    assert lines[1] == "wave 2 of 3: 1 target, waiting"


def test_a_wave_whose_time_is_over_is_held_until_the_next_begins() -> None:
    over = [*deployed("box"), row("Wave-1-bake")]
    assert told(*over)[0] == "wave 1 of 3: 1 target, held until every signal is good"
    lines = told(*over, row("Promote-eu", "InProgress"))
    assert lines[:2] == ["wave 1 of 3: 1 target, done", "wave 2 of 3: 1 target, deploying"]


def test_a_wave_with_a_failed_signal_is_bad_and_so_is_its_target() -> None:
    bad = row("Errors-box", "InProgress")
    bad.verdict = "FAIL"
    (first, *_) = wave_documents(PROD, [*deployed("box"), bad])
    assert (first["status"], first["targets"]) == ("bad", [{"name": "box", "status": "bad"}])


def test_a_stage_without_waves_has_none() -> None:
    assert wave_documents(DECLARED.stage("Source")) == []
