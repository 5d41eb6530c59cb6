"""The Lambda invoke pattern: a function is told its job, and says itself how it went."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody

from accounts.registry import StaticRegistry
from controlplane.actions.job_lambda import JobLambda
from controlplane.engine.jobs import JobError, Jobs
from tests.support.clients import StubClients
from tests.support.doors import account
from tests.support.house import House, pipeline, source
from tests.support.scripted import scripted


class Killed(BaseException):
    """The replica ends here: nothing that an engine does about errors is done."""


class Function:
    """A function, and the pipeline that invokes it. does: what it does when it is invoked."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Any] = []
        self.does: Callable[[Any], None] = lambda _: None
        self.error = ""
        self.house = House(folder)
        self.jobs = Jobs(self.house.database, self.house.structures, self.house._now)
        registry = StaticRegistry([account("dev")])
        clients = StubClients(registry=registry, **{"lambda": scripted("lambda", invoke=self._run)})
        driver = JobLambda(clients, None, lambda _, given: given)
        self.house.others["Job", "Towpath", "Lambda"] = driver
        self.house.engine = self.house.new_engine()
        kind = {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}
        given = {"FunctionName": "smoke", "UserParameters": "fast", "Account": "dev"}
        action = {"name": "Smoke", "actionTypeId": kind, "configuration": given}
        stage = {"name": "Test", "actions": [{**action, "region": "eu-west-1"}]}
        self.house.apply(pipeline(source(), stage))

    def _run(self, request: dict[str, Any]) -> Any:
        assert request["InvocationType"] == "RequestResponse"
        job = json.loads(request["Payload"])["CodePipeline.job"]
        self.told.append(job)
        self.does(job)
        body = b'{"errorMessage": "no basket"}' if self.error else b"null"
        failed = {"FunctionError": self.error} if self.error else {}
        return {"Payload": StreamingBody(io.BytesIO(body), len(body)), **failed}

    def stage(self, execution: str) -> str:
        return self.house.stages(execution)["Test"]


@pytest.fixture
def function(tmp_path: Path) -> Function:
    return Function(tmp_path)


def test_a_function_is_told_its_job_and_what_it_answers_is_no_result(function: Function) -> None:
    execution = function.house.start()
    (job,) = function.told
    assert job["accountId"] == account("dev").id
    configuration = job["data"]["actionConfiguration"]["configuration"]
    assert configuration == {"FunctionName": "smoke", "UserParameters": "fast"}
    assert function.stage(execution) == "InProgress"
    function.jobs.succeed(job["id"], {"outputVariables": {"Seen": "3"}})
    function.house.settle()
    assert function.stage(execution) == "Succeeded"
    assert len(function.told) == 1


def test_a_report_while_the_call_lasts_counts(function: Function) -> None:
    function.does = lambda job: function.jobs.succeed(job["id"], {})
    assert function.stage(function.house.start()) == "Succeeded"


def test_a_function_that_fails_fails_the_action(function: Function) -> None:
    function.error = "Unhandled"
    execution = function.house.start()
    function.house.wait(1)
    assert function.stage(execution) == "Failed"
    assert "no basket" in function.house.texts("action.failed", execution)[0]
    with pytest.raises(JobError):
        function.jobs.succeed(function.told[0]["id"], {})


def test_what_it_reported_before_it_failed_counts(function: Function) -> None:
    function.error = "Unhandled"
    function.does = lambda job: function.jobs.succeed(job["id"], {})
    execution = function.house.start()
    function.house.wait(1)
    assert function.stage(execution) == "Succeeded"


def test_a_job_that_goes_on_is_called_again_with_its_token(function: Function) -> None:
    function.does = lambda job: function.jobs.succeed(job["id"], {"continuationToken": "at 1"})
    execution = function.house.start()
    function.does = lambda job: function.jobs.succeed(job["id"], {})
    function.house.wait(40)
    first, second = function.told
    assert (
        "continuationToken" not in first["data"] and second["data"]["continuationToken"] == "at 1"
    )
    assert first["id"] != second["id"]
    assert function.stage(execution) == "Succeeded"


def test_silence_is_a_failure(function: Function) -> None:
    execution = function.house.start()
    function.house.wait(20 * 60, step=60)
    assert function.stage(execution) == "Failed"
    assert "nobody said how job" in function.house.texts("action.failed", execution)[0]
    with pytest.raises(JobError, match="TimedOut"):
        function.jobs.succeed(function.told[0]["id"], {})


def test_a_function_that_runs_longer_than_we_wait_is_not_called_again(function: Function) -> None:
    def hang(_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    function.does = hang
    execution = function.house.start()
    function.house.wait(60)
    assert len(function.told) == 1
    function.jobs.succeed(function.told[0]["id"], {})
    function.house.settle()
    assert function.stage(execution) == "Succeeded"


def test_a_call_that_was_lost_is_made_again_for_the_same_job(function: Function) -> None:
    def die(_: Any) -> None:
        raise Killed

    function.does = die
    with pytest.raises(Killed):  # after the call, before anything of it was written
        function.house.start()
    function.does = lambda _: None
    function.house.engine = function.house.new_engine()
    function.house.wait(31, step=31)
    first, second = function.told
    assert first["id"] == second["id"]
