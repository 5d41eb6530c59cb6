"""What the console says of what stands on a target."""

import pytest

from controlplane.console.views import stands


@pytest.mark.parametrize(
    ("status", "quarantined", "said"),
    [("GOOD", False, "GOOD"), ("GOOD", True, "QUARANTINED"), ("BAD", True, "BAD"), ("", False, "")],
)
def test_a_digest_in_quarantine_is_no_longer_called_good(
    status: str, quarantined: bool, said: str
) -> None:
    assert stands({"status": status, "quarantined": quarantined}) == said
