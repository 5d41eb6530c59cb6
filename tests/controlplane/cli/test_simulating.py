"""What `towpath simulate` says of a seed."""

from controlplane.cli.simulating import told
from controlplane.sandbox.simulation.run import Report

BROKEN = Report(
    7, 200, 31, "every move is legal", "Succeeded -> Failed", events=["1.0  a", "2.0  b"]
)


def test_a_broken_seed_says_where_what_and_how_to_see_it_again() -> None:
    lines = told(BROKEN).splitlines()
    assert lines[0].startswith("seed 7 broke at step 31")
    assert lines[1:3] == ["invariant: every move is legal", "broken by: Succeeded -> Failed"]
    assert lines[-3:-1] == BROKEN.events
    assert lines[-1] == "replay: towpath simulate --seed 7 --steps 200"


def test_a_clean_seed_is_a_line() -> None:
    assert told(Report(7, 200)).startswith("seed 7: 200 steps clean")
