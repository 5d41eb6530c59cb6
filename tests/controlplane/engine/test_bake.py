"""Whether a bake may end: every verdict with its consequence, several signals, longer and earlier. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.engine.bake import why_not_judged
from controlplane.states import StageStatus as S
from monitors.base import Verdict
from tests.support.baking import LENGTH, Bake

V = Verdict
OVER = LENGTH + 1
TWO: dict[str, dict[str, str]] = {"Errors": {}, "Latency": {}}


def baked(verdict: Verdict, **said: str) -> Bake:
    bake = Bake({"Alarm": said})
    bake.look(OVER, {"Alarm": verdict})
    return bake


@pytest.mark.parametrize(
    ("verdict", "status", "told", "pages"),
    [
        (V.PASS, S.SUCCEEDED, [], 0),
        (V.FAIL, S.FAILED, [], 0),
        (V.INCONCLUSIVE, S.BAKING, ["stage.extended"], 0),
        (V.NO_DATA, S.BAKING, ["stage.held"], 0),
        (V.UNREACHABLE, S.BAKING, ["stage.held"], 1),
    ],
)
def test_the_safe_defaults(verdict: Verdict, status: S, told: list[str], pages: int) -> None:
    bake = baked(verdict)
    assert (bake.status, bake.told, bake.pages) == (status, told, pages)


@pytest.mark.parametrize(
    ("verdict", "said", "status", "told", "pages"),
    [
        (V.FAIL, {"WhenFail": "hold"}, S.BAKING, ["stage.held"], 0),
        (V.FAIL, {"WhenFail": "holdAndPage"}, S.BAKING, ["stage.held"], 1),
        (V.FAIL, {"WhenFail": "pass"}, S.SUCCEEDED, ["stage.noted", "stage.noted"], 0),
        (V.FAIL, {"WhenFail": "page"}, S.SUCCEEDED, ["stage.noted", "stage.noted"], 1),
        (V.FAIL, {"WhenFail": "extend"}, S.BAKING, ["stage.noted", "stage.extended"], 0),
        (V.INCONCLUSIVE, {"WhenInconclusive": "pass"}, S.SUCCEEDED, ["stage.noted"], 0),
        (V.INCONCLUSIVE, {"WhenInconclusive": "page"}, S.SUCCEEDED, ["stage.noted"], 1),
        (V.INCONCLUSIVE, {"WhenInconclusive": "hold"}, S.BAKING, ["stage.held"], 0),
        (V.NO_DATA, {"WhenNoData": "extend"}, S.BAKING, ["stage.extended"], 0),
        (V.UNREACHABLE, {"WhenUnreachable": "hold"}, S.BAKING, ["stage.held"], 0),
    ],
)
def test_what_is_declared_follows(
    verdict: Verdict, said: dict[str, str], status: S, told: list[str], pages: int
) -> None:
    bake = baked(verdict, **said)
    assert (bake.status, bake.told, bake.pages) == (status, told, pages)


@pytest.mark.parametrize("said", ["rollback", "pass", "nonsense", "#{variables.x}"])
def test_silence_follows_the_safe_default_whatever_is_stored(said: str) -> None:
    assert baked(V.NO_DATA, WhenNoData=said).told == ["stage.held"]
    assert baked(V.UNREACHABLE, WhenUnreachable=said).pages == 1


@pytest.mark.parametrize("said_before", [{}, {"Latency": V.PASS}])
def test_a_rule_that_falls_silent_holds_the_bake_and_a_person_may_judge(
    said_before: dict[str, Verdict],
) -> None:
    """Whether it never said anything, or said PASS before the end and nothing since."""
    bake = Bake(TWO)
    bake.look(LENGTH - 1, {"Errors": V.PASS, **said_before})
    bake.look(OVER, {"Errors": V.PASS})
    assert (bake.told, bool(why_not_judged(bake.view(), OVER))) == ([], True)
    for at in (LENGTH + 121, LENGTH + 122):
        bake.look(at, {"Errors": V.PASS})
    assert (bake.status, bake.told, bake.pages) == (S.BAKING, ["stage.held"], 0)
    assert why_not_judged(bake.view(), at) == ""
    assert bake.marks["held"] == "Latency: no verdict"
    assert bake.look(at + 1, {"Latency": V.PASS}) is S.SUCCEEDED


def test_a_fail_that_does_not_roll_back_is_told_at_once_and_once() -> None:
    bake = Bake({"Alarm": {"WhenFail": "page"}})
    for at in (5, 6, 7):
        bake.look(at, {"Alarm": V.FAIL})
    assert (bake.status, bake.told, bake.pages) == (S.BAKING, ["stage.noted"], 1)


def test_one_of_two_does_not_make_a_quorum_of_two() -> None:
    bake = Bake({name: {"Quorum": "2"} for name in TWO})
    assert bake.look(5, {"Errors": V.FAIL, "Latency": V.PASS}) is S.BAKING
    assert bake.look(6, {"Latency": V.FAIL}) is S.FAILED
    assert bake.moves.cause is not None and bake.moves.cause.by == "Errors"


def test_a_fail_below_the_quorum_is_not_passed_over_at_the_end() -> None:
    bake = Bake({name: {"Quorum": "2"} for name in TWO})
    assert bake.look(OVER, {"Errors": V.FAIL, "Latency": V.PASS}) is S.BAKING
    assert bake.told == ["stage.noted", "stage.extended"]


def test_a_critical_signal_alone_suffices() -> None:
    bake = Bake({"Errors": {"Quorum": "2", "Critical": "true"}, "Latency": {"Quorum": "2"}})
    assert bake.look(5, {"Errors": V.FAIL, "Latency": V.PASS}) is S.FAILED


def test_a_quorum_that_can_never_be_reached_is_that_of_all() -> None:
    bake = Bake({name: {"Quorum": "9"} for name in TWO})
    assert bake.look(5, {"Errors": V.FAIL, "Latency": V.FAIL}) is S.FAILED


def test_what_is_short_of_samples_bakes_on_and_ends_once_it_has_them() -> None:
    bake = baked(V.INCONCLUSIVE, ExtendUpTo="50s")
    assert bake.marks["extended_until"] == LENGTH + 50
    assert bake.look(LENGTH + 20, {"Alarm": V.PASS}) is S.SUCCEEDED


def test_a_bake_that_was_extended_for_long_enough_asks_a_person_once() -> None:
    bake = baked(V.INCONCLUSIVE, ExtendUpTo="50s")
    for at in (151, 152, 900):
        assert bake.look(at, {"Alarm": V.INCONCLUSIVE}) is S.BAKING
    assert bake.told == ["stage.extended", "judgement.needed"]
    assert bake.marks["held"] == "Alarm: INCONCLUSIVE"


def test_a_bake_that_asks_ends_by_a_fresh_pass_all_the_same() -> None:
    bake = baked(V.INCONCLUSIVE, ExtendUpTo="50s")
    bake.look(160, {"Alarm": V.INCONCLUSIVE})
    assert bake.look(170, {"Alarm": V.PASS}) is S.SUCCEEDED


def test_what_held_a_bake_holds_it_no_more_once_another_extends_it() -> None:
    bake = Bake(TWO)
    bake.look(OVER, {"Errors": V.NO_DATA, "Latency": V.INCONCLUSIVE})
    assert bake.marks["held"] == "Errors: NO_DATA"
    bake.look(OVER + 1, {"Errors": V.PASS})
    assert bake.marks["held"] == ""


def test_a_bake_is_extended_by_its_own_length_and_by_ten_minutes_at_least() -> None:
    assert baked(V.INCONCLUSIVE).marks["extended_until"] == LENGTH + 600
    long = Bake({"Alarm": {"BakeTime": "1h"}})
    long.look(3600, {"Alarm": V.INCONCLUSIVE})
    assert long.marks["extended_until"] == 7200


def test_a_person_may_say_what_no_signal_can() -> None:
    bake = baked(V.INCONCLUSIVE, ExtendUpTo="1s")
    bake.look(110, {"Alarm": V.INCONCLUSIVE})
    bake.marks["judged"] = "anne: I looked myself"
    assert bake.look(111, {"Alarm": V.INCONCLUSIVE}) is S.SUCCEEDED
    assert [move.new for move in bake.moves.actions] == ["Abandoned"], "no rule has passed"


def test_a_breach_is_stronger_than_a_persons_word() -> None:
    bake = baked(V.INCONCLUSIVE)
    bake.marks["judged"] = "anne: I looked myself"
    assert bake.look(OVER + 1, {"Alarm": V.FAIL}) is S.FAILED


EARLY = {"EndEarly": "true"}


@pytest.mark.parametrize(
    ("at", "power", "said", "status"),
    [
        (LENGTH / 4 + 1, 0.995, EARLY, S.SUCCEEDED),
        (LENGTH / 4 - 1, 0.999, EARLY, S.BAKING),
        (LENGTH / 2, 0.98, EARLY, S.BAKING),
        (LENGTH / 2, None, EARLY, S.BAKING),
        (LENGTH / 2, 0.95, {**EARLY, "EarlyPower": "0.9"}, S.SUCCEEDED),
        (LENGTH / 2, 1.0, {}, S.BAKING),
    ],
)
def test_a_bake_ends_early_by_power_only(
    at: float, power: float | None, said: dict[str, str], status: S
) -> None:
    assert Bake({"Alarm": said}).look(at, {"Alarm": V.PASS}, power) is status


def test_one_rule_without_power_keeps_all_from_ending_early() -> None:
    bake = Bake(dict.fromkeys(TWO, EARLY))
    bake.look(50, {"Errors": V.PASS}, power=None)
    assert bake.look(50, {"Latency": V.PASS}, power=1.0) is S.BAKING


def test_a_verdict_that_is_old_by_now_ends_nothing() -> None:
    bake = Bake(TWO)
    bake.look(OVER, {"Errors": V.PASS})
    assert bake.look(OVER + 61, {"Latency": V.PASS}) is S.BAKING, "Errors was not looked at since"
    assert bake.look(OVER + 62, {"Errors": V.PASS}) is S.SUCCEEDED


# --- what broke others (PaaSTA's sticht 2.0.0) -----------------------------------------------------

looks = st.lists(
    st.tuples(st.sampled_from([0.5, 7.0, 30.0]), st.sampled_from(list(TWO)), st.sampled_from(V)),
    max_size=60,
)


@given(looks)
def test_only_fresh_passes_of_all_certify_and_only_a_fail_rolls_back(
    seen: list[tuple[float, str, Verdict]],
) -> None:
    """A signal that fails just before the deadline, or after it, is never certified."""
    bake, at = Bake(TWO), 0.0
    for pause, name, verdict in seen:
        at += pause
        if bake.look(at, {name: verdict}) is not S.BAKING:
            break
    last = [(row.verdict, row.verdict_at or 0.0) for row in bake.rows.values()]
    if bake.status is S.SUCCEEDED:
        assert all(v == V.PASS and max(LENGTH, at - 60) <= since for v, since in last)
    if bake.status is S.FAILED:
        assert seen and verdict is V.FAIL, "and at once"


@given(st.floats(0, 2 * LENGTH), st.sampled_from([V.INCONCLUSIVE, V.UNREACHABLE, V.NO_DATA]))
def test_two_that_go_off_and_recover_before_a_breach_never_roll_back(
    first: float, trouble: Verdict
) -> None:
    bake = Bake(TWO)
    for at, verdicts in (
        (first, {"Errors": trouble}),
        (first + 5, {"Latency": trouble}),
        (first + 10, {"Errors": V.PASS}),
        (first + 15, {"Latency": V.PASS}),
        (3 * LENGTH, dict.fromkeys(TWO, V.PASS)),
    ):
        assert bake.look(at, verdicts) is not S.FAILED
    assert bake.status is S.SUCCEEDED, "and nothing of it hangs on"


@given(
    st.sampled_from([V.UNREACHABLE, V.NO_DATA, V.INCONCLUSIVE]),
    st.sampled_from(["hold", "holdAndPage"]),
    st.integers(1, 20),
)
def test_one_failed_poll_is_never_all_clear(after: Verdict, said: str, polls: int) -> None:
    """Behind a FAIL that holds the bake, only a fresh PASS ends it."""
    bake = Bake({"Alarm": {"WhenFail": said}})
    bake.look(LENGTH - 1, {"Alarm": V.FAIL})
    for number in range(polls):
        assert bake.look(OVER + number, {"Alarm": after}) is S.BAKING
    assert bake.look(OVER + 50, {"Alarm": V.PASS}) is S.SUCCEEDED
