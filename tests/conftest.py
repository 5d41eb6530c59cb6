"""What holds for every test: in CI a skipped test is a failed run."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.postgres import CARELESS, Cluster, server


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where something was skipped and CI=true: a full run needs everything that .ci/run installs."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [] if reporter is None else reporter.stats.get("skipped", [])
    if os.environ.get("CI") == "true" and skipped:
        for report in skipped:
            reporter.write_line(f"skipped in CI: {report.nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL server for the whole run; ask it for a database of your own."""
    with server(CARELESS) as running:
        yield running


def pytest_collection_finish() -> None:
    """What was imported lives to the end: let the garbage collector not walk over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
