"""The registry at run time: unknown names are explained, changes are whole or not at all."""

import pytest

from accounts.base import AccountError
from accounts.models import Account
from accounts.registry import StaticRegistry
from tests.support.clients import account

PROD, DEV = account(), account("dev", "222222222222")


def test_accounts_come_by_name_and_in_order() -> None:
    registry = StaticRegistry([PROD, DEV])
    assert registry.get("prod") == PROD
    assert [one.name for one in registry.all()] == ["dev", "prod"]


def test_an_unknown_name_is_told_what_was_near_and_what_is_known() -> None:
    with pytest.raises(AccountError) as caught:
        StaticRegistry([PROD, DEV]).get("prd")
    assert str(caught.value) == ("There is no account 'prd'; did you mean prod? (known: dev, prod)")
    assert caught.value.permanent


def test_an_empty_registry_says_so() -> None:
    with pytest.raises(AccountError, match="none is registered"):
        StaticRegistry().get("prod")


def test_an_account_is_added_replaced_and_removed() -> None:
    registry = StaticRegistry([PROD])
    registry.put(DEV)
    registry.put(DEV.model_copy(update={"environment": "sandbox"}))
    assert registry.get("dev").environment == "sandbox"
    registry.remove("prod")
    assert [one.name for one in registry.all()] == ["dev"]


def test_removing_what_is_not_there_is_refused() -> None:
    with pytest.raises(AccountError, match="There is no account 'dev'"):
        StaticRegistry([PROD]).remove("dev")


def test_a_wrong_account_changes_nothing() -> None:
    registry = StaticRegistry([PROD])
    with pytest.raises(AccountError, match=r"account dev: regions\.0: 'mars-1' is not a region"):
        registry.replace([DEV.model_copy(update={"regions": ["mars-1"]})])
    assert registry.all() == [PROD]


def test_a_name_that_differs_in_case_only_is_refused() -> None:
    with pytest.raises(AccountError, match="PROD is taken"):
        StaticRegistry([PROD]).put(account("PROD"))


def test_an_account_that_another_replica_stored_is_known_at_once() -> None:
    stored: list[Account] = []
    registry = StaticRegistry(stored=lambda: stored)
    stored.append(PROD)
    assert registry.get("prod") == PROD


def test_what_another_replica_changed_or_removed_is_seen_at_the_next_refresh() -> None:
    stored = [PROD]
    registry = StaticRegistry(stored, stored=lambda: stored)
    stored.clear()
    registry.refresh()
    assert registry.all() == []
