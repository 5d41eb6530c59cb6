from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.controlplane.sandbox.codedeploy.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with mock_aws():
        laboratory = Lab(tmp_path)
        yield laboratory
        laboratory.close()
