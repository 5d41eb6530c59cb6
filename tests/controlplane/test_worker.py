"""Periodic work: a turn that takes long is nothing to warn of."""

import threading

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler

from controlplane.clock import system_clock
from controlplane.worker import COALESCED, one_at_a_time


def test_a_slow_turn_is_neither_doubled_nor_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    began, ends, over = threading.Event(), threading.Event(), threading.Semaphore(0)
    begun: list[int] = []

    def slow() -> None:
        begun.append(1)
        began.set()
        ends.wait(60)

    scheduler = BackgroundScheduler(job_defaults=COALESCED)
    scheduler.add_listener(lambda _: over.release(), EVENT_JOB_EXECUTED)
    job = scheduler.add_job(one_at_a_time(slow), "interval", hours=1)
    scheduler.start()
    job.modify(next_run_time=system_clock())
    passed = [began.wait(60)]
    for _ in range(4):  # each is due when the one before is over: no machine is too busy for it
        job.modify(next_run_time=system_clock())
        passed.append(over.acquire(timeout=60))
    alone = len(begun)
    ends.set()
    scheduler.shutdown()
    assert (all(passed), alone, caplog.messages) == (True, 1, [])


def test_work_that_failed_is_done_at_its_next_turn() -> None:
    done: list[int] = []

    def fails_once() -> None:
        done.append(1)
        if len(done) == 1:
            raise OSError("full")

    turn = one_at_a_time(fails_once)
    with pytest.raises(OSError, match="full"):
        turn()
    turn()
    assert len(done) == 2
