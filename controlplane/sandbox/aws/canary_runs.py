"""One run of a canary: a real HTTP GET to its target on loopback, told to CloudWatch."""

import http.client
import logging
import threading
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from controlplane.sandbox.aws import clock, emit
from controlplane.sandbox.aws.canary import Canary

NAMESPACE = "CloudWatchSynthetics"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LONGEST = 10.0
OK = range(200, 300)
PASSED: dict[str, str] = {"State": "PASSED", "TestResult": "PASSED"}

_log = logging.getLogger(__name__)


def failed(code: str, reason: str) -> dict[str, str]:
    """Answer the status of a run that failed: CANARY_FAILURE or EXECUTION_FAILURE, and why."""
    result = "FAILED" if code == "CANARY_FAILURE" else "UNKNOWN"
    return {
        "State": "FAILED",
        "TestResult": result,
        "StateReasonCode": code,
        "StateReason": reason,
    }


def try_target(url: str, timeout: float) -> dict[str, str]:
    """Ask for the URL; answer the run's status. Redirects are not followed."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return failed("EXECUTION_FAILURE", f"TARGET_URL must be http on loopback, not {url!r}")
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port or 80, timeout=min(timeout, LONGEST)
    )
    try:
        connection.connect()
        path = parts.path or "/"
        connection.request("GET", f"{path}?{parts.query}" if parts.query else path)
        status = connection.getresponse().status
    except TimeoutError:
        return failed("CANARY_FAILURE", f"{url} did not answer within {timeout:g} s")
    except (OSError, http.client.HTTPException) as error:
        return failed("EXECUTION_FAILURE", f"{url} can not be reached: {error}")
    finally:
        connection.close()
    if status in OK:
        return dict(PASSED)
    return failed("CANARY_FAILURE", f"{url} answered {status}")


def launch(canary: Canary, account: str, region: str) -> threading.Thread:
    """Run once, in a thread of its own: a slow target stops nobody else."""
    thread = threading.Thread(target=_run, args=(canary, account, region), daemon=True)
    thread.start()
    return thread


def _run(canary: Canary, account: str, region: str) -> None:
    started = clock.now()
    run = canary.begin(started)
    try:
        status = (
            try_target(canary.target, canary.timeout)
            if canary.target
            else failed("EXECUTION_FAILURE", "RunConfig has no environment variable TARGET_URL")
        )
        ended = clock.now()
        run["Timeline"] = {"Started": started, "Completed": ended}
        run["Status"] = status
        _tell(canary, account, region, run, (ended - started).total_seconds())
    except Exception:  # noqa: BLE001 it is logged; a thread has nobody to raise to
        _log.exception("the run of canary %s failed in the sandbox", canary.name)
    finally:
        canary.running.clear()
        if canary.due is None and canary.state == "RUNNING":
            canary.stop(clock.now())


def _tell(canary: Canary, account: str, region: str, run: dict[str, Any], took: float) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    passed = run["Status"]["State"] == "PASSED"
    at: datetime = run["Timeline"]["Completed"]
    values = (
        ("SuccessPercent", 100.0 if passed else 0.0, "Percent"),
        ("Failed", 0.0 if passed else 1.0, "Count"),
        ("Duration", took * 1000, "Milliseconds"),
    )
    data = [
        {
            "MetricName": name,
            "Value": value,
            "Unit": unit,
            "Timestamp": at,
            "Dimensions": [{"Name": "CanaryName", "Value": canary.name}],
        }
        for name, value, unit in values
    ]
    cloudwatch_backends[account][region].put_metric_data(NAMESPACE, data)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_events.html
    detail = {
        "account-id": account,
        "canary-id": canary.id,
        "canary-name": canary.name,
        "canary-run-id": run["Id"],
        "artifact-location": run["ArtifactS3Location"],
        "test-run-status": run["Status"]["State"],
        "state-reason": run["Status"].get("StateReason", ""),
    }
    kind = "Successful" if passed else "Failure"
    emit.event(account, region, "aws.synthetics", f"Synthetics Canary TestRun {kind}", detail)
