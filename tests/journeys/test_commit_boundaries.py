"""kill -9 at every commit of the demo pipeline's journey, just before and just after it takes effect.

Real processes really killed: see tests/support/lives.py. The vendors are the sandbox, which outlives
them and whose records say what was really done.
"""

from pathlib import Path

import pytest

from tests.support.boundaries import (
    Lives,
    ended_as_if_undisturbed,
    every_commit_was_a_crash,
    opened,
)


@pytest.mark.timeout(600)
def test_killed_at_every_commit_the_journey_ends_as_if_undisturbed(tmp_path: Path) -> None:
    with opened(Lives(tmp_path)) as lives:
        lives.play()
        every_commit_was_a_crash(lives)
        ended_as_if_undisturbed(lives.evidence)
