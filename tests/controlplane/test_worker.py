"""Periodic work: a turn that takes long is nothing to warn of."""

import threading

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from controlplane.worker import COALESCED, one_at_a_time


def test_a_slow_turn_is_neither_doubled_nor_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    done, later = threading.Event(), threading.Semaphore(0)
    begun: list[int] = []

    def slow() -> None:
        begun.append(1)
        done.wait(10)

    turn = one_at_a_time(slow)

    def counted() -> None:
        turn()
        later.release()

    scheduler = BackgroundScheduler(job_defaults=COALESCED)
    scheduler.add_job(counted, "interval", seconds=0.02)
    scheduler.start()
    passed = [later.acquire(timeout=10) for _ in range(5)]
    alone = len(begun)
    done.set()
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
