"""What a replica holds is its own for a lease, and a row that it claimed anew is not what it held before."""

from types import SimpleNamespace
from typing import Any

import pytest

from controlplane.engine.holdings import Holdings


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def held(seconds: Seconds) -> Holdings:
    held = Holdings(lease=30.0)
    held.tick = seconds
    held.begin()
    return held


def job(row: int = 1, fence: int = 1) -> Any:
    return SimpleNamespace(row=SimpleNamespace(id=row, fence=fence))


def test_it_is_ours_until_the_lease_ends_counted_from_before_the_claim(
    held: Holdings, seconds: Seconds
) -> None:
    seconds.at += 5  # the transaction took so long
    held.take(job())
    seconds.at = 129.9
    assert held.are_ours([job()])
    seconds.at = 130.0
    assert not held.are_ours([job()])


def test_a_renewal_makes_it_longer_for_what_is_still_held(held: Holdings, seconds: Seconds) -> None:
    held.take(job())
    seconds.at = 120.0
    held.begin()
    held.renewed([1, 2])
    seconds.at = 149.0
    assert held.are_ours([job()])
    assert not held.are_ours([job(row=2)])


def test_what_was_claimed_anew_is_not_what_was_held_before(held: Holdings) -> None:
    held.take(job(fence=1))
    held.take(job(fence=2))
    assert not held.are_ours([job(fence=1)]), "its call must not go out beside the new one's"
    held.let_go(job(fence=1))
    assert held.are_ours([job(fence=2)])


def test_what_was_let_go_is_nobodys(held: Holdings) -> None:
    held.take(job())
    held.let_go(job())
    assert not held.are_ours([job()])
    assert held.fences() == {}
