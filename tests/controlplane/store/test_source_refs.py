"""Where a branch stands: compared and swapped, so that of two deliveries at once one is told."""

from controlplane.store import source_refs
from tests.support.house import House

KEY = ("shop", "Git", "refs/heads/main")


def test_only_who_knows_the_last_moves_it(empty: House) -> None:
    with empty.database.begin() as connection:
        assert source_refs.newest(connection, *KEY) == ""
        assert not source_refs.move(connection, KEY, "b", "a")
        assert source_refs.move(connection, KEY, "a", "")
        assert not source_refs.move(connection, KEY, "b", "")
        assert not source_refs.move(connection, KEY, "c", "b")
        assert source_refs.move(connection, KEY, "b", "a")
        assert source_refs.newest(connection, *KEY) == "b"


def test_the_head_of_a_branch_counts_whatever_was_there(empty: House) -> None:
    with empty.database.begin() as connection:
        assert source_refs.move(connection, KEY, "a", None)
        assert source_refs.move(connection, KEY, "b", None)
        assert source_refs.newest(connection, *KEY) == "b"
