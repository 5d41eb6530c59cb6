from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.controlplane.sandbox.codedeploy.functions_lab import FunctionsLab
from tests.controlplane.sandbox.codedeploy.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with mock_aws():
        laboratory = Lab(tmp_path)
        yield laboratory
        laboratory.close()


@pytest.fixture
def shop() -> Iterator[FunctionsLab]:
    with mock_aws():
        laboratory = FunctionsLab()
        yield laboratory
        laboratory.close()
