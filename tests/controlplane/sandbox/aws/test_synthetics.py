"""A canary in RUNNING really asks its target, on its schedule."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import tick
from controlplane.sandbox.aws.canary import seconds_of
from controlplane.sandbox.aws.canary_runs import try_target
from controlplane.sandbox.aws.server import Server
from controlplane.sandbox.aws.synthetics import set_interval
from tests.controlplane.sandbox.conftest import REGION, ClientOf


class Target(ThreadingHTTPServer):
    """Answers every GET with `status`, once `open` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.open = threading.Event()
        self.open.set()
        self.url = f"http://127.0.0.1:{self.server_port}/health"


class _Handler(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.open.wait(20)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.open.set()
        server.shutdown()
        thread.join()


Create = Callable[[str], Any]


@pytest.fixture
def create(client: ClientOf, account: str) -> Create:
    def make(url: str) -> Any:
        synthetics = client("synthetics", account)
        synthetics.create_canary(
            Name="shop",
            Code={"Handler": "shop.handler", "ZipFile": b"x"},
            ArtifactS3Location="s3://artifacts/shop",
            ExecutionRoleArn=f"arn:aws:iam::{account}:role/canary",
            Schedule={"Expression": "rate(5 minutes)"},
            RunConfig={"TimeoutInSeconds": 5, "EnvironmentVariables": {"TARGET_URL": url}},
            RuntimeVersion="syn-nodejs-puppeteer-9.0",
        )
        return synthetics

    return make


def run_once() -> None:
    """Take a step, and wait for the runs that it began."""
    before = set(threading.enumerate())
    tick()
    for thread in set(threading.enumerate()) - before:
        if thread.name.endswith("(_run)"):
            thread.join(10)


def last(synthetics: Any) -> dict[str, Any]:
    status: dict[str, Any] = synthetics.get_canary_runs(Name="shop")["CanaryRuns"][0]["Status"]
    return status


def test_a_canary_runs_only_once_it_is_started(target: Target, create: Create) -> None:
    synthetics = create(target.url)
    run_once()
    assert synthetics.get_canary_runs(Name="shop")["CanaryRuns"] == []
    synthetics.start_canary(Name="shop")
    run_once()
    assert last(synthetics) == {"State": "PASSED", "TestResult": "PASSED"}
    assert synthetics.get_canary(Name="shop")["Canary"]["Status"]["State"] == "RUNNING"


def test_an_answer_that_is_not_2xx_is_the_canarys_failure(target: Target, create: Create) -> None:
    target.status = 503
    synthetics = create(target.url)
    synthetics.start_canary(Name="shop")
    run_once()
    assert (last(synthetics)["State"], last(synthetics)["StateReasonCode"]) == (
        "FAILED",
        "CANARY_FAILURE",
    )


@pytest.mark.parametrize("url", ["http://example.com/", "file:///etc", "https://127.0.0.1/"])
def test_only_loopback_is_asked(url: str) -> None:
    status = try_target(url, 1)
    assert status["StateReasonCode"] == "EXECUTION_FAILURE"
    assert "must be http on loopback" in status["StateReason"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/"])
def test_a_target_that_can_not_be_reached_is_an_execution_failure(create: Create, url: str) -> None:
    synthetics = create(url)
    synthetics.start_canary(Name="shop")
    run_once()
    assert last(synthetics)["StateReasonCode"] == "EXECUTION_FAILURE"


def test_a_slow_target_holds_up_no_tick_and_is_not_asked_twice_at_once(
    account: str, by_hand: ManualClock, target: Target, create: Create
) -> None:
    target.open.clear()
    synthetics = create(target.url)
    set_interval(account, REGION, "shop", 1)
    synthetics.start_canary(Name="shop")
    tick()
    by_hand.advance(5)
    tick()
    (run,) = synthetics.get_canary_runs(Name="shop")["CanaryRuns"]
    assert run["Status"]["State"] == "RUNNING"


def test_a_target_that_does_not_answer_in_time_is_the_canarys_failure(target: Target) -> None:
    target.open.clear()
    assert try_target(target.url, 0.1)["StateReasonCode"] == "CANARY_FAILURE"


def test_runs_follow_the_schedule(by_hand: ManualClock, target: Target, create: Create) -> None:
    synthetics = create(target.url)
    synthetics.start_canary(Name="shop")
    for seconds in (0, 299, 1):
        by_hand.advance(seconds)
        run_once()
    runs = synthetics.get_canary_runs(Name="shop")["CanaryRuns"]
    started = [run["Timeline"]["Started"] for run in runs]
    assert (started[0] - started[1]).total_seconds() == 300
    assert len(runs) == 2


def test_an_interval_from_the_control_api_takes_the_schedules_place(
    aws: Server, account: str, by_hand: ManualClock, target: Target, create: Create
) -> None:
    synthetics = create(target.url)
    synthetics.start_canary(Name="shop")
    order = {"account": account, "region": REGION, "canary": "shop", "seconds": 2}
    assert httpx.post(f"{aws.url}/_sandbox/synthetics/interval", json=order).status_code == 200
    for _ in range(3):
        run_once()
        by_hand.advance(2)
    assert len(synthetics.get_canary_runs(Name="shop")["CanaryRuns"]) == 3


def test_a_stopped_canary_runs_no_more(
    account: str, by_hand: ManualClock, target: Target, create: Create
) -> None:
    synthetics = create(target.url)
    set_interval(account, REGION, "shop", 1)
    synthetics.start_canary(Name="shop")
    run_once()
    synthetics.stop_canary(Name="shop")
    by_hand.advance(60)
    run_once()
    assert len(synthetics.get_canary_runs(Name="shop")["CanaryRuns"]) == 1
    synthetics.delete_canary(Name="shop")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        synthetics.get_canary(Name="shop")


def test_runs_come_in_pages_newest_first(
    account: str, by_hand: ManualClock, target: Target, create: Create
) -> None:
    synthetics = create(target.url)
    set_interval(account, REGION, "shop", 1)
    synthetics.start_canary(Name="shop")
    for _ in range(3):
        run_once()
        by_hand.advance(1)
    first = synthetics.get_canary_runs(Name="shop", MaxResults=2)
    rest = synthetics.get_canary_runs(Name="shop", NextToken=first["NextToken"])
    started = [r["Timeline"]["Started"] for r in first["CanaryRuns"] + rest["CanaryRuns"]]
    assert started == sorted(started, reverse=True)
    assert len(set(started)) == 3


def test_the_last_run_of_each_canary(target: Target, create: Create) -> None:
    synthetics = create(target.url)
    assert synthetics.describe_canaries_last_run()["CanariesLastRun"] == []
    synthetics.start_canary(Name="shop")
    run_once()
    found = synthetics.describe_canaries_last_run(Names=["shop"])["CanariesLastRun"]
    assert [each["CanaryName"] for each in found] == ["shop"]


def test_a_run_is_told_to_cloudwatch(
    client: ClientOf, account: str, target: Target, create: Create
) -> None:
    create(target.url).start_canary(Name="shop")
    run_once()
    names = {m["MetricName"] for m in client("cloudwatch", account).list_metrics()["Metrics"]}
    assert names == {"SuccessPercent", "Failed", "Duration"}


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(0 minute)", 0),
        ("rate(1 hour)", 3600),
        ("cron(0 * * * ? *)", None),
    ],
)
def test_schedules(expression: str, seconds: float | None) -> None:
    assert seconds_of(expression) == seconds
