"""What keeps its state in the database is held to the same tests on both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on an empty database of each kind."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").furnished()
    house = House(tmp_path, url)
    yield house
    house.database.close()
