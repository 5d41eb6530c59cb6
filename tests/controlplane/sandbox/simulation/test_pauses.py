"""A process that stands still in the middle of a call starts nothing that another has started meanwhile."""

import pytest

from controlplane.sandbox.simulation.happenings import go_on, release
from controlplane.sandbox.simulation.invariants import broken
from controlplane.sandbox.simulation.world import world

STEPS = 40


@pytest.mark.parametrize("seed", [1, 5])
def test_nothing_is_begun_twice_where_processes_stand_still_in_their_calls(seed: int) -> None:
    with world(seed) as made:
        made.pauses, made.weather.ordinary = 0.05, 0.0
        while len(made.slots) < 2:
            made.slots.append(type(made.slots[0])(None))
            made.start_replica(made.slots[-1])
        for step in range(STEPS):
            (release if step % 8 == 0 else go_on)(made)
            assert list(broken(made.look())) == []
        assert made.stood_still > 0
        assert made.begun
