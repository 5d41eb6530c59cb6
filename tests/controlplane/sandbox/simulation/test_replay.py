"""A seed replays exactly, and two hundred of them are clean; `towpath simulate --seeds` runs more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.sandbox.simulation.run import simulate

ROOT = Path(__file__).parents[4]
SEEDS, STEPS = 200, 50
"""A minute or so of one core: rather many worlds than long ones, for all come to rest at their end."""


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_a_seed_is_clean(seed: int) -> None:
    report = simulate(seed, STEPS)
    assert not report.invariant, "\n".join([report.what, *report.events])


def test_the_same_seed_is_the_same_world_and_another_is_another() -> None:
    first, second, other = simulate(3, 60), simulate(3, 60), simulate(4, 60)
    assert first == second
    assert first.sum != other.sum


def run(*words: str, hash_seed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "controlplane.cli", "simulate", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_process_prints_the_same_whatever_its_hashes_are() -> None:
    words = ("--seed", "5", "--steps", "40", "--seeds", "2")
    one, two = run(*words, hash_seed="1"), run(*words, hash_seed="2")
    assert one.returncode == 0, one.stderr
    assert one.stdout == two.stdout
    assert "2 of 2 seeds are clean" in one.stdout
