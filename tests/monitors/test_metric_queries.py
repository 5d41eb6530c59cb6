import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.metric_queries import ask, renamed

IDS = st.from_regex(r"[a-z][a-zA-Z0-9_]{0,8}", fullmatch=True)


def rule(queries: Any, result: str = "e1") -> dict[str, str]:
    return {"MetricDataQueries": json.dumps(queries), "ResultId": result}


STAT = {
    "Metric": {"Namespace": "Shop", "MetricName": "Errors"},
    "Period": 60,
    "Stat": "Sum",
}
RATIO = [
    {"Id": "m1", "MetricStat": STAT},
    {"Id": "m10", "MetricStat": STAT},
    {"Id": "e1", "Expression": "100*(m1/m10)", "Label": "m1"},
]


def test_ids_and_the_references_to_them_get_the_prefix_and_nothing_else() -> None:
    found = ask(rule(RATIO)).under("r3_")
    assert [query["Id"] for query in found] == ["r3_m1", "r3_m10", "r3_e1"]
    assert found[2]["Expression"] == "100*(r3_m1/r3_m10)"
    assert found[2]["Label"] == "m1"


def test_only_the_result_is_returned() -> None:
    returned = [query["ReturnData"] for query in ask(rule(RATIO)).under("")]
    assert returned == [False, False, True]


def test_quoted_text_and_function_names_stay() -> None:
    expression = """FILL(m1, 0) + IF(m1 > 5, "m1", 'm1')"""
    assert renamed(expression, {"m1"}, "p_") == """FILL(p_m1, 0) + IF(p_m1 > 5, "m1", 'm1')"""


@pytest.mark.parametrize(
    "expression", ["SUM(METRICS())", "SELECT SUM(x) FROM y", "SUM(SEARCH('{A,B} c', 'Sum'))"]
)
def test_what_looks_at_the_whole_request_stays_alone(expression: str) -> None:
    assert ask(rule([{"Id": "e1", "Expression": expression, "Period": 60}])).alone


def test_a_plain_metric_with_its_dimensions() -> None:
    found = ask(
        {
            "Namespace": "Shop",
            "MetricName": "Errors",
            "Statistic": "Sum",
            "Period": "10",
            "Dimensions": '{"Environment": "prod"}',
        }
    )
    stat = found.queries[0]["MetricStat"]
    assert stat["Metric"]["Dimensions"] == [{"Name": "Environment", "Value": "prod"}]
    assert (stat["Period"], found.alone, found.math) == (10, False, False)


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ([{"Id": "M1"}], "small letter"),
        ([{"Id": "a"}, {"Id": "a"}], "Id of its own"),
        ([{"Id": "a"}], "ResultId 'e1' is none"),
        ([{"Id": "e1", "Period": "60"}], "Period '60'"),
        ([1], "list of objects"),
        ({"Id": "e1"}, "list of objects"),
        ([{"Id": f"e{number}"} for number in range(501)], "at most 500"),
    ],
)
def test_wrong_queries_are_refused_with_a_sentence(queries: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(rule(queries))


@given(st.lists(IDS, min_size=1, max_size=6, unique=True), st.text("+-*/ ()m1e,0", max_size=20))
def test_renaming_can_be_undone_and_leaves_no_reference_behind(ids: list[str], noise: str) -> None:
    expression = noise + " ".join(f"SUM({one})" for one in ids)
    made = renamed(expression, set(ids), "RULE7_")
    assert made.replace("RULE7_", "") == expression
    assert not set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", made)) & set(ids)
