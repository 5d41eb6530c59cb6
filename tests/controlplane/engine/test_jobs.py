"""Jobs on both kinds of database: each goes to one worker, and a word counts once, whoever else is at it."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from controlplane.engine import jobs as module
from controlplane.engine.jobs import REDELIVER, JobError, Jobs
from controlplane.store import action_types
from tests.support.house import ANNE, House, pipeline, source

ID = ("Test", "Custom", "Scan", "1")
TYPE = "/".join(ID)
KIND = dict(zip(("category", "owner", "provider", "version"), ID, strict=True))
TIMEOUT = 300


def definition() -> dict[str, Any]:
    worker = {"type": "JobWorker", "jobTimeout": TIMEOUT}
    return {"executor": worker, "properties": [], "inputs": [0, 0], "outputs": [0, 0], "urls": {}}


def begun(house: House, *names: str) -> tuple[Jobs, str]:
    """Who hands out jobs, and an execution that waits for one of each of these actions."""
    with house.database.begin() as connection:
        if not action_types.ever(connection, ID):
            action_types.add(connection, ID, definition(), 0.0)
    actions = [{"name": name, "actionTypeId": KIND} for name in names]
    house.apply(pipeline(source(), {"name": "Test", "actions": actions}))
    return Jobs(house.database, house.structures, house._now), house.start()


def at_once(*calls: Any) -> list[Any]:
    """What each call answers, or the error that it raised; all begin together."""
    barrier = Barrier(len(calls))

    def one(call: Any) -> Any:
        barrier.wait(10)
        try:
            return call()
        except JobError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_two_workers_get_different_jobs_and_only_one_word_counts(empty: House) -> None:
    jobs, execution = begun(empty, "One", "Two")
    polled = at_once(*[lambda: jobs.poll(TYPE, 1, {})] * 3)
    given_ = [one.row for found in polled for one in found]
    assert len({row.id for row in given_}) == len(given_) == 2
    for row in given_:
        assert jobs.acknowledge(row.id, row.nonce) == "InProgress"
    first, second = given_
    words = at_once(
        lambda: jobs.succeed(first.id, {}),
        lambda: jobs.succeed(first.id, {}),
        lambda: jobs.fail(first.id, {"type": "JobFailed", "message": "no"}),
        empty.engine.turn,
    )
    assert len([word for word in words if isinstance(word, JobError)]) == 2
    jobs.succeed(second.id, {})
    empty.settle()
    kinds = empty.kinds(execution)
    assert kinds.count("job.succeeded") + kinds.count("job.failed") == 2
    assert empty.stages(execution)["Test"] in ("Succeeded", "Failed")


def test_a_job_of_which_nothing_is_heard_in_its_time_is_a_failure(empty: House) -> None:
    jobs, execution = begun(empty, "One")
    (given_,) = jobs.poll(TYPE, 1, {})
    jobs.acknowledge(given_.row.id, given_.row.nonce)
    with empty.database.begin() as connection:  # by whichever clock: its time is over
        connection.exec_driver_sql("UPDATE job SET timeout_at = 1")
        connection.exec_driver_sql("UPDATE action_execution SET due_at = 1 WHERE name = 'One'")
    with pytest.raises(JobError, match="its time is over"):
        jobs.succeed(given_.row.id, {})
    empty.settle()
    assert empty.stages(execution)["Test"] == "Failed"


def test_what_is_given_back_late_is_not_taken_from_who_has_it_now(empty: House) -> None:
    jobs, _ = begun(empty, "One")
    (slow,) = jobs.poll(TYPE, 1, {})
    with empty.database.begin() as connection:  # by whichever clock: it was never acknowledged
        connection.exec_driver_sql("UPDATE job SET dispatched_at = 1")
    (quick,) = jobs.poll(TYPE, 1, {})
    jobs.give_back(slow.row)
    assert jobs.acknowledge(quick.row.id, quick.row.nonce) == "InProgress"


def test_what_a_poll_is_about_is_found_behind_any_number_of_others(
    empty: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, _ = begun(empty, "One", "Two", "Three", "Four")
    about = {"Where": 'a "quoted" \\ 100 % ü_x'}
    with empty.database.begin() as connection:
        newest = connection.exec_driver_sql("SELECT max(id) FROM job").scalar_one()
        connection.execute(
            text("UPDATE job SET query = :q WHERE id = :id"), {"q": json.dumps(about), "id": newest}
        )
    monkeypatch.setattr(module, "LOOKED_AT", 1)
    monkeypatch.setattr(module, "PAGE", 1)
    assert jobs.poll(TYPE, 1, {"Where": "elsewhere"}) == []
    assert [one.row.id for one in jobs.poll(TYPE, 1, about)] == [newest]


def test_what_is_given_back_is_for_the_next(empty: House) -> None:
    jobs, _ = begun(empty, "One")
    (given_,) = jobs.poll(TYPE, 1, {})
    jobs.give_back(given_.row)
    with pytest.raises(JobError):
        jobs.acknowledge(given_.row.id, given_.row.nonce)
    assert len(jobs.poll(TYPE, 1, {})) == 1


STEPS = st.lists(
    st.sampled_from(("poll", "ack", "old", "goes on", "succeed", "fail", "later", "stop", "turn")),
    max_size=14,
)


@pytest.fixture(scope="module")
def one_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("jobs"))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_workers_do_an_action_succeeds_by_a_last_word_in_time_only(
    one_house: House, steps: list[str]
) -> None:
    """A model of one job after another: who may speak, and what it leads to."""
    house = one_house
    jobs, execution = begun(house, "One")
    worker = Worker(house, jobs, execution)
    for step in steps:
        worker.step(step)
    house.wait(TIMEOUT + 60, step=60)  # silence ends it
    status = house.stages(execution)["Test"]
    ended = {"succeeded": "Succeeded", "stopped": "Stopped"}.get(worker.end, "Failed")
    assert status == ended, (steps, worker.end)


class Worker:
    """One worker, and what it should be allowed. end: how the action ended, "" while it has not."""

    def __init__(self, house: House, jobs: Jobs, execution: str) -> None:
        self.house, self.jobs, self.execution = house, jobs, execution
        self.row: Any = None
        self.at_work = False
        self.end = ""
        self.began = house._now()

    def step(self, step: str) -> None:
        """Do it; what must be refused must be."""
        if step == "poll":
            self._poll()
        elif step == "turn":
            self.house.settle()
        elif step == "later":
            self.house.clock.advance(REDELIVER)
        elif step == "stop":
            self._stop()
        elif self.row is not None:
            self._speak(step)

    def _late(self) -> bool:
        return self.house._now() >= self.began + TIMEOUT

    def _poll(self) -> None:
        found = self.jobs.poll(TYPE, 1, {})
        if found:
            assert not self.at_work
            self.row = found[0].row

    def _stop(self) -> None:
        if self.end:
            return
        self.house.settle()
        if self.house.stages(self.execution)["Test"] != "InProgress":
            return
        self.house.commands.stop(self.execution, ANNE, abandon=True, reason="no more")
        self.end = "stopped"

    def _speak(self, step: str) -> None:
        allowed = self.at_work and not self.end and not self._late()
        try:
            self._say(step)
        except JobError:
            assert step in ("old", "ack") or not allowed, step
        else:
            assert step == "ack" or allowed, step

    def _say(self, step: str) -> None:
        id_ = self.row.id
        if step in ("ack", "old"):
            nonce = self.row.nonce if step == "ack" else "old"
            if self.jobs.acknowledge(id_, nonce) == "InProgress":
                self.at_work = True
        elif step == "goes on":
            self.jobs.succeed(id_, {"continuationToken": "more"})
            self.at_work, self.began = False, self.house._now()
        elif step == "succeed":
            self.jobs.succeed(id_, {})
            self.at_work, self.end = False, "succeeded"
        else:
            self.jobs.fail(id_, {"type": "JobFailed", "message": "no"})
            self.at_work, self.end = False, "failed"
