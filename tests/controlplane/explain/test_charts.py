"""What a chart is drawn from: the points of the last FAIL, and what was seen after them."""

from types import SimpleNamespace
from typing import Any

from controlplane.explain.charts import POINTS, chart


def kept(at: float, verdict: str, after: str = "[[101,5]]") -> Any:
    return SimpleNamespace(at=at, verdict=verdict, points_before="[[99,1]]", points_after=after)


def look(at: float, value: float | None) -> Any:
    return SimpleNamespace(at=at, value=value)


def test_the_points_of_a_fail_are_preferred_to_later_ones() -> None:
    rows = [kept(110, "FAIL", "[[101,9]]"), kept(120, "INCONCLUSIVE")]
    drawn = chart(rows, [], 100, None)
    assert drawn is not None
    assert drawn["after"] == [[101, 9]]


def test_looks_after_the_kept_points_go_on_with_the_line() -> None:
    drawn = chart([kept(110, "PASS")], [look(105, 3.0), look(115, 4.0), look(116, None)], 100, None)
    assert drawn is not None
    assert drawn["after"] == [[101, 5], [115, 4.0]]


def test_nothing_measured_is_no_chart() -> None:
    assert chart([], [look(105, None)], 100, None) is None


def test_a_long_line_is_thinned_and_keeps_its_end() -> None:
    looks = [look(float(n), float(n)) for n in range(5_000)]
    drawn = chart([], looks, 0, None)
    assert drawn is not None
    assert len(drawn["after"]) <= POINTS
    assert drawn["after"][-1] == [4999.0, 4999.0]
