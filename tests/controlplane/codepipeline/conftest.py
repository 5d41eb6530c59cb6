from pathlib import Path

import pytest

from tests.support.doors import Doors
from tests.support.wire import Wire


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


@pytest.fixture
def wire(doors: Doors) -> Wire:
    return Wire(doors)
