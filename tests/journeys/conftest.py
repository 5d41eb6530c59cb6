"""The longest begin first: a worker that begins one when the others are done keeps everybody waiting."""

import pytest

LONGEST = (
    "test_commit_boundaries.py::test_killed_at_every_commit",
    "test_crash.py::test_killed_at_random_points",
    "test_replicas.py::test_three_replicas",
    "test_tutorial.py::test_a_release_by_hand",
    "test_demo.py::test_release_2",
    "test_demo.py::test_a_scenario_ends_as_it_should[waves]",
    "test_tutorial.py::test_the_first_own_account",
)
"""From more than three minutes down to half a minute."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal them out: each worker of xdist begins with an equal share of the list, one stretch of it."""
    said = getattr(config, "workerinput", {})
    items[:] = dealt(items, int(said.get("workercount", 1)))


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    long = [item for name in LONGEST for item in items if f"journeys/{name}" in item.nodeid]
    short = [item for item in items if item not in long]
    found: list[pytest.Item] = []
    for worker in range(workers):
        share = (len(items) - len(found)) // (workers - worker)
        own = long[worker::workers]
        rest = max(0, share - len(own))
        found += own + short[:rest]
        short = short[rest:]
    return found + short
