"""What came over is one transaction, and remembers what it has closed. On both kinds of database."""

import pytest

from controlplane.engine.refusals import CommandError, Person
from controlplane.migration.storing import Storing
from controlplane.store import ledger, migrated, queries, tags
from tests.support.house import ANNE, House, deploying, pipeline, source

THERE = ("dev", "eu-west-1")
SHOP = pipeline(source(), deploying("Prod"))


def storing(house: House) -> Storing:
    return Storing(house.database, house.structures, house._now)


def test_again_is_unchanged_and_a_deleted_one_comes_anew(empty: House) -> None:
    first = storing(empty).put(SHOP, THERE, ANNE, {}, {"team": "a"})
    again = storing(empty).put(SHOP, THERE, ANNE, {}, {"team": "b"})
    assert (first.version, first.new, first.closed) == (1, True, ("Prod",))
    assert (again.version, again.new, again.closed) == (1, False, ())
    empty.commands.delete_pipeline("shop", ANNE)
    anew = storing(empty).put(SHOP, THERE, ANNE, {}, {})
    assert (anew.version, anew.closed) == (2, ("Prod",))
    with empty.database.read() as connection:
        assert tags.of(connection, "pipeline/shop") == {"team": "b"}


def test_from_elsewhere_it_is_refused_and_nothing_is_changed(empty: House) -> None:
    storing(empty).put(SHOP, THERE, ANNE, {}, {})
    with pytest.raises(CommandError, match="was migrated from dev/eu-west-1"):
        storing(empty).put(SHOP, ("prod", "eu-west-1"), Person("bo", "api"), {}, {"team": "a"})
    with empty.database.read() as connection:
        assert tags.of(connection, "pipeline/shop") == {}
        assert [row.disabled_by for row in queries.transitions(connection, "shop")] == ["anne"]
        assert ledger.transition(connection, "shop", "Source") is None


def test_the_oldest_compared_executions_make_room(empty: House) -> None:
    storing(empty).put(SHOP, THERE, ANNE, {}, {})
    with empty.database.begin() as connection:
        for number in range(5):
            row = {"execution_id": f"e{number}", "started_at": float(number), "differs": False}
            whole = {"pipeline": "shop", **row, "document": "{}", "at": 0.0}
            migrated.add(connection, whole, most=3)
        kept = [row.execution_id for row in migrated.shadowed(connection, "shop", 10)]
        known = migrated.known(connection, "shop", ["e0", "e4"])
    assert kept == ["e4", "e3", "e2"] and known == {"e4"}
