"""Every vendor that a monitor asks, in one mood each: for the suites that run all drivers.

WELL answers as when all is well, EMPTY answers nothing that could be judged, LATE does not answer
in time, DENIED refuses us.
"""

import io
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, NoReturn

import httpx
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody

from monitors.registry import Parts
from tests.support.clients import StubClients
from tests.support.scripted import DENIED, Operation, scripted
from tests.support.watched import NOW, at

INSTANCE = "i-0123456789abcdef0"
SITE = "http://127.0.0.1:1"
BUILT = {"id": "may-we:1", "projectName": "may-we", "buildStatus": "SUCCEEDED"}
RUNNING = {"Name": "shop", "Status": {"State": "RUNNING"}}
PASSED = {"Name": "shop", "Status": {"State": "PASSED"}, "Timeline": {"Started": at(-1)}}
SCANNED = {
    "resourceType": "AWS_EC2_INSTANCE",
    "resourceId": INSTANCE,
    "accountId": "4" * 12,
    "scanType": "PACKAGE",
    "scanStatus": {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"},
    "lastScannedAt": NOW,
}


class Mood(Enum):
    WELL = auto()
    EMPTY = auto()
    LATE = auto()
    DENIED = auto()


def late(_: Any) -> NoReturn:
    raise ReadTimeoutError(endpoint_url="http://made.up")


def _payload(body: bytes) -> dict[str, Any]:
    return {"Payload": StreamingBody(io.BytesIO(body), len(body))}


def _metrics(asked: dict[str, Any]) -> dict[str, Any]:
    every = [one["Id"] for one in asked["MetricDataQueries"]]
    found = {"Timestamps": [at(-60)], "Values": [0.0], "StatusCode": "Complete"}
    return {"MetricDataResults": [{"Id": one, **found} for one in every]}


WELL: Mapping[str, Mapping[str, Operation]] = {
    "codebuild": {
        "start_build": lambda _: {"build": BUILT},
        "batch_get_builds": lambda _: {"builds": [BUILT]},
        "list_builds_for_project": lambda _: {"ids": ["may-we:1"]},
    },
    "cloudwatch": {
        "describe_alarms": lambda asked: {
            "MetricAlarms": [
                {"AlarmName": name, "StateValue": "OK", "StateUpdatedTimestamp": at(-9999)}
                for name in asked["AlarmNames"]
            ]
        },
        "get_metric_data": _metrics,
    },
    "inspector2": {
        "list_coverage": lambda _: {"coveredResources": [SCANNED]},
        "list_findings": lambda _: {"findings": []},
    },
    "lambda": {"invoke": lambda _: _payload(b"{}")},
    "synthetics": {
        "describe_canaries": lambda _: {"Canaries": [RUNNING]},
        "describe_canaries_last_run": lambda _: {
            "CanariesLastRun": [{"CanaryName": "shop", "LastRun": PASSED}]
        },
        "get_canary_runs": lambda _: {"CanaryRuns": [PASSED]},
    },
}
EMPTY: Mapping[str, Mapping[str, Operation]] = {
    "codebuild": {"start_build": lambda _: {}, "batch_get_builds": lambda _: {}},
    "cloudwatch": {"describe_alarms": lambda _: {}, "get_metric_data": lambda _: {}},
    "inspector2": {"list_coverage": lambda _: {}, "list_findings": lambda _: {}},
    "lambda": {"invoke": lambda _: {**_payload(b""), "FunctionError": "Unhandled"}},
    "synthetics": {
        "describe_canaries": lambda _: {"Canaries": [RUNNING]},
        "describe_canaries_last_run": lambda _: {},
        "get_canary_runs": lambda _: {},
    },
}


def _web(mood: Mood) -> Callable[[httpx.Request], httpx.Response]:
    series = f'[{{"metric": {{}}, "values": [[{NOW.timestamp()}, "0"]]}}]'
    answered = '{"status": "success", "data": {"resultType": "matrix", "result": %s}}'

    def answer(request: httpx.Request) -> httpx.Response:
        if mood is Mood.LATE:
            raise httpx.ReadTimeout("too late", request=request)
        if mood is Mood.DENIED:
            return httpx.Response(403)
        if "query_range" in request.url.path:
            return httpx.Response(200, text=answered % (series if mood is Mood.WELL else "[]"))
        return httpx.Response(200 if mood is Mood.WELL else 204, text='{"up": true}')

    return answer


def parts(mood: Mood) -> Parts:
    """What the registry builds monitors of, with every vendor in that mood."""
    answers = EMPTY if mood is Mood.EMPTY else WELL
    refusals: Mapping[Mood, Operation] = {Mood.LATE: late, Mood.DENIED: lambda _: DENIED}
    clients = {
        service: scripted(
            service, **{name: refusals.get(mood, well) for name, well in operations.items()}
        )
        for service, operations in answers.items()
    }
    return Parts(
        clients=StubClients(**clients),
        now=lambda: NOW,
        http=httpx.Client(transport=httpx.MockTransport(_web(mood))),
        sites={"shop": SITE},
        prometheus={"default": SITE},
        environ={},
    )
