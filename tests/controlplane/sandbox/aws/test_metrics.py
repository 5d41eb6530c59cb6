"""GetMetricData answers the series that was asked for, and only that."""

import gzip
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.aws.identity import root_key
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.conftest import REGION, ClientOf

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROD = [{"Name": "Environment", "Value": "prod"}]


def datum(value: float, seconds: float = 0.0, **more: Any) -> dict[str, Any]:
    at = START + timedelta(seconds=seconds)
    return {"MetricName": "Errors", "Dimensions": PROD, "Timestamp": at, "Value": value, **more}


def query(name: str = "e", stat: str = "Sum", period: int = 60, **metric: Any) -> dict[str, Any]:
    wanted = {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": PROD, **metric}
    return {"Id": name, "MetricStat": {"Metric": wanted, "Period": period, "Stat": stat}}


def read(cloudwatch: Any, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=START,
        EndTime=START + timedelta(minutes=10),
        ScanBy="TimestampAscending",
        **more,
    )
    return answer


def values(answer: dict[str, Any], index: int = 0) -> list[float]:
    found: list[float] = answer["MetricDataResults"][index]["Values"]
    return found


def test_only_the_named_namespace_and_exactly_these_dimensions_count(
    client: ClientOf, account: str
) -> None:
    cloudwatch = client("cloudwatch", account)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum(1)])
    cloudwatch.put_metric_data(Namespace="Other", MetricData=[datum(10)])
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum(100, Dimensions=[])])
    assert values(read(cloudwatch, query())) == [1.0]
    assert values(read(cloudwatch, query(Dimensions=[]))) == [100.0]


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("SampleCount", 4), ("p50", 2.5), ("p100", 4)],
)
def test_statistics(client: ClientOf, account: str, stat: str, expected: float) -> None:
    cloudwatch = client("cloudwatch", account)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum(v) for v in (4, 1, 3, 2)])
    assert values(read(cloudwatch, query(stat=stat))) == [expected]


def test_percentiles_count_values_by_their_counts(client: ClientOf, account: str) -> None:
    cloudwatch = client("cloudwatch", account)
    data = datum(0, Values=[1.0, 9.0], Counts=[98.0, 2.0])
    del data["Value"]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[data])
    assert values(read(cloudwatch, query(stat="p90"), query("t", "p99"))) == [1.0]
    assert values(read(cloudwatch, query(stat="p99"))) == [9.0]


def test_high_resolution_is_kept_only_where_it_was_asked_for(
    client: ClientOf, account: str
) -> None:
    cloudwatch = client("cloudwatch", account)
    fine = [datum(1, 5, StorageResolution=1), datum(2, 25, StorageResolution=1)]
    coarse = [datum(1, 5, Dimensions=[]), datum(2, 25, Dimensions=[])]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=fine + coarse)
    assert values(read(cloudwatch, query(period=10))) == [1.0, 2.0]
    assert values(read(cloudwatch, query(period=10, Dimensions=[]))) == [3.0]


def test_expressions_stand_on_metrics_and_on_each_other(client: ClientOf, account: str) -> None:
    cloudwatch = client("cloudwatch", account)
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[datum(5), datum(50, MetricName="Requests")]
    )
    answer = read(
        cloudwatch,
        {"Id": "twice", "Expression": "rate*2"},
        {"Id": "rate", "Expression": "e/r*100", "Label": "errors in percent"},
        {**query(), "ReturnData": False},
        {**query("r", MetricName="Requests"), "ReturnData": False},
    )
    assert [each["Id"] for each in answer["MetricDataResults"]] == ["twice", "rate"]
    assert (values(answer, 0), values(answer, 1)) == ([20.0], [10.0])
    assert answer["MetricDataResults"][1]["Label"] == "errors in percent"


def test_another_accounts_metrics_are_read_by_its_id(
    client: ClientOf, account: str, other_account: str
) -> None:
    client("cloudwatch", other_account).put_metric_data(Namespace="Shop", MetricData=[datum(7)])
    answer = read(client("cloudwatch", account), {**query(), "AccountId": other_account})
    assert values(answer) == [7.0]


def test_pages_say_what_is_partial(client: ClientOf, account: str) -> None:
    cloudwatch = client("cloudwatch", account)
    data = [datum(v, v * 60) for v in range(3)]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    first = read(cloudwatch, query(), MaxDatapoints=2)
    rest = read(cloudwatch, query(), MaxDatapoints=2, NextToken=first["NextToken"])
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    assert rest["MetricDataResults"][0]["StatusCode"] == "Complete"
    assert (values(first), values(rest)) == ([0.0, 1.0], [2.0])
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    ("queries", "part"),
    [
        ([query(f"q{i}") for i in range(501)], "500"),
        ([query(), query()], "not unique"),
        ([{"Id": "x", "Expression": "x+1"}], "uses itself"),
        ([query(stat="tm90")], "tm90"),
        ([query(period=7)], "Period"),
    ],
)
def test_wrong_queries_are_refused(
    client: ClientOf, account: str, queries: list[dict[str, Any]], part: str
) -> None:
    with pytest.raises(ClientError, match=part) as caught:
        read(client("cloudwatch", account), *queries)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_metric_statistics_and_list_metrics(client: ClientOf, account: str) -> None:
    cloudwatch = client("cloudwatch", account)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum(3), datum(5)])
    point = cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName="Errors",
        Dimensions=PROD,
        StartTime=START,
        EndTime=START + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
        ExtendedStatistics=["p100"],
    )["Datapoints"][0]
    assert (point["Sum"], point["ExtendedStatistics"]) == (8.0, {"p100": 5.0})
    assert cloudwatch.list_metrics(Namespace="Shop")["Metrics"] == [
        {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": PROD}
    ]


def test_a_gzipped_put_is_read(aws: Server, client: ClientOf, account: str) -> None:
    point = {"MetricName": "Errors", "Dimensions": PROD, "Timestamp": START.timestamp(), "Value": 4}
    body = gzip.compress(json.dumps({"Namespace": "Shop", "MetricData": [point]}).encode())
    scope = f"{root_key(account)}/20260301/{REGION}/monitoring/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
    }
    with urllib.request.urlopen(urllib.request.Request(aws.url, body, headers)) as answer:  # noqa: S310 loopback
        assert answer.status == 200
    assert values(read(client("cloudwatch", account), query())) == [4.0]
