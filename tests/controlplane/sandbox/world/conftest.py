from collections.abc import Iterator

import pytest

from controlplane.sandbox.run import Sandbox
from tests.controlplane.sandbox.world.visitor import Visitor


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with Sandbox() as sandbox:
        yield Visitor(sandbox)
