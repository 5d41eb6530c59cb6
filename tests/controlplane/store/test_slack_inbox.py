"""What people asked for in Slack is taken once, and held by one replica at a time."""

from controlplane.store import slack_inbox
from tests.support.house import House


def test_one_row_a_key_one_claim_a_lease(empty: House) -> None:
    database = empty.database
    with database.begin() as connection:
        assert slack_inbox.add(connection, "press:1", "press", "{}", 100.0)
        assert not slack_inbox.add(connection, "press:1", "press", "{}", 101.0)
        assert slack_inbox.add(connection, "press:2", "press", "{}", 102.0)
    with database.begin() as connection:
        [first] = slack_inbox.claim(connection, "a", 101.0, 131.0, 10)
        [second] = slack_inbox.claim(connection, "b", 105.0, 135.0, 10)
        assert (first.key, second.key, first.attempts) == ("press:1", "press:2", 1)
        assert slack_inbox.next_due(connection) == 131.0
    with database.begin() as connection:
        [again] = slack_inbox.claim(connection, "b", 132.0, 162.0, 10)
        assert (again.key, again.fence) == ("press:1", first.fence + 1)
        assert not slack_inbox.write(connection, first, due_at=None)
        assert slack_inbox.write(connection, again, due_at=None, owner=None)
        assert slack_inbox.forget(connection, 200.0) == 1  # the other one is not done
        assert slack_inbox.next_due(connection) == 135.0
