import pytest

from monitors.base import Judgement, Verdict
from monitors.judge import Together, together


def told(
    verdict: Verdict, chance: float | None = None, *, critical: bool = False, name: str = "p95"
) -> Together:
    return Together(name, Judgement(verdict, "why", 5, chance=chance, power=0.9), critical)


FAIL, PASS = Verdict.FAIL, Verdict.PASS
GOOD = told(PASS, 0.5)


def test_all_pass_together() -> None:
    assert together([GOOD, GOOD]).verdict is PASS


def test_no_signal_is_no_pass() -> None:
    assert together([]).verdict is Verdict.NO_DATA


def test_the_gravest_hindrance_speaks() -> None:
    found = together([GOOD, told(Verdict.INCONCLUSIVE), told(Verdict.UNREACHABLE)])
    assert found.verdict is Verdict.UNREACHABLE


@pytest.mark.parametrize(("chance", "verdict"), [(0.009, Verdict.INCONCLUSIVE), (0.0004, FAIL)])
def test_among_twenty_signals_a_fail_must_be_twenty_times_as_unlikely(
    chance: float, verdict: Verdict
) -> None:
    assert together([told(FAIL, chance), *[GOOD] * 19]).verdict is verdict


def test_a_critical_signal_suffices_alone_and_uncorrected() -> None:
    assert together([told(FAIL, 0.009, critical=True), *[GOOD] * 19], quorum=3).verdict is FAIL


def test_a_limit_or_an_alarm_counts_as_it_is() -> None:
    assert together([told(FAIL), *[GOOD] * 19]).verdict is FAIL


def test_the_quorum_holds() -> None:
    one, two = told(FAIL, 1e-6), told(FAIL, 1e-6, name="p99")
    assert together([one, GOOD, GOOD], quorum=2).verdict is Verdict.INCONCLUSIVE
    found = together([one, two, GOOD], quorum=2)
    assert found.verdict is FAIL
    assert found.reason == "p95: why; p99: why"


def test_holm_lets_the_second_of_two_be_less_unlikely() -> None:
    signals = [told(FAIL, 0.004), told(FAIL, 0.009)]
    assert together(signals, quorum=2).verdict is FAIL
