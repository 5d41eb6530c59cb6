"""Cause, policy and history in; a decision out."""

from dataclasses import replace

import pytest

from monitors.base import Verdict
from rollback.consequences import CONSEQUENCES, Consequence
from rollback.decide import decide
from rollback.models import (
    Act,
    Cause,
    CauseKind,
    Good,
    Placement,
    Policy,
)
from rollback.plan import StepKind, plan

BAD_SIGNAL = Cause(CauseKind.BAD_SIGNAL, "Alarm", "errors 0.31 > 0.05")
ALWAYS = Policy(frozenset(CauseKind))


GOOD = Good("sha256:a", "s3://b/k")


def placed(target: str, good: Good | None = GOOD, *, ended: bool = True) -> Placement:
    where = ("CodeDeploy", target, "eu-west-1", "tp-1", "d-1")
    return Placement("Deploy", *where, good=good, ended=ended)


def test_a_declared_cause_rolls_back() -> None:
    decision = decide(ALWAYS, BAD_SIGNAL, [placed("prod")], rolling_back=False)
    assert (decision.act, decision.reason) == (Act.ROLL_BACK, "errors 0.31 > 0.05")


def test_a_cause_that_is_not_declared_does_nothing() -> None:
    decision = decide(Policy(), BAD_SIGNAL, [placed("prod")], rolling_back=False)
    assert decision.act is Act.NOTHING


def test_nothing_deployed_nothing_to_roll_back() -> None:
    assert decide(ALWAYS, BAD_SIGNAL, [], rolling_back=False).act is Act.NOTHING


def test_where_no_target_has_a_last_known_good_a_person_is_paged() -> None:
    decision = decide(ALWAYS, BAD_SIGNAL, [placed("b", None)], rolling_back=False)
    assert decision.act is Act.HOLD_AND_PAGE
    assert "no last known good to go back to on b" in decision.reason


def test_a_target_without_a_last_known_good_keeps_no_other_from_going_back() -> None:
    decision = decide(ALWAYS, BAD_SIGNAL, [placed("a"), placed("b", None)], rolling_back=False)
    assert decision.act is Act.ROLL_BACK_AND_PAGE
    assert decision.reason.endswith("no last known good to go back to on b")


def test_what_is_in_flight_is_stopped_though_there_is_no_way_back() -> None:
    flying = placed("b", None, ended=False)
    assert decide(ALWAYS, BAD_SIGNAL, [flying], rolling_back=False).act is Act.ROLL_BACK_AND_PAGE
    assert [step.kind for step in plan([flying])] == [StepKind.STOP]


def test_waves_go_back_in_reverse_and_the_targets_of_one_side_by_side() -> None:
    waves = {"box": "1", "a": "2", "b": "2", "c": "3"}
    steps = plan([replace(placed(name), wave=wave) for name, wave in waves.items()])
    orders: dict[int, set[str]] = {}
    for step in steps:
        if step.kind is StepKind.RESTORE and step.placement:
            orders.setdefault(step.run_order, set()).add(step.placement.target)
    assert [orders[order] for order in sorted(orders)] == [{"c"}, {"a", "b"}, {"box"}]
    assert max(orders) < steps[-1].run_order and steps[-1].kind is StepKind.VERIFY


def test_what_has_no_way_back_is_stopped_and_the_stage_is_not_called_well() -> None:
    steps = plan([placed("a"), placed("b", None)])
    told = [(step.kind, step.placement.target) for step in steps if step.placement]
    assert told == [(StepKind.STOP, "b"), (StepKind.STOP, "a"), (StepKind.RESTORE, "a")]
    assert StepKind.VERIFY not in {step.kind for step in steps}


def test_a_rollback_is_never_rolled_back() -> None:
    decision = decide(ALWAYS, BAD_SIGNAL, [placed("prod")], rolling_back=True)
    assert decision.act is Act.HOLD_AND_PAGE


def test_everything_is_stopped_first_then_restored_in_reverse_then_verified() -> None:
    steps = plan([placed("first"), placed("second")])
    told = [(s.kind, s.run_order, s.placement.target if s.placement else "") for s in steps]
    assert told == [
        (StepKind.STOP, 1, "second"),
        (StepKind.STOP, 1, "first"),
        (StepKind.RESTORE, 2, "second"),
        (StepKind.RESTORE, 3, "first"),
        (StepKind.VERIFY, 4, ""),
    ]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_pass_goes_on_and_only_a_fail_rolls_back(verdict: Verdict) -> None:
    assert (CONSEQUENCES[verdict] is Consequence.GO_ON) == (verdict is Verdict.PASS)
    assert (CONSEQUENCES[verdict] is Consequence.ROLL_BACK) == (verdict is Verdict.FAIL)


BY_A_PERSON = Cause(CauseKind.REQUESTED, "anne", "customers call")


@pytest.mark.parametrize("kind", [CauseKind.FAILED_DEPLOY, CauseKind.FAILED_CHECK])
def test_a_one_way_door_holds_and_pages_whatever_is_declared(kind: CauseKind) -> None:
    for on in (frozenset[CauseKind](), frozenset(CauseKind)):
        policy = Policy(on, one_way=True)
        decision = decide(policy, Cause(kind, "a", "bad"), [placed("prod")], rolling_back=False)
        assert decision.act is Act.HOLD_AND_PAGE
        assert decision.reason.startswith("bad; this is a one-way door")


def test_a_person_goes_back_through_a_one_way_door() -> None:
    policy = Policy(frozenset(CauseKind), one_way=True)
    assert decide(policy, BY_A_PERSON, [placed("b")], rolling_back=False).act is Act.ROLL_BACK


@pytest.mark.parametrize(("earlier", "tripped"), [(0, False), (1, False), (2, True), (7, True)])
def test_the_third_rollback_in_the_window_trips_the_breaker(earlier: int, tripped: bool) -> None:
    decision = decide(ALWAYS, BAD_SIGNAL, [placed("a")], rolling_back=False, earlier=earlier)
    assert decision.tripped is tripped
    assert decision.act is (Act.ROLL_BACK_AND_PAGE if tripped else Act.ROLL_BACK)


def test_a_signal_is_about_what_stands_there_now() -> None:
    gone = replace(placed("a"), overtaken="e-2")
    decision = decide(ALWAYS, BAD_SIGNAL, [gone], rolling_back=False)
    assert (decision.act, decision.reason) == (
        Act.NOTHING,
        "errors 0.31 > 0.05; but what stands there now is of e-2",
    )
    failed = Cause(CauseKind.FAILED_DEPLOY, "Deploy", "exit 1")
    assert decide(ALWAYS, failed, [gone], rolling_back=False).act is Act.ROLL_BACK


def test_what_was_overtaken_is_stopped_and_not_restored() -> None:
    steps = plan([placed("a"), replace(placed("b"), overtaken="e-2")])
    told = [(step.kind, step.placement.target) for step in steps if step.placement]
    assert told == [(StepKind.STOP, "b"), (StepKind.STOP, "a"), (StepKind.RESTORE, "a")]
    assert steps[-1].kind is StepKind.VERIFY
