"""Old executions beside what Towpath would have done: pure, point by point."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.model import ExecutionMode, PipelineDeclaration
from controlplane.migration.compare import Finding, Held, Known, Verdict, compare
from controlplane.migration.then import Entered, Then, is_over, then
from tests.support.house import GOOD, action, deploying, gated, pipeline, rule, source

NOON = 1_790_000_000.0 - 1_790_000_000.0 % 86400 + 12 * 3600
OLD = Then(
    "e1",
    "Succeeded",
    "STANDARD",
    "PollForSourceChanges",
    NOON,
    {"Upload": "v1"},
    (
        Entered("Source", NOON, NOON + 5, "Succeeded"),
        Entered("Prod", NOON + 10, NOON + 60, "Succeeded"),
    ),
)
PLAIN = pipeline(source(), deploying("Prod", watched=False))


def known(ours: PipelineDeclaration = PLAIN, **more: Any) -> Known:
    usual: dict[str, Any] = {
        "seen": True,
        "polled": frozenset({"Upload"}),
        "digest": GOOD,
        "quarantined": {},
        "held": {},
        "frozen": {},
    }
    return Known(ours, more.pop("imported", PLAIN), **{**usual, **more})


def points(then_: Then, known_: Known) -> list[tuple[str, str, Verdict]]:
    return [(one.stage, one.point, one.verdict) for one in compare(then_, known_)]


D, S, U = Verdict.DIFFERS, Verdict.SAME, Verdict.UNDECIDABLE


def test_where_nothing_differs_both_do_the_same() -> None:
    assert points(OLD, known()) == [("", "start", S), ("Prod", "entry", S)]


@pytest.mark.parametrize(
    ("trigger", "polled", "verdict"),
    [
        ("PollForSourceChanges", {"Upload"}, D),
        ("PollForSourceChanges", set(), U),
        ("StartPipelineExecution", {"Upload"}, U),
    ],
)
def test_a_start_that_was_not_seen(trigger: str, polled: set[str], verdict: Verdict) -> None:
    old = replace(OLD, trigger=trigger)
    assert points(old, known(seen=False, polled=frozenset(polled)))[0] == ("", "start", verdict)


@pytest.mark.parametrize(
    ("more", "point", "verdict"),
    [
        ({"held": {"Prod": Held("a fair")}}, "transition", D),
        ({"held": {"Prod": Held("?", certain=False)}}, "transition", U),
        ({"frozen": {"Prod": "frozen by bo: a fair"}}, "freeze", D),
        ({"quarantined": {"Prod": frozenset({GOOD})}}, "quarantine", D),
        ({"quarantined": {"Prod": frozenset({GOOD})}, "digest": ""}, "quarantine", U),
    ],
)
def test_what_would_have_kept_it_out(more: Any, point: str, verdict: Verdict) -> None:
    found = points(OLD, known(**more))
    assert found[1] == ("Prod", point, verdict)
    assert (("Prod", "afterwards", U) in found) == (verdict is D)


def test_another_digest_in_quarantine_is_none_of_its_business() -> None:
    found = points(OLD, known(quarantined={"Prod": frozenset({"sha256:x"})}))
    assert found[1] == ("Prod", "entry", S)


@pytest.mark.parametrize(
    ("cron", "verdict"), [("* * 8-16 ? * *", S), ("* * 20-22 ? * *", D)], ids=["open", "closed"]
)
def test_a_window_says_whether_it_was_open_then(cron: str, verdict: Verdict) -> None:
    hours = rule("Hours", "DeploymentWindow", configuration={"Cron": cron})
    ours = pipeline(source(), gated(deploying("Prod", watched=False), hours))
    (found,) = [one for one in compare(OLD, known(ours)) if one.point == "gate"]
    assert found.verdict is verdict
    assert verdict is S or "T20:00:00Z" in found.towpath


def test_a_gate_that_asks_somebody_is_undecidable_and_so_is_the_judge() -> None:
    alarm = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
    found = points(OLD, known(pipeline(source(), gated(deploying("Prod"), alarm))))
    assert [one[1:] for one in found[1:]] == [("gate", U), ("judge", U)]


def test_an_approval_that_only_ours_has_is_a_difference() -> None:
    stage = deploying("Prod", watched=False)
    stage["actions"].insert(0, action("Ask", "Manual"))
    ours = pipeline(source(), stage)
    assert ("Prod", "approval", D) in points(OLD, known(ours))
    assert ("Prod", "approval", D) not in points(OLD, known(ours, imported=ours))


def test_a_failed_stage_is_compared_by_what_follows() -> None:
    bad = replace(OLD, stages=(OLD.stages[0], replace(OLD.stages[1], result="Failed")))
    stage = {k: v for k, v in deploying("Prod", watched=False).items() if k != "onFailure"}
    assert ("Prod", "failure", S) in points(bad, known())
    differs = points(bad, known(imported=pipeline(source(), stage)))
    assert ("Prod", "failure", D) in differs


def test_another_mode_and_another_stage_are_said() -> None:
    queued = PLAIN.model_copy(update={"execution_mode": ExecutionMode.QUEUED})
    assert ("", "order", U) in points(OLD, known(queued))
    gone = pipeline(source(), deploying("Live", watched=False))
    assert ("Prod", "structure", D) in points(OLD, known(gone))


def test_a_rollback_over_there_is_not_guessed_at() -> None:
    assert points(replace(OLD, kind="ROLLBACK"), known()) == [("", "rollback", U)]


@given(
    st.lists(st.sampled_from(["Prod", "Live", "Gate"]), max_size=5),
    st.sampled_from(["Succeeded", "Failed", "InProgress", "Abandoned"]),
    st.dictionaries(st.sampled_from(["Prod", "Live"]), st.builds(Held, st.text(max_size=5))),
    st.booleans(),
)
def test_every_stage_is_answered_up_to_the_first_that_would_have_held(
    stages: list[str], result: str, held: dict[str, Held], seen: bool
) -> None:
    entered = tuple(Entered(name, NOON, NOON, result) for name in ("Source", *stages))
    found: list[Finding] = compare(replace(OLD, stages=entered), known(seen=seen, held=held))
    stops = [one for one in found if one.point == "afterwards"]
    answered = {one.stage for one in found if one.stage}
    assert len(stops) <= 1
    assert stops or answered == set(stages)
    assert all(one.old and one.towpath for one in found)


def test_a_retry_counts_in_the_place_of_what_it_repeats() -> None:
    from datetime import UTC, datetime

    def did(status: str, at: int) -> dict[str, Any]:
        times = {"startTime": datetime.fromtimestamp(at, UTC)}
        return {"stageName": "Prod", "actionName": "Ship", "status": status, **times}

    summary = {
        "pipelineExecutionId": "e",
        "status": "Succeeded",
        "startTime": datetime.fromtimestamp(5, UTC),
    }
    found = then(summary, [did("Succeeded", 20), did("Failed", 10)])
    assert found.stages == (Entered("Prod", 10, 20, "Succeeded"),)
    assert is_over(summary) and not is_over({"status": "InProgress"})
